"""Scenario 13: each delivery three times at once by clients that hang up, and signals before, during and after the wait."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import orjson
import pytest

from benchmarks.product import API
from benchmarks.wire import Client
from tests.chaos.figures import SEED, SIGNALS
from tests.chaos.harness import HELD
from tests.chaos.loads import Load, signalled

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(900)]

NOTHING = (0, 0, 0, 0, 0)
DELIVERIES = 1_000
INTERLEAVINGS = int(os.environ.get("CHAOS_INTERLEAVINGS", "10000"))
SENDERS = 64
# runs that took another signal than the one, or took it more than once, or left it lying
TAKEN = """
select count(*) filter (where s.taken = 1), count(*) filter (where s.taken <> 1)
from automation_run r, lateral (
  select count(*) filter (where taken_by is not null) as taken from automation_signal where run_id = r.id) s
where r.workflow_id = %s
"""


@pytest.mark.chaos_short
def test_three_copies_of_each_delivery_by_impatient_clients_are_one_run(house, chaos):
    def patience(chance):
        return chance.uniform(0.001, 0.05) if chance.random() < 0.3 else 20.0

    async def faults(scene):
        await scene.accepted(DELIVERIES)

    load = Load(clients=8, pause_seconds=0.02, copies=3, patience=patience)
    tally = chaos(faults, scenario=13, load=load)

    tally.faults = sum(status == 0 for _, _, status in tally.answers)
    tally.more |= {"sent": len(tally.answers), "hung up": tally.faults}
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert tally.statuses() <= {*HELD, 0}


def test_signals_before_during_and_after_the_wait_each_wake_once(house, chaos):
    """Every signal is sent twice under one key, at any moment of its run's life."""
    answers: Counter[int] = Counter()

    async def faults(scene):
        waiting: asyncio.Queue = asyncio.Queue()
        chance = scene.random
        scene.on_promise = lambda _delivery, run: waiting.put_nowait((run, chance.uniform(0, 0.4)))
        senders = [asyncio.create_task(send_signals(house, waiting, answers)) for _ in range(SENDERS)]
        await scene.accepted(INTERLEAVINGS)
        scene.over.set()
        await asyncio.sleep(1)  # the last deliveries are still on their way
        await waiting.join()
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    load = Load(clients=8, pause_seconds=0.04, effect_seconds=0.02)
    tally = chaos(faults, scenario=13, load=load, define=signalled, converges_in=120)

    tally.part = SIGNALS
    woken, wrong = house.rows(TAKEN, tally.workflow)[0]
    tally.more |= {
        "interleavings": woken,
        "woken otherwise than once": wrong,
        "answers": ", ".join(f"{count} × {status}" for status, count in sorted(answers.items())),
    }
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert wrong == 0
    assert woken == len(tally.accepted) >= INTERLEAVINGS
    assert set(answers) <= {200, 202, 409}  # 409: the run had ended when the second copy came


async def send_signals(house, waiting, answers):
    client = Client(house.address)
    try:
        while True:
            run, delay = await waiting.get()
            await send_twice(client, house.product.key, run, delay, answers)
            waiting.task_done()
    finally:
        await client.close()


async def send_twice(client, key, run, delay, answers):
    """The same signal twice, the second time right away or a little later."""
    await asyncio.sleep(delay)
    body = orjson.dumps({"payload": {"run": run}, "key": f"once-{SEED}"})
    for pause in (0.0, delay / 4):
        await asyncio.sleep(pause)
        answer = await client.request("POST", f"{API}/runs/{run}/signals/go", body, f"Authorization: Bearer {key}\r\n")
        answers[answer.status] += 1
