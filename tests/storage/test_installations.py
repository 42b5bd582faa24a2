"""storage.installations: one row a workspace, states that work once."""

import asyncio
from dataclasses import replace

from storage import installations
from storage.installations import NewInstallation
from tests.storage.examples import NOW, later

ACME = NewInstallation(
    team="T1",
    team_name="Acme",
    enterprise=None,
    bot_user="UBOT",
    bot_id="B1",
    workspace_url="https://acme.slack.com/",
    scopes="chat:write,commands",
    installed_by="U1",
    secrets="sealed",
    expires_at=None,
)


async def install(db, new, now=NOW):
    async with db.write() as conn:
        await installations.save(conn, new, now)


async def found(db, team="T1"):
    async with db.read() as conn:
        return await installations.get(conn, team)


async def test_a_second_installation_takes_the_place_of_the_first(db):
    await install(db, ACME)
    await install(db, replace(ACME, team="T2", secrets="of T2"))
    again = replace(ACME, bot_user="UNEW", secrets="fresh", expires_at=later(9))
    await install(db, again, later(5))
    now = await found(db)
    assert (now.bot_user, now.secrets, now.expires_at) == ("UNEW", "fresh", later(9))
    assert (now.installed_at, now.version) == (later(5), 2)
    assert (await found(db, "T2")).secrets == "of T2"
    async with db.read() as conn:
        assert [each.team for each in await installations.everywhere(conn)] == ["T1", "T2"]


async def test_word_of_an_old_removal_does_not_end_a_new_installation(db):
    await install(db, ACME, later(60))
    async with db.write() as conn:
        assert not await installations.remove(conn, "T1", before=later(59))
        assert not await installations.remove(conn, "T2", before=later(99))
    assert await found(db) is not None
    async with db.write() as conn:
        assert await installations.remove(conn, "T1", before=later(60))
    assert await found(db) is None


async def test_one_of_several_replicas_renews(db):
    await install(db, ACME)

    async def begin(seconds):
        async with db.write() as conn:
            now = later(seconds)
            return await installations.begin_renewal(conn, "T1", 1, now=now, seconds=30)

    assert sorted(await asyncio.gather(*(begin(0) for _ in range(3)))) == [False, False, True]
    assert not await begin(29)
    assert await begin(30)  # who had begun has died
    async with db.write() as conn:
        assert await installations.seal_anew(conn, "T1", 1, "fresh", later(99))
        assert not await installations.seal_anew(conn, "T1", 1, "late", None)
        assert not await installations.begin_renewal(conn, "T1", 1, now=later(99), seconds=30)
    assert ((await found(db)).secrets, (await found(db)).version) == ("fresh", 2)


async def test_a_state_works_once_and_not_for_ever(db):
    async def consume(state, seconds):
        async with db.write() as conn:
            return await installations.consume_state(conn, state, later(seconds))

    async with db.write() as conn:
        await installations.issue_state(conn, "a", NOW, 600)
        await installations.issue_state(conn, "b", NOW, 600)
    assert not await consume("c", 1)
    consumed = await asyncio.gather(*(consume("a", 1) for _ in range(3)))
    assert sorted(consumed) == [False, False, True]
    assert not await consume("b", 600)
