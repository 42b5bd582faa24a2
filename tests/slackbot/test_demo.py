"""`autoticket demo` as a newcomer runs it."""

import asyncio
import re
import signal
import socket
import sys

import aiohttp
import pytest

from slackbot.demo import MANIFEST, free_port

SOURCE = MANIFEST.parent


@pytest.fixture
async def demo(root, tmp_path):
    """Starts the command, far away from any `.env`."""
    running = []

    async def start(*arguments):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "slackbot", "demo", *arguments),
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(SOURCE),
                "AUTOTICKET_MODEL_DIR": str(root / "models" / "default"),
                "AUTOTICKET_AUDIT_RATE": "0",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_shows_the_table_then_the_playground_and_stops_cleanly(demo, tmp_path):
    process = await demo("--port", "0", "--data", str(tmp_path / "kept"))
    shown = (await asyncio.wait_for(process.stdout.readuntil(b"The playground: "), 60)).decode()
    assert "put to a person" in shown
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    address = re.match(r"http://127\.0\.0\.1:\d+/", line.decode())
    async with aiohttp.ClientSession(address.group()) as session:
        async with session.get("/page/state") as response:
            state = await response.json()
        roles = [(member["name"], member["role"]) for member in state["cast"]]
        # A browser that listens must not hold it up.
        async with session.get("/page/changes") as listening:
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(listening.read(), 20)
    assert roles == [
        ("Ana", "employee"),
        ("Ben", "employee"),
        ("Rita", "reviewer"),
        ("Gus", "guest"),
    ]
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, errors) == (0, b"")
    assert (tmp_path / "kept" / "autoticket.db").exists()


async def test_in_the_terminal_it_is_only_the_table(demo):
    process = await demo("--terminal")
    shown, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors) == (0, b"")
    assert b"Messages the model has never seen" in shown
    assert b"playground" not in shown


def test_a_taken_port_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 20
    assert free_port(0) == 0
