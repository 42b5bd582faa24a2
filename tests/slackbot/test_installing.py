"""Workspaces install the app by OAuth; their tokens lie sealed and are renewed."""

import logging
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from slackbot import delivery, installed
from storage import installations
from storage.errors import DatabaseUnavailable
from storage.schema import oauth_states
from tests.slackbot.house import KEY, found
from tests.waiting import until


async def test_a_whole_organisation_is_refused_in_plain_words(house):
    async with house.open():
        house.grid.organisation_wide = True
        answer = await house.install(house.acme)
        assert answer.status_code == 500
        assert "install it in each workspace" in answer.text
        assert "storage_error" not in answer.text
        assert "Slack refused" not in answer.text
        assert await found(house, house.acme) is None


def database_files(folder):
    return list(folder.glob("autoticket.db*"))


async def test_tokens_lie_sealed_and_are_renewed_before_they_end(house, tmp_path, monkeypatch):
    monkeypatch.setattr(delivery, "backoff_s", lambda attempts, rng: 0.05)
    house.grid.token_life_s = 3600
    acme = house.acme
    async with house.open():
        await house.furnish(acme, acme.rita)
        first = await found(house, acme)
        assert first.expires_at is not None
        # Nobody has asked for anything when the token ends: cards that come too early wait.
        house.grid.expire()
        await acme.ana.say(acme.help_, acme.unsure())
        await until(lambda: "chat.postMessage" in house.grid.refused)
        await house.bot.workspaces.renew_all(datetime.now(UTC))
        await acme.card("review")
        await acme.settled()
        renewed = await found(house, acme)
        assert (renewed.version, renewed.secrets == first.secrets) == (first.version + 1, False)
    assert all(b"xox" not in file.read_bytes() for file in database_files(tmp_path))


async def test_another_key_seals_anew_and_then_the_old_one_may_go(house):
    async with house.open():
        await house.furnish(house.acme, house.acme.rita)
        sealed = (await found(house, house.acme)).secrets
    newer = Fernet.generate_key().decode()
    house.env["AUTOTICKET_ENCRYPTION_KEY"] = f"{newer},{KEY}"

    async def sealed_anew():
        return (await found(house, house.acme)).secrets != sealed

    async with house.open():
        await until(sealed_anew)
    house.env["AUTOTICKET_ENCRYPTION_KEY"] = newer
    async with house.open():
        assert (await house.pending(house.acme)).channel == house.acme.review.id


async def test_nobody_slips_an_installation_in(house):
    async with house.open(), httpx.AsyncClient() as browser:
        link, cookie = await house.begin(browser)
        query = house.grid.approve(link, house.acme.slack)

        async def come_back(query, headers):
            answer = await browser.get(
                house.page(f"/slack/oauth_redirect?{query}"), headers=headers
            )
            return answer.status_code

        assert await come_back(query, {}) == 400  # another browser
        assert (
            await come_back("code=x&state=made-up", {"Cookie": "slack-app-oauth-state=made-up"})
            == 401
        )
        assert await found(house, house.acme) is None
        assert await come_back(query, cookie) == 200
        assert await come_back(query, cookie) == 401  # a state works once
        query = house.grid.approve(link, house.globex.slack)
        assert await come_back(query, cookie) == 401
        assert await found(house, house.globex) is None


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("error=access_denied", 200, "cancelled on Slack"),
        ("error=%3Cb%3Ecall+0900+for+help", 200, "Slack refused it"),
        ("code=call+0900+for+help&state=0900", 400, "not begun in this browser"),
    ],
)
async def test_the_page_of_a_failure_says_why_and_repeats_nothing(house, query, status, told):
    async with house.open(), httpx.AsyncClient() as browser:
        answer = await browser.get(house.page(f"/slack/oauth_redirect?{query}"))
        assert (answer.status_code, told in answer.text) == (status, True), answer.text
        assert "0900" not in answer.text
        assert 'href="/slack/install"' in answer.text


async def test_a_state_ends_after_ten_minutes(house):
    async with house.open(), httpx.AsyncClient() as browser:
        link, cookie = await house.begin(browser)
        query = house.grid.approve(link, house.acme.slack)
        async with house.bot.desk.database.write() as conn:
            [[ends]] = await conn.execute(sa.select(oauth_states.c.expires_at))
            assert timedelta(minutes=9) < ends - datetime.now(UTC) <= timedelta(minutes=10)
            await conn.execute(sa.update(oauth_states).values(expires_at=datetime.now(UTC)))
        answer = await browser.get(house.page(f"/slack/oauth_redirect?{query}"), headers=cookie)
        assert answer.status_code == 401
        assert "longer than ten minutes" in answer.text
        assert await found(house, house.acme) is None


async def test_who_installs_while_slack_is_away_is_told_so(house, caplog):
    async with house.open(), httpx.AsyncClient() as browser:
        link, cookie = await house.begin(browser)
        query = house.grid.approve(link, house.acme.slack)
        await house.grid.go_away()
        answer = await browser.get(house.page(f"/slack/oauth_redirect?{query}"), headers=cookie)
        assert answer.status_code == 401
        assert "Slack did not confirm it" in answer.text
        code, state = re.fullmatch(r"code=(.+)&state=(.+)", query).groups()
        logged = " ".join(str(vars(r)) for r in caplog.records if r.levelno >= logging.WARNING)
        assert "code_not_redeemed" in logged
        assert code not in logged
        assert state not in logged


async def test_an_answer_in_no_known_shape_does_not_end_the_bot(house, monkeypatch):
    house.grid.token_life_s = 3600
    async with house.open():
        await house.furnish(house.acme, house.acme.rita)
        await house.furnish(house.globex, house.globex.rob)
        first = await found(house, house.globex)
        granted, odd = house.grid._granted, house.acme.slack

        def answer(workspace):
            said = granted(workspace)
            return {**said, "expires_in": None} if workspace is odd else said

        monkeypatch.setattr(type(house.grid), "_granted", lambda _, workspace: answer(workspace))
        await house.bot.workspaces.renew_all(datetime.now(UTC))
        assert (await found(house, house.acme)).version == 1
        assert (await found(house, house.globex)).version == first.version + 1


async def test_a_new_token_outlives_a_database_that_is_away(house, monkeypatch):
    house.grid.token_life_s = 3600
    async with house.open():
        await house.furnish(house.acme, house.acme.rita)

        async def away(*_):
            raise DatabaseUnavailable("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(installations, "seal_anew", away)
            with pytest.raises(DatabaseUnavailable):
                await house.bot.workspaces.renew_all(datetime.now(UTC))
        await house.bot.workspaces.renew_all(datetime.now(UTC))
        assert (await found(house, house.acme)).version == 2
        assert (await house.pending(house.acme)).channel == house.acme.review.id


async def test_a_replica_that_missed_the_removal_takes_the_new_token(house, monkeypatch):
    monkeypatch.setattr(installed, "LIFE_S", 0)
    async with house.open():
        await house.furnish(house.acme, house.acme.rita)
        team = house.acme.slack.team_id
        before = (await house.bot.workspaces.of(team)).client.token
        async with house.bot.desk.database.write() as conn:  # as another replica does it
            assert await installations.remove(conn, team, before=datetime.now(UTC))
        await house.install(house.acme)
        assert (await house.bot.workspaces.of(team)).client.token != before
