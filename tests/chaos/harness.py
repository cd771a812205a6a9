"""Load with a memory: what clients were promised, what the outside saw, and what the database says in the end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.product import Hook
from benchmarks.wire import Answer, Client, Receiver, header
from tests.chaos.counting import Tally, count
from tests.chaos.figures import SEED
from tests.chaos.house import House, Process
from tests.chaos.ledger import Ledger
from tests.chaos.loads import BODY, Load, two_effects

CONVERGES_IN_SECONDS = 45
HELD = (200, 202)  # accepted now, or accepted before under the same delivery id


@dataclass
class Scene:
    """What a fault may use."""

    house: House
    tally: Tally
    ledger: Ledger
    allow: str
    hook: Hook
    workflow: str
    options: dict[str, Any] = field(default_factory=dict)  # of workers started from now on
    on_promise: Callable[[str, str], Any] = lambda _delivery, _run: None  # told of each delivery's first 202
    over: asyncio.Event = field(default_factory=asyncio.Event)  # clients deliver nothing new any more
    deaths: int = 0  # of workers that nobody here killed
    random: random.Random = field(default_factory=lambda: random.Random(SEED))

    async def start_worker(self, **options: Any) -> Process:
        began = time.monotonic()
        worker = await asyncio.to_thread(self.house.start_worker, self.allow, **(self.options | options))
        self.tally.slowest_start = max(self.tally.slowest_start, time.monotonic() - began)
        return worker

    async def kill(self, *workers: Process) -> None:
        """SIGKILL at the same moment; note what the victims held and which results were stored."""
        for worker in workers:
            worker.kill()
        killed_at = time.time()
        for worker in workers:
            await asyncio.to_thread(worker.wait)
            if worker in self.house.workers:
                self.house.workers.remove(worker)
        self.tally.faults += len(workers)
        await self.note_held(killed_at, [worker.pid for worker in workers])

    async def note_held(self, at: float, pids: list[int]) -> set[int]:
        """Remember what these processes hold from now on in vain; returns the runs' inner ids."""
        held = await asyncio.to_thread(self.house.held_by, pids)
        stored = await asyncio.to_thread(self.house.stored_steps, list(held))
        self.tally.interrupted |= dict.fromkeys(held, at)
        self.tally.stored |= dict.fromkeys(stored, at)
        return set(held)

    async def replace(self) -> None:
        """Start a worker for each that is gone, as a supervisor does, for as long as the scene lasts."""
        wanted = len(self.house.workers)
        while True:
            for worker in [worker for worker in self.house.workers if worker.poll() is not None]:
                self.house.workers.remove(worker)
                self.deaths += 1
            missing = wanted - len(self.house.workers)
            await asyncio.gather(*(self.start_worker() for _ in range(missing)))
            await asyncio.sleep(0.1)

    async def accepted(self, number: int) -> None:
        """Wait until clients hold that many promises."""
        while len(self.tally.accepted) < number:
            await asyncio.sleep(0.02)


Faults = Callable[[Scene], Awaitable[None]]


async def play(
    house: House,
    faults: Faults,
    *,
    scenario: int,
    workers: int = 2,
    load: Load | None = None,
    define: Callable[[str], dict[str, Any]] = two_effects,
    listen: str = "127.0.0.1",
    converges_in: float | None = None,
    **options: Any,
) -> Tally:
    """Send deliveries for as long as `faults` lasts, wait until everything came to rest, and count.

    `define` makes the workflow for a target, `listen` is the target's address, `options` go to every worker.
    """
    load, ledger = load or Load(), Ledger(scenario)
    receiver = Receiver(_noting(ledger, load.effect_seconds), host=listen)
    await receiver.start()
    allow = f"{listen}:{receiver.port}"
    scene = await asyncio.to_thread(_set, house, Tally(scenario, converges_in=converges_in), ledger, allow, define)
    scene.options |= options
    try:
        for _ in range(workers):
            await scene.start_worker()
        await _under_load(scene, load, faults)
        await _rest(scene)
    finally:
        receiver.close()
        await asyncio.sleep(0.1)
        ledger.close()
    count(house, scene.workflow, scene.tally, ledger)
    return scene.tally


async def _under_load(scene: Scene, load: Load, faults: Faults) -> None:
    clients = [asyncio.create_task(_send(scene, load, number)) for number in range(load.clients)]
    try:
        await faults(scene)
    finally:
        scene.over.set()
        await asyncio.gather(*clients)


def _set(house: House, tally: Tally, ledger: Ledger, allow: str, define: Callable[[str], dict[str, Any]]) -> Scene:
    definition = define(f"http://{allow}/")
    tally.steps = tuple(step["id"] for step in definition["steps"] if step.get("uses") == "http.request")
    workflow = tally.workflow = house.product.workflow("Load", definition)
    return Scene(house, tally, ledger, allow, house.product.hook(workflow), workflow)


def _noting(ledger: Ledger, seconds: float) -> Callable[[bytes, bytes], Awaitable[None]]:
    async def note(head: bytes, body: bytes) -> None:
        effect = orjson.loads(body)
        key = header(head, b"idempotency-key").decode()
        ledger.note(effect["id"], effect["step"], effect["claim"], key)
        await asyncio.sleep(seconds)

    return note


async def _send(scene: Scene, load: Load, number: int) -> None:
    """Deliver as senders of webhooks do: the same delivery again until it was taken."""
    chance = random.Random(f"{SEED}-{number}")
    clients = [Client(scene.hook.address) for _ in range(load.copies)]
    sent = 0
    while not scene.over.is_set():
        delivery = f"{number}-{sent}"
        body = orjson.dumps({"id": delivery, **BODY, **load.extra(chance)})
        while not any(
            await asyncio.gather(
                *(_deliver(client, scene, delivery, body, load.patience(chance)) for client in clients)
            )
        ):
            await asyncio.sleep(0.25)
        sent += 1
        await asyncio.sleep(load.pause_seconds)
    for client in clients:
        await client.close()


async def _deliver(client: Client, scene: Scene, delivery: str, body: bytes, patience: float) -> bool:
    hook, sent_at = scene.hook, time.monotonic()
    answer: Answer | None = None
    with suppress(OSError, TimeoutError):
        request = client.request("POST", hook.path, body, hook.headers(body, delivery))
        answer = await asyncio.wait_for(request, patience)
    if answer is None:
        await client.close()
    scene.tally.answers.append((sent_at, time.monotonic() - sent_at, answer.status if answer else 0))
    if answer is None or answer.status not in HELD:
        return False
    run = orjson.loads(answer.body)["run"]
    scene.ledger.promise(delivery, run)
    if delivery not in scene.tally.accepted:
        scene.tally.accepted.add(delivery)
        scene.on_promise(delivery, run)
    return True


async def _rest(scene: Scene) -> None:
    began = time.monotonic()
    limit = scene.tally.converges_in or CONVERGES_IN_SECONDS
    open_runs = "workflow_id = %s and status < 50"
    while await asyncio.to_thread(scene.house.count, open_runs, scene.workflow):
        assert time.monotonic() - began < limit, "runs are still open"
        await asyncio.sleep(0.1)
    scene.tally.rest = time.monotonic() - began
