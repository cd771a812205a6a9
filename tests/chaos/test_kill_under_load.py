"""16 clients at once, a worker killed in the middle: every 202 ends once, every effect is seen."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter, defaultdict

import orjson
import pytest
from django.db import connection, connections

from automation.engine.status import RunStatus
from automation.models import Run
from benchmarks import loads
from benchmarks.wire import Client, Receiver, header
from tests.live import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.chaos_short, pytest.mark.timeout(240)]

CLIENTS = 16
SECONDS = float(os.environ.get("CHAOS_SECONDS", "30"))
SLOTS = 32


class Effects:
    """An append-only ledger of what the receiver saw: delivery id → idempotency keys."""

    def __init__(self) -> None:
        self.keys: dict[str, Counter[bytes]] = defaultdict(Counter)

    async def note(self, head: bytes, body: bytes) -> None:
        self.keys[orjson.loads(body)["id"]][header(head, b"idempotency-key")] += 1
        await asyncio.sleep(0.01)


async def load(hook, accepted: dict[str, str], *, seconds: float) -> None:
    """Clients that send as fast as they are answered, and note each 202 with its run."""
    ends_at = time.monotonic() + seconds

    async def one(number: int) -> None:
        client, count = Client(hook.address), 0
        while time.monotonic() < ends_at:
            delivery = f"{number}-{count}"
            body = orjson.dumps({"id": delivery, **loads.BODY})
            answer = await client.request("POST", hook.path, body, hook.headers(body, delivery))
            if answer.status == 202:
                accepted[delivery] = orjson.loads(answer.body)["run"]
            count += 1
        await client.close()

    await asyncio.gather(*(one(number) for number in range(CLIENTS)))


async def in_thread(work, *arguments, **options):
    """Run blocking work beside the event loop; its thread keeps no database connection."""

    def run():
        try:
            return work(*arguments, **options)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def open_runs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from automation_run where status < 50")
        return cursor.fetchone()[0]


def test_every_202_ends_once_and_every_effect_is_seen_although_a_worker_is_killed(product, workers):
    effects, accepted = Effects(), {}

    async def run() -> None:
        receiver = Receiver(effects.note)
        await receiver.start()
        workers.allow(f"127.0.0.1:{receiver.port}")
        victim, _ = await in_thread(workers.start, 2)
        workflow = await in_thread(product.workflow, "Load", loads.w3(f"http://127.0.0.1:{receiver.port}/"))
        hook = await in_thread(product.hook, workflow)
        loading = asyncio.create_task(load(hook, accepted, seconds=SECONDS))
        await asyncio.sleep(SECONDS / 2)
        victim.send_signal(signal.SIGKILL)
        await loading
        await in_thread(wait_until, lambda: open_runs() == 0, seconds=60)
        receiver.close()
        await asyncio.sleep(0.1)

    asyncio.run(run())

    final = dict(Run.objects.values_list("uid", "status"))
    assert {str(uid) for uid in final} == set(accepted.values())  # nothing lost, nothing that was not accepted
    assert set(final.values()) == {RunStatus.SUCCEEDED}
    assert set(Run.objects.values_list("finishes", flat=True)) == {1}
    assert set(effects.keys) == set(accepted)
    assert all(len(keys) == 1 for keys in effects.keys.values())  # a repeat carries the same key
    repeated = sum(keys.total() - 1 for keys in effects.keys.values())
    assert repeated <= SLOTS  # only what was in flight at the kill
    print(f"accepted {len(accepted)}, repeated effects {repeated}")
