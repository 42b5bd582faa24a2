"""Bots that die on the spot between two steps; only tests start them, the product knows nothing.

This program imports the bot once and then forks one for each line that it reads, so that a start
costs a test little. A line is JSON: `env`, `log` (a file), and `dies_at` (an arrow below, or null).
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress

from slackbot import cli, delivery, desk, posting, run, worker  # noqa: F401  before forks
from storage.records import DeliveryKind

LEASE_S = 2.0
"""Shorter than the product's, so that a test need not wait for a dead bot's leases."""


def _is(kind):
    return lambda args, _result: args[1].kind is kind


def _is_rewrite(args, _result):
    return args[1].lane.endswith(":rewrites")


def _is_post(args, _result):
    return args[1].kind is DeliveryKind.CARD and not _is_rewrite(args, _result)


def _something(_args, result):
    return bool(result)


ARROWS = {
    # from what has happened to what would be next: (where, its function, before or after, when)
    "received -> recorded": (desk.inbox, "record", "before", None),
    "recorded -> committed": (desk.inbox, "record", "after", None),
    "committed -> acknowledged": (desk.Desk, "record", "after", None),
    "acknowledged -> leased": (worker.inbox, "lease", "after", _something),
    "leased -> fetched": (worker.Worker, "_fetch", "before", None),
    "fetched -> classified": (worker.Worker, "_fetch", "after", None),
    "leased -> classified": (desk.Desk, "_judge", "before", None),
    "classified -> written": (desk, "apply", "before", None),
    "written -> committed": (desk.inbox, "finish", "after", None),
    "committed -> worker told": (desk.Desk, "triage", "after", None),
    "committed -> lane leased": (delivery.lanes, "lease", "after", _something),
    "lane leased -> posted": (posting.Poster, "deliver", "before", _is_post),
    "posted -> marked": (posting.Poster, "deliver", "after", _is_post),
    "marked -> committed": (delivery, "write_down", "after", None),
    "committed -> next lane": (delivery.Deliverer, "_deliver_lane", "after", None),
    "answer leased -> answered": (
        posting.Poster,
        "deliver",
        "before",
        _is(DeliveryKind.ANSWER),
    ),
    "click received -> settled": (desk.Desk, "settle", "before", None),
    "settled -> committed": (desk, "settle", "after", None),
    "settled -> click acknowledged": (desk.Desk, "settle", "after", None),
    "rewrite leased -> rewritten": (posting.Poster, "deliver", "before", _is_rewrite),
    "rewritten -> marked": (posting.Poster, "deliver", "after", _is_rewrite),
    "notice leased -> told": (posting.Poster, "deliver", "before", _is(DeliveryKind.NOTICE)),
    "told -> marked": (posting.Poster, "deliver", "after", _is(DeliveryKind.NOTICE)),
}


def die_at(arrow):
    """Have this process killed the first time that it comes to the arrow."""
    owner, name, moment, when = ARROWS[arrow]
    real = getattr(owner, name)

    async def mortal(*args, **kwargs):
        if moment == "before" and (when is None or when(args, None)):
            await _die()
        result = await real(*args, **kwargs)
        if moment == "after" and (when is None or when(args, result)):
            await _die()
        return result

    setattr(owner, name, mortal)


async def _die():
    await asyncio.sleep(0.05)  # what is under way meanwhile, such as an answer to Slack, ends
    os.kill(os.getpid(), signal.SIGKILL)


def _live(order):
    """The life of one bot, in a process of its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["env"])
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    worker.LEASE_S = delivery.LEASE_S = LEASE_S
    if order["dies_at"]:
        die_at(order["dies_at"])
    with suppress(SystemExit):
        cli.main(["run"])


def main():
    """Fork a bot for each line, and say its process id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead vanish by themselves
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                _live(json.loads(line))
            finally:
                os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
