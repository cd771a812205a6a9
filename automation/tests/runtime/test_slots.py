"""Slots: the register of what is executed here."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from automation.runtime.slots import Room, Slots


class Held:
    """A turn that lasts until it is let go."""

    def __init__(self, run_id, queue="default"):
        self.run = SimpleNamespace(id=run_id, queue=queue)
        self.is_cancelled = False
        self.started, self.let_go = threading.Event(), threading.Event()

    def execute(self):
        self.started.set()
        self.let_go.wait(5)

    def cancel(self):
        self.is_cancelled = True


@pytest.fixture
def freed():
    return threading.Event()


@pytest.fixture
def slots(freed):
    slots = Slots(2, on_free=freed.set)
    yield slots
    slots.stop(5)


def test_the_end_of_a_lost_turn_does_not_forget_the_new_turn_of_the_same_run(slots, freed):
    lost, new = Held(7), Held(7)
    slots.start(lost)
    slots.start(new)
    assert new.started.wait(5)

    slots.wants_kick = True
    lost.let_go.set()
    assert freed.wait(5)

    assert slots.live() == [new]
    assert slots.room() == Room(shared=1, reserved=0)
    slots.cancel(frozenset({7}))
    assert new.is_cancelled
    new.let_go.set()


def test_interactive_runs_take_the_reserved_slots_first_and_leave_the_shared_ones_to_others(freed):
    slots = Slots(2, reserved=1, on_free=freed.set)
    turns = [Held(1, "interactive"), Held(2, "bulk"), Held(3, "interactive")]
    rooms = [slots.room()]
    for turn in turns:
        slots.start(turn)
        rooms.append(slots.room())
    for turn in turns:
        turn.let_go.set()
    slots.stop(5)

    assert rooms == [Room(2, 1), Room(2, 0), Room(1, 0), Room(0, 0)]
