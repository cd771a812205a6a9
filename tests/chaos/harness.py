"""Load with a memory: what clients were promised, what the outside saw, and what the database says in the end."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks import loads
from benchmarks.product import Hook
from benchmarks.wire import Answer, Client, Receiver, header
from tests.chaos.house import House

CLIENTS = 8
PAUSE_SECONDS = 0.08  # of a client between two deliveries: about 80 a second in all
EFFECT_SECONDS = 0.05
SEED = int(os.environ.get("CHAOS_SEED", "1"))
CONVERGES_IN_SECONDS = 45
HELD = (200, 202)  # accepted now, or accepted before under the same delivery id


@dataclass
class Tally:
    """What one scenario counted."""

    accepted: dict[str, str] = field(default_factory=dict)  # delivery → run: the clients' log of 202s
    effects: dict[str, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    answers: list[tuple[float, float, int]] = field(default_factory=list)  # sent at, seconds, status (0 = none)
    faults: int = 0
    lost: int = 0  # promised, and not succeeded once everything came to rest
    doubled: int = 0  # runs beyond one per delivery, or finished more than once
    failed: int = 0
    converged_seconds: float = 0.0

    @property
    def repeated(self) -> int:
        """Effects beyond the first of each delivery."""
        return sum(keys.total() - 1 for keys in self.effects.values())

    @property
    def keys_are_stable(self) -> bool:
        """A repeated effect carries the key of the first."""
        return all(len(keys) == 1 for keys in self.effects.values())

    def slowest(self, share: float, *, since: float = 0, until: float = float("inf")) -> float:
        """The quantile `share` of the answers' seconds."""
        seconds = sorted(taken for at, taken, _ in self.answers if since <= at < until)
        return seconds[min(len(seconds) - 1, int(share * len(seconds)))]

    def statuses(self, *, since: float = 0, until: float = float("inf")) -> set[int]:
        return {status for at, _, status in self.answers if since <= at < until}

    def line(self, name: str) -> str:
        return (
            f"{name}: accepted {len(self.accepted)}, faults {self.faults}, lost {self.lost}, doubled {self.doubled}, "
            f"failed {self.failed}, repeated effects {self.repeated}, answers p99 {self.slowest(0.99) * 1000:.0f} ms, "
            f"at rest {self.converged_seconds:.1f} s after the last delivery, seed {SEED}"
        )


@dataclass
class Scene:
    """What a fault may use."""

    house: House
    tally: Tally
    allow: str
    random: random.Random

    async def start_worker(self) -> Any:
        return await asyncio.to_thread(self.house.start_worker, self.allow)


Faults = Callable[[Scene], Awaitable[None]]


async def play(house: House, faults: Faults, *, workers: int) -> Tally:
    """Send deliveries for as long as `faults` lasts, wait until everything came to rest, and count."""
    tally = Tally()

    async def note(head: bytes, body: bytes) -> None:
        tally.effects[orjson.loads(body)["id"]][header(head, b"idempotency-key")] += 1
        await asyncio.sleep(EFFECT_SECONDS)

    receiver = Receiver(note)
    await receiver.start()
    allow = f"127.0.0.1:{receiver.port}"
    scene = Scene(house, tally, allow, random.Random(SEED))
    for _ in range(workers):
        await scene.start_worker()
    workflow = await asyncio.to_thread(house.product.workflow, "Load", loads.w3(f"http://{allow}/"))
    hook = await asyncio.to_thread(house.product.hook, workflow)
    over = asyncio.Event()
    clients = [asyncio.create_task(_send(hook, tally, number, over)) for number in range(CLIENTS)]
    try:
        await faults(scene)
    finally:
        over.set()
        await asyncio.gather(*clients)
    await _rest(house, workflow, tally)
    receiver.close()
    await asyncio.sleep(0.1)
    _count(house, workflow, tally)
    return tally


async def _send(hook: Hook, tally: Tally, number: int, over: asyncio.Event) -> None:
    """Deliver as senders of webhooks do: the same delivery again until it was taken."""
    client, count = Client(hook.address), 0
    while not over.is_set():
        delivery = f"{number}-{count}"
        while not await _deliver(client, hook, tally, delivery):
            await asyncio.sleep(0.25)
        count += 1
        await asyncio.sleep(PAUSE_SECONDS)
    await client.close()


async def _deliver(client: Client, hook: Hook, tally: Tally, delivery: str) -> bool:
    body = orjson.dumps({"id": delivery, **loads.BODY})
    sent_at = time.monotonic()
    try:
        request = client.request("POST", hook.path, body, hook.headers(body, delivery))
        answer: Answer | None = await asyncio.wait_for(request, 20)
    except (OSError, TimeoutError):
        await client.close()
        answer = None
    tally.answers.append((sent_at, time.monotonic() - sent_at, answer.status if answer else 0))
    if answer is None or answer.status not in HELD:
        return False
    tally.accepted[delivery] = orjson.loads(answer.body)["run"]
    return True


async def _rest(house: House, workflow: str, tally: Tally) -> None:
    began = time.monotonic()
    while await asyncio.to_thread(house.count, "workflow_id = %s and status < 50", workflow):
        assert time.monotonic() - began < CONVERGES_IN_SECONDS, "runs are still open"
        await asyncio.sleep(0.1)
    tally.converged_seconds = time.monotonic() - began


def _count(house: House, workflow: str, tally: Tally) -> None:
    rows = house.rows("select uid::text, status, finishes from automation_run where workflow_id = %s", workflow)
    succeeded = {uid for uid, status, _ in rows if status == 50}
    promised = set(tally.accepted.values())
    unseen = set(tally.accepted) - set(tally.effects)
    tally.lost = len(promised - succeeded) + len(unseen)
    tally.doubled = len({uid for uid, _, _ in rows} - promised) + sum(finishes != 1 for _, _, finishes in rows)
    tally.failed = len(rows) - len(succeeded)
