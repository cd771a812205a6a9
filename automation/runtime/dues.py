"""Dues: interactive runs go first, yet nobody waits for ever. Of 16 claimed runs 4 are due to default, one to bulk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from automation.runtime.slots import Room
from automation.store.claim import BULK, DEFAULT, INTERACTIVE, Wanted

ROUND = 16  # claimed runs
DUE: Final = {
    DEFAULT: 4,
    BULK: 1,
}  # of each round, taken only where runs wait; what is left goes by the order of queues


class Dues:
    """Keeps count of what each queue may claim before its turn. Only the claimer's thread uses it."""

    def __init__(self) -> None:
        self._sixteenths = dict.fromkeys(DUE, 0)

    def wanted(self, room: Room, *, most: int) -> Wanted:
        """What to claim next into the free slots, `most` runs at once."""
        shared = min(room.shared, most)
        reserved = min(room.reserved, most - shared)
        if shared == 0:
            return Wanted(shared, reserved, {INTERACTIVE: 0})
        owed = {queue: sixteenths // ROUND for queue, sixteenths in self._sixteenths.items()}
        return Wanted(shared, reserved, {INTERACTIVE: 0, **owed})

    def settle(self, claimed: Iterable[str]) -> None:
        """Note of which queues runs were claimed. A due that nobody came for does not grow beyond one round's."""
        queues = list(claimed)
        for queue, due in DUE.items():
            sixteenths = self._sixteenths[queue] + due * len(queues) - ROUND * queues.count(queue)
            self._sixteenths[queue] = min(max(sixteenths, 0), due * ROUND)
