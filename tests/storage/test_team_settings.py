"""storage.team_settings: the newest change counts, and every one is kept."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage import team_settings
from storage.schema import team_settings as table
from storage.team_settings import NewSettings
from tests.storage.examples import NOW, TEAM, later


async def change(db, version, values, *, team=TEAM, now=NOW):
    new = NewSettings(team=team, version=version, changed_by="U9", values=values)
    async with db.write() as conn:
        return await team_settings.add(conn, new, now)


async def test_the_newest_change_counts_for_its_team_and_all_are_kept(db):
    assert await change(db, 1, {"review_channel": "C1"})
    assert await change(db, 2, {"review_channel": None}, now=later(5))
    assert await change(db, 1, {"review_channel": "C8"}, team="T2")
    async with db.read() as conn:
        newest = await team_settings.newest(conn, TEAM)
        assert await team_settings.newest(conn, "T3") is None
        history = await team_settings.history(conn, TEAM)
    assert (newest.version, newest.values) == (2, {"review_channel": None})
    assert (newest.changed_by, newest.created_at) == ("U9", later(5))
    assert [each.version for each in history] == [2, 1]


async def test_of_two_changes_of_the_same_settings_one_wins(db):
    assert await change(db, 1, {"review_channel": "C1"})
    assert not await change(db, 1, {"review_channel": "C2"})
    async with db.read() as conn:
        assert (await team_settings.newest(conn, TEAM)).values == {"review_channel": "C1"}


@pytest.mark.parametrize("deed", [sa.update(table).values(changed_by="x"), sa.delete(table)])
async def test_nobody_changes_what_was_set(db, deed):
    await change(db, 1, {})
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.write() as conn:
            await conn.execute(deed)
