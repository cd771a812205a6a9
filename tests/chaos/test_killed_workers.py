"""Scenarios 1 and 2: workers killed one after the other, and all at once, under load."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.house import SLOTS
from tests.chaos.loads import Load

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

RUNS = 1_500
CALM = Load(pause_seconds=0.18)  # about 40 deliveries a second: time for a dozen kills
IN_FLIGHT = 500
NOTHING = (0, 0, 0, 0, 0)


def kill_one_after_the_other(house, *, runs):
    async def faults(scene):
        replacing = asyncio.create_task(scene.replace())
        while len(scene.tally.accepted) < runs:
            await asyncio.sleep(scene.random.uniform(2, 4))
            if house.workers:  # the last replacement may not breathe yet
                await scene.kill(scene.random.choice(house.workers))
        replacing.cancel()
        await scene.start_worker()

    return faults


def check_kills(tally):
    assert tally.errors == NOTHING
    assert tally.repeated <= tally.faults * SLOTS  # only what was under way at a kill
    assert tally.statuses() == {202}
    assert tally.recovery <= tally.recovers_in


@pytest.mark.chaos_short
def test_a_few_kills_lose_nothing(house, chaos):
    check_kills(chaos(kill_one_after_the_other(house, runs=500), scenario=1, load=CALM, workers=3))


def test_workers_killed_one_after_the_other(house, chaos):
    tally = chaos(kill_one_after_the_other(house, runs=RUNS), scenario=1, load=CALM, workers=4)

    assert len(tally.accepted) >= RUNS
    check_kills(tally)


def test_all_workers_killed_with_five_hundred_runs_in_flight(house, chaos):
    slots = {"BRAINOPS_WORKER_SLOTS": "300"}
    slow = Load(clients=16, pause_seconds=0.12, effect_seconds=4)  # each run takes 8 s

    async def faults(scene):
        in_flight = "workflow_id = %s and status = 20"
        while await asyncio.to_thread(house.count, in_flight, scene.workflow) < IN_FLIGHT:
            await asyncio.sleep(0.1)
        await scene.kill(*house.workers)
        scene.tally.more["in flight"] = len(scene.tally.interrupted)
        await scene.start_worker(BRAINOPS_WORKER_SLOTS="600")

    tally = chaos(faults, scenario=2, load=slow, **slots)

    assert tally.more["in flight"] >= IN_FLIGHT
    assert tally.errors == NOTHING
    assert tally.statuses() == {202}
