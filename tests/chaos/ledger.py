"""What the outside saw and what clients were promised, in two append-only files that no process of the product knows."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Effect(NamedTuple):
    """One effect as the target saw it. `at` is seconds since the epoch, `claim` the number of the run's claim."""

    at: float
    delivery: str
    step: str
    claim: int
    key: str


class Ledger:
    """One line an effect, one line a 202; written through at once, read only when everything came to rest."""

    def __init__(self, scenario: int) -> None:
        folder = Path(os.environ.get("CHAOS_LEDGERS") or tempfile.mkdtemp(prefix="chaos-"))
        folder.mkdir(parents=True, exist_ok=True)
        stamp = f"{scenario:02}-{int(time.time())}"
        self.effects_path = folder / f"{stamp}-effects.log"
        self.accepted_path = folder / f"{stamp}-accepted.log"
        self._effects = self.effects_path.open("ab", buffering=0)
        self._accepted = self.accepted_path.open("ab", buffering=0)

    def note(self, delivery: str, step: str, claim: int, key: str) -> None:
        """An effect happened now."""
        self._effects.write(f"{time.time():.6f} {delivery} {step} {claim} {key}\n".encode())

    def promise(self, delivery: str, run: str) -> None:
        """A client holds a 202."""
        self._accepted.write(f"{time.time():.6f} {delivery} {run}\n".encode())

    def effects(self) -> Iterator[Effect]:
        """Every effect, in the order it was seen."""
        for line in self.effects_path.read_text().splitlines():
            at, delivery, step, claim, key = line.split(" ")
            yield Effect(float(at), delivery, step, int(claim), key)

    def count_effects(self) -> int:
        """How many effects were seen under different names."""
        return len({line.split(b" ", 3)[1] for line in self.effects_path.read_bytes().splitlines()})

    def promises(self) -> dict[str, set[str]]:
        """The runs each delivery was promised; more than one would be a broken promise."""
        found: dict[str, set[str]] = {}
        for line in self.accepted_path.read_text().splitlines():
            _, delivery, run = line.split(" ")
            found.setdefault(delivery, set()).add(run)
        return found

    def close(self) -> None:
        self._effects.close()
        self._accepted.close()
