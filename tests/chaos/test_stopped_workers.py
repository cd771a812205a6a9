"""Workers replaced one after the other, and a worker that sleeps longer than the dead time, under load."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.house import DEAD_SECONDS, SLOTS

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(240)]

ROUNDS = 3


def test_rolling_deploys_repeat_no_effect(house, chaos):
    ends = []

    async def faults(scene):
        for _ in range(ROUNDS):
            await asyncio.sleep(1)
            oldest = house.workers.pop(0)
            await scene.start_worker()
            oldest.terminate()
            scene.tally.faults += 1
            ends.append(await asyncio.to_thread(oldest.wait, 20))

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed, tally.repeated) == (0, 0, 0, 0)
    assert ends == [0] * ROUNDS
    assert tally.statuses() == {202}


def test_a_worker_that_sleeps_beyond_the_dead_time_writes_nothing_when_it_wakes(house, chaos):
    async def faults(scene):
        for _ in range(2):
            await asyncio.sleep(3)
            sleeper = scene.random.choice(house.workers)
            sleeper.send_signal(signal.SIGSTOP)
            scene.tally.faults += 1
            await asyncio.sleep(2 * DEAD_SECONDS)
            sleeper.send_signal(signal.SIGCONT)
        await asyncio.sleep(2)

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed) == (0, 0, 0)
    assert tally.keys_are_stable
    assert tally.repeated <= tally.faults * SLOTS  # only what was under way when it fell asleep
    assert [worker.poll() for worker in house.workers] == [None, None]
    living = house.rows("select count(*) from automation_worker where state = 1")
    assert living == [(2,)]  # it was declared dead, and registered anew
