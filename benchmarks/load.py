"""`make load`: many workflows at once, as an installation has them, with a report of what was kept and how fast.

Webhooks (signed), API starts, callers that wait for the answer, loops, sleeping runs and schedules share one
installation with the product's default settings. In the end three books are compared: what clients were promised,
what the receiver saw, and what the API says of every run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import load_shapes
from benchmarks.cpu import cpu_by_role, memory_megabytes
from benchmarks.figures import machine, milliseconds, percentile
from benchmarks.installation import Installation, installed
from benchmarks.load_report import markdown
from benchmarks.load_shapes import Shape
from benchmarks.product import Product
from benchmarks.wire import Client, Receiver

RECEIVER_PORT = 9396
SETTLES_IN_SECONDS = 120
SCHEDULES = 10


@dataclass
class Books:
    """What clients were promised and what the receiver saw."""

    promised: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # shape → run ids
    accept_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: Counter[int] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)  # by the id that a run sends

    def note_effect(self, _head: bytes, body: bytes) -> None:
        """Count one call of the receiver."""
        self.effects[json.loads(body)["id"]] += 1


async def drive(place: Installation, *, clients: int, seconds: float, pause: float) -> dict[str, Any]:
    """Load the installation for so long, wait until it is at rest, and compare the books."""
    books = Books()
    receiver = Receiver(books.note_effect, port=RECEIVER_PORT)
    await receiver.start()
    shapes = load_shapes.install(place.product, f"http://127.0.0.1:{RECEIVER_PORT}/")
    scheduled = load_shapes.schedule(place.product, f"http://127.0.0.1:{RECEIVER_PORT}/", triggers=SCHEDULES)
    since, began, before = time.time(), time.perf_counter(), cpu_by_role(place.roots)
    peak = [0.0]
    watcher = asyncio.create_task(_watch_memory(place.roots, peak))
    ends_at = began + seconds
    await asyncio.gather(
        *(_client(shapes[n % len(shapes)], place.product, books, n, ends_at, pause) for n in range(clients))
    )
    elapsed = time.perf_counter() - began
    scheduled.stop()
    slots = int(time.time() // 60 - since // 60) * SCHEDULES
    after = cpu_by_role(place.roots)
    rest = await _settle(place.product, [shape.workflow for shape in shapes] + [scheduled.workflow])
    watcher.cancel()
    receiver.close()
    runs = {shape.name: _runs(place.product, shape.workflow) for shape in shapes}
    fired = _runs(place.product, scheduled.workflow)
    return {
        "machine": machine(),
        "clients": clients,
        "pause_seconds": pause,
        "seconds": round(elapsed, 1),
        "settled_after_seconds": round(rest, 1),
        "shapes": {shape.name: _figures(shape, runs[shape.name], books, elapsed) for shape in shapes},
        "schedules": {"slots": slots, "runs": len(fired), "effects": sum(books.effects[run["id"]] for run in fired)},
        "accepted_per_second": round(sum(map(len, runs.values())) / elapsed, 1),
        "ended_per_second": round(sum(map(len, runs.values())) / (elapsed + rest), 1),
        "answers": {str(status): count for status, count in sorted(books.answers.items())},
        "cpu_seconds": {role: round(after[role] - before[role], 1) for role in place.roots},
        "memory_mb_peak": round(peak[0]),
        "lost": _lost(shapes, runs, books) + max(0, slots - len(fired)),
        "doubled": _doubled(shapes, runs, books) + max(0, len(fired) - slots),
    }


async def _client(shape: Shape, product: Product, books: Books, number: int, ends_at: float, pause: float) -> None:
    client, sent = Client(product.address), 0
    while time.perf_counter() < ends_at:
        request = shape.request(f"{number}-{sent}")
        sent += 1
        started = time.perf_counter()
        answer = await client.request("POST", request.path, request.body, request.headers)
        books.accept_seconds[shape.name].append(time.perf_counter() - started)
        books.answers[answer.status] += 1
        if answer.status in (200, 202):
            said = json.loads(answer.body)
            books.promised[shape.name].add(said.get("run") or said["id"])
        else:
            await asyncio.sleep(0.2)
        await asyncio.sleep(pause)
    await client.close()


async def _watch_memory(roots: dict[str, int], peak: list[float]) -> None:
    ours = {role: pid for role, pid in roots.items() if role != "load"}
    while True:
        peak[0] = max(peak[0], await asyncio.to_thread(memory_megabytes, ours))
        await asyncio.sleep(2)


async def _settle(product: Product, workflows: list[str]) -> float:
    """Wait until no run of these is open; seconds it took."""
    began = time.perf_counter()
    for workflow in workflows:
        for status in ("queued", "running", "waiting"):
            path = f"/workflows/{workflow}/runs?status={status}&limit=1"
            while (await asyncio.to_thread(product.call, "GET", path))["results"]:
                if time.perf_counter() - began > SETTLES_IN_SECONDS:
                    raise TimeoutError(f"{workflow} has {status} runs after {SETTLES_IN_SECONDS} s")
                await asyncio.sleep(0.2)
    return time.perf_counter() - began


def _runs(product: Product, workflow: str) -> list[dict[str, Any]]:
    """Every run of a workflow, page by page."""
    found: list[dict[str, Any]] = []
    path: str | None = f"/workflows/{workflow}/runs?limit=200"
    while path:
        page = product.call("GET", path)
        found += page["results"]
        path = page["next"] and page["next"].partition("/api/v1/automation")[2]
    return found


def _figures(shape: Shape, runs: list[dict[str, Any]], books: Books, elapsed: float) -> dict[str, Any]:
    lasted = [_seconds(run) for run in runs if run["finished_at"]]
    return {
        "what": shape.what,
        "runs": len(runs),
        "per_second": round(len(runs) / elapsed, 1),
        "failed": sum(run["status"] != "succeeded" for run in runs),
        "accept": milliseconds(books.accept_seconds[shape.name]),
        "accepted_to_finished": milliseconds(lasted),
        "longest_seconds": round(percentile(lasted, 1.0), 2),
    }


def _lost(shapes: list[Shape], runs: dict[str, list[dict[str, Any]]], books: Books) -> int:
    """Runs that clients were promised and that have not succeeded, and effects that nobody saw."""
    lost = 0
    for shape in shapes:
        succeeded = {run["id"] for run in runs[shape.name] if run["status"] == "succeeded"}
        lost += len(books.promised[shape.name] - succeeded)
        lost += sum(not books.effects[run] for run in succeeded) if shape.has_effect else 0
    return lost


def _doubled(shapes: list[Shape], runs: dict[str, list[dict[str, Any]]], books: Books) -> int:
    """Runs that nobody was promised, and effects beyond the first of a run."""
    strange = sum(len({run["id"] for run in runs[shape.name]} - books.promised[shape.name]) for shape in shapes)
    return strange + sum(count - 1 for count in books.effects.values() if count > 1)


def _seconds(run: dict[str, Any]) -> float:
    created, finished = (datetime.fromisoformat(run[name]) for name in ("created_at", "finished_at"))
    return (finished - created).total_seconds()


def main() -> None:
    """Load, print the report, and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=18, help="at once, shared among the shapes (18)")
    parser.add_argument("--seconds", type=float, default=90, help="how long they send (90)")
    parser.add_argument(
        "--pause", type=float, default=0.25, help="seconds of each client between two; 0 = a flood (0.25)"
    )
    parser.add_argument("--report", type=Path, help="a file for the report; .json for the figures, else Markdown")
    parser.add_argument("--data", type=Path, help="data folder of the installation (default: a temporary one)")
    options = parser.parse_args()
    with installed(options.data, allow=f"127.0.0.1:{RECEIVER_PORT}") as place:
        figures = asyncio.run(drive(place, clients=options.clients, seconds=options.seconds, pause=options.pause))
    print(markdown(figures))
    if options.report:
        is_json = options.report.suffix == ".json"
        options.report.write_text(json.dumps(figures, indent=2) + "\n" if is_json else markdown(figures))
    if figures["lost"] or figures["doubled"]:
        raise SystemExit(f"Lost {figures['lost']}, doubled {figures['doubled']}.")


if __name__ == "__main__":
    main()
