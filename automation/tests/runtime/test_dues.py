"""Dues: the order of queues is strict, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter

from automation.runtime.dues import Dues
from automation.runtime.slots import Room
from automation.store.claim import Wanted


def claim(wanted: Wanted, waiting: dict[str, int]) -> list[str]:
    """What the statement does, in Python: dues first, then queue by queue."""
    taken: list[str] = []
    for due_only in (True, False):
        for queue, due in wanted.owed.items():
            most = due if due_only else wanted.limit
            shared_left = (
                wanted.limit if queue == "interactive" else wanted.shared - len(taken) + taken.count("interactive")
            )
            count = max(0, min(most, waiting.get(queue, 0), shared_left, wanted.limit - len(taken)))
            taken += [queue] * count
            waiting[queue] = waiting.get(queue, 0) - count
    return taken


def served(room: Room, waiting: dict[str, int], *, claims: int) -> dict[str, int]:
    dues, taken = Dues(), Counter[str]()
    for _ in range(claims):
        queues = claim(dues.wanted(room, most=16), waiting)
        dues.settle(queues)
        taken.update(queues)
    return dict(taken)


def test_of_sixteen_runs_four_are_default_and_one_is_bulk_when_all_wait_without_end():
    endless = dict.fromkeys(("interactive", "default", "bulk"), 10**6)

    assert served(Room(1, 0), dict(endless), claims=160) == {"interactive": 112, "default": 39, "bulk": 9}
    assert served(Room(16, 0), dict(endless), claims=10) == {"interactive": 115, "default": 36, "bulk": 9}


def test_a_due_that_nobody_came_for_is_no_more_than_one_round():
    dues = Dues()
    for _ in range(100):
        dues.settle(["interactive"] * 16)

    assert dues.wanted(Room(16, 4), most=16) == Wanted(16, 0, {"interactive": 0, "default": 4, "bulk": 1})


def test_with_reserved_slots_only_it_looks_for_interactive_runs_only():
    assert Dues().wanted(Room(0, 3), most=16) == Wanted(0, 3, {"interactive": 0})


def test_one_claim_takes_no_more_than_it_may():
    assert Dues().wanted(Room(30, 4), most=16) == Wanted(16, 0, {"interactive": 0, "default": 0, "bulk": 0})
    assert Dues().wanted(Room(14, 4), most=16) == Wanted(14, 2, {"interactive": 0, "default": 0, "bulk": 0})
