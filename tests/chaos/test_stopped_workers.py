"""Scenarios 9 and 11: a worker that sleeps longer than the dead time, and workers replaced one after the other."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.chaos.house import SLOTS
from tests.chaos.loads import Load

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

NOTHING = (0, 0, 0, 0, 0)
ASLEEP_SECONDS = 15
ROUNDS = 6
LONGEST_STEP_SECONDS = 0.5


@pytest.mark.chaos_short
def test_a_worker_that_sleeps_beyond_the_dead_time_writes_nothing_when_it_wakes(house, chaos):
    async def faults(scene):
        await asyncio.sleep(3)
        sleeper = scene.random.choice(house.workers)
        sleeper.send_signal(signal.SIGSTOP)
        scene.tally.faults += 1
        held = await scene.note_held(time.time(), [sleeper.pid])
        scene.tally.more["under way"] = len(held)
        await asyncio.sleep(ASLEEP_SECONDS)
        sleeper.send_signal(signal.SIGCONT)
        await asyncio.sleep(4)

    tally = chaos(faults, scenario=9, load=Load(pause_seconds=0.3, effect_seconds=0.3))

    assert tally.more["under way"] > 0  # or there is nothing to see
    assert tally.errors == NOTHING
    assert tally.repeated <= SLOTS  # only what was under way when it fell asleep
    assert tally.recovery <= tally.recovers_in
    assert [worker.poll() for worker in house.workers] == [None, None]
    living = house.rows("select count(*) from automation_worker where state = 1")
    assert living == [(2,)]  # it was declared dead, and registered anew


def test_rolling_deploys_repeat_no_effect(house, chaos):
    ends, drains = [], []

    async def faults(scene):
        for _ in range(ROUNDS):
            await asyncio.sleep(1)
            oldest = house.workers.pop(0)
            await scene.start_worker()
            stopped_at = time.monotonic()
            oldest.terminate()
            scene.tally.faults += 1
            ends.append(await asyncio.to_thread(oldest.wait, 20))
            drains.append(time.monotonic() - stopped_at)

    tally = chaos(faults, scenario=11, load=Load(pause_seconds=0.4, effect_seconds=LONGEST_STEP_SECONDS))

    tally.more["drained in"] = f"at most {max(drains):.1f} s"
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert ends == [0] * ROUNDS
    assert max(drains) <= LONGEST_STEP_SECONDS + 2 + tally.slack
    assert tally.statuses() == {202}
