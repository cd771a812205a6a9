"""W3, the common work: webhook in, three steps, POST out. Closed loop, then paced, then idle."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks import loads
from benchmarks.cpu import cpu_by_role
from benchmarks.figures import milliseconds
from benchmarks.product import Hook
from benchmarks.wire import Client, Receiver


@dataclass
class Ledger:
    """What was sent and what arrived, by delivery id."""

    sent_at: dict[str, float] = field(default_factory=dict)
    accept_seconds: list[float] = field(default_factory=list)
    effect_seconds: list[float] = field(default_factory=list)
    refused: int = 0
    arrivals: dict[str, asyncio.Event] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def on_request(self, _head: bytes, body: bytes) -> None:
        """Note an effect at the receiver."""
        delivery = json.loads(body)["id"]
        self.seen[delivery] = self.seen.get(delivery, 0) + 1
        if delivery in self.sent_at and self.seen[delivery] == 1:
            self.effect_seconds.append(time.perf_counter() - self.sent_at[delivery])
        if (event := self.arrivals.get(delivery)) is not None:
            event.set()

    async def deliver(self, client: Client, hook: Hook, delivery: str, extra: dict[str, Any], *, wait: float) -> bool:
        """Send one delivery; with `wait` stay until its effect arrived. False when it was refused or is late."""
        body = json.dumps({"id": delivery, **loads.BODY, **extra}).encode()
        arrival = self.arrivals[delivery] = asyncio.Event()
        self.sent_at[delivery] = started = time.perf_counter()
        answer = await client.request("POST", hook.path, body, hook.headers(body, delivery))
        self.accept_seconds.append(time.perf_counter() - started)
        if answer.status != 202:
            self.refused += 1
            return False
        if wait:
            try:
                await asyncio.wait_for(arrival.wait(), wait)
            except TimeoutError:
                return False
        self.arrivals.pop(delivery, None)
        return True


async def closed_loop(
    receiver: Receiver,
    hook: Hook,
    *,
    clients: int,
    seconds: float,
    roots: dict[str, int],
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Each client sends its next delivery when the receiver got its last."""
    ledger = Ledger()
    receiver.on_request = ledger.on_request
    await _loop(ledger, hook, clients=clients, seconds=min(2.0, seconds / 4), name="warm", extra=extra)
    before, started = cpu_by_role(roots), time.perf_counter()
    done = await _loop(ledger, hook, clients=clients, seconds=seconds, name="load", extra=extra)
    elapsed, after = time.perf_counter() - started, cpu_by_role(roots)
    per_run = {role: round((after[role] - before[role]) / max(done, 1) * 1000, 2) for role in roots}
    return {
        "clients": clients,
        "runs": done,
        "runs_per_second": round(done / elapsed, 1),
        "cpu_ms_per_run": per_run,
        "cpu_ms_per_run_product": round(sum(value for role, value in per_run.items() if role != "load"), 2),
        "accept": milliseconds(ledger.accept_seconds),
        "effect": milliseconds(ledger.effect_seconds),
        "refused": ledger.refused,
        "doubled": sum(1 for count in ledger.seen.values() if count > 1),
    }


async def _loop(
    ledger: Ledger, hook: Hook, *, clients: int, seconds: float, name: str, extra: dict[str, Any] | None
) -> int:
    ends_at = time.perf_counter() + seconds

    async def one(number: int) -> int:
        client, done = Client(hook.address), 0
        while time.perf_counter() < ends_at:
            done += await ledger.deliver(client, hook, f"{name}-{started}-{number}-{done}", extra or {}, wait=30)
        await client.close()
        return done

    started = time.time_ns()
    return sum(await asyncio.gather(*(one(number) for number in range(clients))))


async def paced(receiver: Receiver, hook: Hook, *, per_second: float, seconds: float) -> dict[str, Any]:
    """Deliveries at a steady pace, whatever comes back."""
    ledger = Ledger()
    receiver.on_request = ledger.on_request
    idle = [Client(hook.address) for _ in range(8)]
    pending: set[asyncio.Task[None]] = set()
    started = time.time_ns()

    async def one(number: int) -> None:
        client = idle.pop() if idle else Client(hook.address)
        await ledger.deliver(client, hook, f"paced-{started}-{number}", {}, wait=30)
        idle.append(client)

    next_at = time.perf_counter()
    for number in range(int(per_second * seconds)):
        task = asyncio.create_task(one(number))
        pending.add(task)
        task.add_done_callback(pending.discard)
        next_at += 1 / per_second
        await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
    await asyncio.gather(*pending)
    for client in idle:
        await client.close()
    return {
        "per_second": per_second,
        "accept": milliseconds(ledger.accept_seconds),
        "effect": milliseconds(ledger.effect_seconds),
        "refused": ledger.refused,
    }
