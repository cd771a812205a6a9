"""Scenario 10: runs that take their process down, by a signal, by memory and by a wrong address, among a thousand others."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.loads import Load

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(600)]

NOTHING = (0, 0, 0, 0, 0)
RUNS = 1_000
WAYS = ("kill", "memory", "segfault")
EACH = 5
MOST_SHARED_DEATHS = 2  # the third time a run goes on alone
POISONED = """
select r.status, d.error ->> 'type', r.crashes, r.finishes
from automation_run r join automation_rundata d on d.run_id = r.id where r.workflow_id = %s
"""


def test_poison_runs_fail_alone_and_everybody_else_succeeds(house, chaos):
    definition = {"schema": 1, "steps": [{"id": "take", "uses": "poison", "with": {"by": "{{ inputs.by }}"}}]}

    async def faults(scene):
        poison = await asyncio.to_thread(house.product.workflow, "Poison", definition)
        scene.tally.more["poison"] = poison
        replacing = asyncio.create_task(scene.replace())
        for by in WAYS * EACH:
            await asyncio.sleep(scene.random.uniform(0, 1))
            await asyncio.to_thread(house.product.call, "POST", f"/workflows/{poison}/execute", {"inputs": {"by": by}})
        await scene.accepted(RUNS)
        while await asyncio.to_thread(house.count, "workflow_id = %s and status < 50", poison):
            await asyncio.sleep(0.2)
        replacing.cancel()
        scene.tally.faults = scene.deaths
        await scene.start_worker()

    tally = chaos(faults, scenario=10, load=Load(clients=4, pause_seconds=0.2), converges_in=180)

    poisoned = house.rows(POISONED, tally.more.pop("poison"))
    tally.more["failed as worker_lost"] = sum(row[1] == "worker_lost" for row in poisoned)
    tally.more["deaths of shared processes"] = tally.faults
    assert [(status, error, finishes) for status, error, _, finishes in poisoned] == [(51, "worker_lost", 1)] * 15
    assert min(crashes for _, _, crashes, _ in poisoned) >= MOST_SHARED_DEATHS  # more: the deaths of others beside it
    assert len(tally.accepted) >= RUNS
    assert tally.errors == NOTHING  # not one of the innocent failed
    assert tally.faults <= MOST_SHARED_DEATHS * len(poisoned)
