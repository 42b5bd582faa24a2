"""Who used the processors, from Linux's /proc: the bot, this benchmark, and everybody else."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY = (0, 1, 2, 5, 6, 7)  # of /proc/stat's columns: not idle, not waiting for a disk
BUSY_LOAD = 0.5
"""Processes that may wait for a processor before a measurement is called disturbed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds since some beginning; of an interval when two are subtracted.

    Attributes:
        clock_s: By the clock.
        bot_s: Processor time of the bot, all its threads together.
        own_s: Processor time of this process: Slack's stand-in and who writes there.
        all_s: Processor time of everything on this machine.
    """

    clock_s: float
    bot_s: float
    own_s: float
    all_s: float

    @classmethod
    def now(cls, pid: int) -> Usage:
        """Until now; `pid` is the bot's."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        columns = Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
        return cls(
            clock_s=time.perf_counter(),
            bot_s=(int(fields[11]) + int(fields[12])) / _TICKS,
            own_s=time.process_time(),
            all_s=sum(int(columns[column]) for column in _BUSY) / _TICKS,
        )

    def __sub__(self, before: Usage) -> Usage:
        """What was used since `before`."""
        return Usage(
            self.clock_s - before.clock_s,
            self.bot_s - before.bot_s,
            self.own_s - before.own_s,
            self.all_s - before.all_s,
        )

    @property
    def others(self) -> float:
        """Which share of the processors, in [0, 1], other processes had."""
        others_s = max(0.0, self.all_s - self.bot_s - self.own_s)
        return min(1.0, others_s / self.clock_s / (os.cpu_count() or 1))


def warning() -> str | None:
    """What to say before measuring on a machine that does other work; None on a quiet one."""
    load = os.getloadavg()[0]
    if load <= BUSY_LOAD:
        return None
    return (
        f"THE MACHINE IS BUSY: load {load:.1f} on {os.cpu_count()} processors before the start. "
        "Times and rates below are not the bot's own; processor times nearly are."
    )


def resident_mb(pid: int) -> float:
    """Memory of a process that lies in RAM, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
