import asyncio
import json
import socket
import time

import httpx
import pytest

from slackbot.config import parse_settings
from slackbot.errors import ConfigError, SlackRefused
from slackbot.run import serve
from slackbot.server import Front
from tests.slackbot.serving import listening, serving
from tests.slackbot.signing import signed
from tests.waiting import until


async def test_only_slack_is_listened_to(new_office):
    async with new_office("http").open() as office:
        url = f"http://127.0.0.1:{office.port}/slack/events"
        body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
        secret = office.slack.signing_secret
        async with httpx.AsyncClient() as client:
            good = await client.post(url, content=body, headers=signed(secret, body))
            assert (good.status_code, good.json()["challenge"]) == (200, "abc")
            for headers in (
                {},
                signed("wrong", body),
                signed(secret, body, at=time.time() - 600),
                signed(secret, b"other"),
            ):
                assert (await client.post(url, content=body, headers=headers)).status_code == 401
            assert (await client.get(url)).status_code == 405
            large = b"x" * 1_000_001
            refused = await client.post(url, content=large, headers=signed(secret, large))
            assert refused.status_code == 413

            async def unmeasured():  # sent in chunks: nobody says how much is coming
                for _ in range(11):
                    yield b"x" * 100_000

            answer = await client.post(url, content=unmeasured())
            assert answer.status_code == 413
            broken = b"\xff\xfe"
            answer = await client.post(url, content=broken, headers=signed(secret, broken))
            assert answer.status_code == 400


async def test_health_tells_the_truth(new_office):
    async with new_office().open() as office, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{office.port}"
        assert (await client.get(f"{url}/healthz")).status_code == 200
        ready = await client.get(f"{url}/readyz")
        assert (ready.status_code, set(ready.json().values())) == (200, {True})
        # In Socket Mode nothing is taken over HTTP.
        assert (await client.post(f"{url}/slack/events")).status_code == 404
        # Else it may be back before anybody asks.
        office.slack.faults.fail("apps.connections.open", times=1000, status=503)
        await office.slack.socket.close()

        async def not_ready():
            answer = await client.get(f"{url}/readyz")
            return answer if answer.status_code != 200 else None

        assert (await until(not_ready)).json() == {"model": True, "database": True, "slack": False}


async def test_health_answers_while_slack_is_still_awaited(new_office):
    office = new_office()
    office.slack.faults.fail("auth.test", times=3, status=503)
    async with serving(office.env, listening) as front:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{front.port}") as client:
            assert (await client.get("/healthz")).status_code == 200
            ready = await client.get("/readyz")
        assert (ready.status_code, set(ready.json().values())) == (503, {False})
        asked_to_stop = time.monotonic()
    assert time.monotonic() - asked_to_stop < 5


async def test_a_taken_port_and_a_refused_token_are_clear_errors(new_office):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        office = new_office(AUTOTICKET_PORT=str(taken.getsockname()[1]))
        with pytest.raises(ConfigError, match="cannot listen on"):
            await serve(Front(parse_settings(office.env)), asyncio.Event())
    office.env |= {"AUTOTICKET_PORT": "0", "SLACK_BOT_TOKEN": "xoxb-revoked"}
    with pytest.raises(SlackRefused, match="invalid_auth"):
        await serve(Front(parse_settings(office.env)), asyncio.Event())
