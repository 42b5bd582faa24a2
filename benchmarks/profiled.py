"""`autoticket run` under a sampling profiler that says which part of the bot computes.

Started by `benchmarks.pipeline`. A thread looks at all others every few milliseconds and books the
processor time that each has used since then on the part of the bot that it is in. SIGUSR1 begins
anew; at the end the sums are written to the file that BENCH_PROFILE names.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.004

PARTS: tuple[tuple[str, str, str], ...] = (
    # what a frame's file contains, its function (empty: any), the part; the innermost frame wins
    ("onnxruntime/", "", "classify: encoder"),
    ("core/encoder", "", "classify: tokenizer"),
    ("core/heads", "", "classify: heads"),
    ("core/language", "", "classify: language"),
    ("core/text", "", "text: cleaning"),
    ("core/masking", "", "text: masking"),
    ("core/", "", "classify: rules"),
    ("/logging/", "", "logging"),
    ("slackbot/logs", "", "logging"),
    ("prometheus_client", "", "metrics"),
    ("sqlalchemy/", "", "storage"),
    ("aiosqlite/", "", "storage"),
    ("asyncpg/", "", "storage"),
    ("storage/", "", "storage"),
    ("aiohttp/", "", "delivery: HTTP client"),
    ("slack_sdk/web", "", "delivery: slack_sdk"),
    ("slackbot/views", "", "delivery: drawing cards"),
    ("desk/render", "", "delivery: drawing cards"),
    ("slackbot/delivery", "", "delivery: lanes"),
    ("slackbot/posting", "", "delivery: lanes"),
    ("slackbot/outcomes", "", "delivery: lanes"),
    ("slack_bolt/", "", "intake: Bolt"),
    ("slack_sdk/", "", "intake: Bolt"),
    ("slackbot/intake", "", "intake: reading payloads"),
    ("slackbot/recording", "", "intake: reading payloads"),
    ("uvicorn/", "", "intake: web server"),
    ("starlette/", "", "intake: web server"),
    ("fastapi/", "", "intake: web server"),
    ("slackbot/worker", "", "triage"),
    ("slackbot/desk", "", "triage"),
)
ELSE = "event loop and the rest"
OTHER_THREADS = "classify: encoder's other threads"


def part_of(frame: FrameType | None) -> str:
    """The part of the bot that a stack is in, by its innermost frame that belongs to one."""
    while frame is not None:
        code = frame.f_code
        for file, function, part in PARTS:
            if file in code.co_filename and function in ("", code.co_name):
                return part
        frame = frame.f_back
    return ELSE


class Sampler:
    """Books the processor time of Python's threads on parts."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self._since: dict[int, float] = {}
        self._begin_s = self._own_s = 0.0
        self._sampling_s = 0.0

    def restart(self, *_: object) -> None:
        """Forget what was booked."""
        self.used = Counter()
        self._begin_s = time.process_time()
        self._own_s = self._sampling_s

    def run(self) -> None:
        """Sample for as long as the process lives."""
        own = threading.get_ident()
        while True:
            time.sleep(EVERY_S)
            for thread, frame in sys._current_frames().items():
                if thread != own:
                    self._book(thread, frame)
            self._sampling_s = time.thread_time()

    def _book(self, thread: int, frame: FrameType) -> None:
        """Book what a thread has used since the last look on the part that it is in."""
        try:
            used = time.clock_gettime(time.pthread_getcpuclockid(thread))
        except OSError:
            return  # it has just ended
        before = self._since.get(thread, used)
        self._since[thread] = used
        if used > before:
            self.used[part_of(frame)] += used - before

    def seconds(self) -> dict[str, float]:
        """Processor time by part; what ran outside of Python's threads is the encoder's."""
        sampling = self._sampling_s - self._own_s
        everything = time.process_time() - self._begin_s - sampling
        return {**self.used, OTHER_THREADS: max(0.0, everything - sum(self.used.values()))}


def arguments() -> argparse.ArgumentParser:
    """What the command line takes: nothing, the settings are in the environment."""
    return argparse.ArgumentParser(description=__doc__)


def main() -> None:
    """Run the bot, sampled."""
    arguments().parse_args()
    # Else the sampler gets its turn mostly where a thread waits, and books its work on that place.
    sys.setswitchinterval(EVERY_S / 10)
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, sampler.restart)
    threading.Thread(target=sampler.run, daemon=True).start()
    from slackbot.cli import main as command_line  # noqa: PLC0415  imports numpy

    try:
        command_line(["run"], standalone_mode=False)
    finally:
        Path(os.environ["BENCH_PROFILE"]).write_text(json.dumps(sampler.seconds()))


if __name__ == "__main__":
    main()
