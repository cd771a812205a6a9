"""The figures of one scenario: printed as a line, and appended as JSON to the file CHAOS_RESULTS names."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

SEED = int(os.environ.get("CHAOS_SEED", "1"))

TITLES = {
    1: "a random worker killed every 2–4 s (SIGKILL)",
    2: "all workers killed at once",
    3: "Redis emptied every 2 s (FLUSHALL)",
    4: "Redis killed, back after 30 s",
    5: "Redis frozen for 20 s",
    6: "PostgreSQL crashed three times (immediate shutdown)",
    7: "PostgreSQL frozen for 15 s",
    8: "network between a worker and PostgreSQL cut for 15 s",
    9: "a worker frozen for 15 s",
    10: "poison runs: 5 kill, 5 exhaust memory, 5 segfault",
    11: "rolling deploy (SIGTERM every 3 s)",
    12: "schedules: two beats, later none, workers and beats killed after each fire, DST",
    13: "each delivery three times at once, by clients that hang up",
    14: "loop of 10,000 items, workers killed ten times",
    15: "cancel storm on runs with a limit of 2, workers killed",
}


SIGNALS = "signals before, during and after the wait, each sent twice"


@dataclass
class Figures:
    """What is published. Seconds unless named otherwise; None where a scenario has no such figure."""

    scenario: int
    accepted: int
    faults: int
    lost: int
    doubled: int
    repeated: int
    failed: int = 0
    recovery: float | None = None  # from a kill to the end of the last run it interrupted
    rest: float | None = None  # from the last delivery to the last end
    intake_p99: float | None = None
    intake_p100: float | None = None
    more: dict[str, Any] = field(default_factory=dict)
    part: str = ""  # of a scenario that has two

    @property
    def title(self) -> str:
        return self.part or TITLES[self.scenario]

    def line(self) -> str:
        said = {
            "accepted": self.accepted,
            "faults": self.faults,
            "lost": self.lost,
            "doubled": self.doubled,
            "failed": self.failed,
            "repeated effects": self.repeated,
            "recovery": _seconds(self.recovery),
            "at rest after": _seconds(self.rest),
            "intake p99": _milliseconds(self.intake_p99),
            "p100": _milliseconds(self.intake_p100),
            **self.more,
            "seed": SEED,
        }
        parts = ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)
        return f"{self.scenario}. {self.title}: {parts}"

    def publish(self) -> None:
        """Append to the results, when a file was named."""
        if path := os.environ.get("CHAOS_RESULTS"):
            about = {"seed": SEED, "at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
            with Path(path).open("ab") as results:
                results.write(orjson.dumps(asdict(self) | about | {"title": self.title}) + b"\n")


def machine() -> str:
    """`2 cores, x86_64, Linux`"""
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, {platform.system()}"


def quantile(values: list[float], share: float) -> float:
    """The quantile `share` of some values, 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else f"{value * 1000:.0f} ms"
