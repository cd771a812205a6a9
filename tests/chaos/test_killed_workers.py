"""Workers killed one after the other, and all at once, under load."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.house import SLOTS

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(240)]


async def kill(scene, worker):
    worker.kill()
    await asyncio.to_thread(worker.wait)
    scene.house.workers.remove(worker)
    scene.tally.faults += 1


def test_workers_killed_one_after_the_other_and_then_all(house, chaos):
    async def faults(scene):
        for _ in range(3):
            await asyncio.sleep(scene.random.uniform(1, 3))
            await kill(scene, scene.random.choice(house.workers))
            await scene.start_worker()
        for worker in list(house.workers):
            await kill(scene, worker)
        await scene.start_worker()
        await asyncio.sleep(2)

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed) == (0, 0, 0)
    assert tally.keys_are_stable
    assert tally.repeated <= tally.faults * SLOTS  # only what was under way at a kill
    assert tally.statuses() == {202}
