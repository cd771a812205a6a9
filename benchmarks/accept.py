"""Accept: deliveries that are stored and answered, whatever becomes of their runs. As many as go, then at a pace."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from benchmarks import loads
from benchmarks.cpu import cpu_by_role
from benchmarks.figures import milliseconds
from benchmarks.product import Hook
from benchmarks.wire import Client

TAKEN = 202


def definition() -> dict[str, Any]:
    """One step without an effect: what is measured is the door."""
    return {
        "schema": 1,
        "steps": [{"id": "note", "uses": "transform", "with": {"set": {"id": "{{ trigger.body.id }}"}}}],
    }


async def as_many_as_go(hook: Hook, *, clients: int, seconds: float, roots: dict[str, int]) -> dict[str, Any]:
    """Each client sends its next delivery when it was answered."""
    await _closed(hook, clients=clients, seconds=min(2.0, seconds / 4))
    before, started = cpu_by_role(roots), time.perf_counter()
    spans, refused = await _closed(hook, clients=clients, seconds=seconds)
    elapsed, after = time.perf_counter() - started, cpu_by_role(roots)
    per_delivery = {role: round((after[role] - before[role]) / max(len(spans), 1) * 1000, 2) for role in roots}
    return {
        "clients": clients,
        "accepted": len(spans),
        "accepted_per_second": round(len(spans) / elapsed, 1),
        "cpu_ms_per_delivery": per_delivery,
        "accept": milliseconds(spans),
        "refused": refused,
    }


async def at_a_pace(hook: Hook, *, per_second: float, seconds: float) -> dict[str, Any]:
    """Deliveries at a steady pace, whatever comes back."""
    idle = [Client(hook.address) for _ in range(16)]
    spans: list[float] = []
    refused = 0

    async def one(number: int) -> None:
        nonlocal refused
        client = idle.pop() if idle else Client(hook.address)
        status, span = await _deliver(client, hook, f"pace-{time.time_ns()}-{number}")
        idle.append(client)
        spans.append(span)
        refused += status != TAKEN

    tasks, next_at = [], time.perf_counter()
    for number in range(int(per_second * seconds)):
        tasks.append(asyncio.create_task(one(number)))
        next_at += 1 / per_second
        await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
    await asyncio.gather(*tasks)
    for client in idle:
        await client.close()
    return {"per_second": per_second, "accept": milliseconds(spans), "refused": refused}


async def _closed(hook: Hook, *, clients: int, seconds: float) -> tuple[list[float], int]:
    ends_at, spans = time.perf_counter() + seconds, []
    refused = 0

    async def one(number: int) -> None:
        nonlocal refused
        client = Client(hook.address)
        while time.perf_counter() < ends_at:
            status, span = await _deliver(client, hook, f"many-{time.time_ns()}-{number}")
            spans.append(span)
            refused += status != TAKEN
        await client.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return spans, refused


async def _deliver(client: Client, hook: Hook, delivery: str) -> tuple[int, float]:
    body = json.dumps({"id": delivery, **loads.BODY}).encode()
    started = time.perf_counter()
    answer = await client.request("POST", hook.path, body, hook.headers(body, delivery))
    return answer.status, time.perf_counter() - started
