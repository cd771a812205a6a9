"""Crash: runs whose second step waits on the receiver; kill -9 of every worker; how many finish, and when."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from typing import Any

from benchmarks import loads
from benchmarks.cpu import processes
from benchmarks.product import Hook, Product
from benchmarks.wire import Client, Receiver

RUNS = 20
STEP_SECONDS = 5.0
FINAL = {"succeeded", "failed", "cancelled", "timed_out"}


async def measure(product: Product, hook: Hook, workflow: str, receiver: Receiver) -> dict[str, Any]:
    """Start the runs, kill the workers in the middle of the slow step (their supervisor restarts them), count."""
    arrived: Counter[bytes] = Counter()

    async def slow(_head: bytes, body: bytes) -> None:
        arrived[body] += 1
        await asyncio.sleep(STEP_SECONDS)

    receiver.on_request = slow
    client = Client(hook.address)
    for number in range(RUNS):
        body = b'{"id": "crash-%d-%d", "name": "x", "amount": 21.5, "tags": ["a"]}' % (time.time_ns(), number)
        answer = await client.request("POST", hook.path, body, hook.headers(body, f"crash-{time.time_ns()}-{number}"))
        if answer.status != 202:
            raise RuntimeError(f"the delivery was refused: {answer.status} {answer.body!r}")
    while len(arrived) < RUNS:
        await asyncio.sleep(0.05)
    killed_at = time.perf_counter()
    killed = _kill_workers()
    statuses: Counter[str] = Counter()
    while statuses.total() < RUNS or not set(statuses) <= FINAL:
        await asyncio.sleep(0.2)
        runs = await asyncio.to_thread(product.call, "GET", f"/workflows/{workflow}/runs?limit={RUNS}")
        statuses = Counter(run["status"] for run in runs["results"][:RUNS])
        if time.perf_counter() - killed_at > 120:
            break
    return {
        "runs": RUNS,
        "killed_processes": killed,
        "statuses": dict(statuses),
        "seconds": round(time.perf_counter() - killed_at, 1),
        "effects": arrived.total(),
    }


def _kill_workers() -> int:
    victims = [
        process.pid for process in processes().values() if "celery" in process.command and " worker" in process.command
    ]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    return len(victims)


def definition(receiver: str) -> dict[str, Any]:
    """The common work: its POST is the step that waits."""
    return loads.w3(receiver)
