"""Scenario 14: a loop of 10,000 items whose worker is killed again and again. It goes on where it was."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.loads import Load, each_item

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(900)]

ITEMS = int(os.environ.get("CHAOS_ITEMS", "10000"))
KILLS = 10
BATCH = 100
MOST_ROWS = ITEMS // BATCH + 10
MOST_MEGABYTES = 300
HOLDER = "select w.pid from automation_run r join automation_worker w on w.id = r.worker_id where r.uid = %s and r.status = 20"


def test_a_loop_goes_on_where_it_was_however_often_its_worker_is_killed(house, chaos):
    memory: Counter[int] = Counter()

    async def faults(scene):
        start = {"inputs": {"items": list(range(ITEMS))}}
        path = f"/workflows/{scene.workflow}/execute"
        run = (await asyncio.to_thread(house.product.call, "POST", path, start))["id"]
        scene.tally.more["run"] = run
        replacing = asyncio.create_task(scene.replace())
        for kill in range(1, KILLS + 1):
            await reach(scene, kill * ITEMS // (KILLS + 2), memory)
            await kill_holder(house, scene, run)
        await reach(scene, ITEMS, memory)
        replacing.cancel()

    tally = chaos(faults, scenario=14, load=Load(clients=0, effect_seconds=0.0), define=each_item, converges_in=120)

    run = tally.more.pop("run")
    tally.accepted.add(run)
    status, finishes, crashes, rows = house.rows(
        "select status, finishes, crashes, (select count(*) from automation_steprun where run_id = r.id)"
        " from automation_run r where uid = %s",
        run,
    )[0]
    seen = {effect.delivery for effect in tally.effects}
    tally.lost, tally.doubled, tally.failed = ITEMS - len(seen), 0, int(status != 50)
    tally.more |= {"items": len(seen), "step rows": rows, "resident": f"{max(memory.values())} MB", "crashes": crashes}
    assert (status, finishes) == (50, 1)
    assert seen == {f"item-{n}" for n in range(ITEMS)}
    assert tally.changed_keys == 0
    assert tally.repeated <= BATCH * tally.faults
    assert rows <= MOST_ROWS
    assert max(memory.values()) < MOST_MEGABYTES


async def reach(scene, count, memory):
    """Wait until that many items were seen; note the most memory each worker held meanwhile."""
    while await asyncio.to_thread(scene.ledger.count_effects) < count:
        for worker in scene.house.workers:
            memory[worker.pid] = max(memory[worker.pid], peak_megabytes(worker.pid))
        await asyncio.sleep(0.1)


async def kill_holder(house, scene, run):
    """Kill the worker that has the run, its isolated child with it."""
    for _ in range(600):
        held = await asyncio.to_thread(house.rows, HOLDER, run)
        holders = [worker for worker in house.workers if held and worker.pid == held[0][0]]
        if holders:
            await scene.kill(*holders)
            return
        await asyncio.sleep(0.05)
    pytest.fail("nobody takes the run")


def peak_megabytes(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) // 1024
