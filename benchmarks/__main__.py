"""`make bench`: every figure, on this machine, in one run.

Without --url it starts an installation of its own from this checkout with the product's default settings and
measures its processes' CPU too. With --url and --key it drives any installation that may call the receiver.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import accept, crash, loads, w3
from benchmarks.cpu import memory_megabytes
from benchmarks.figures import machine, milliseconds, show
from benchmarks.installation import Installation, installed
from benchmarks.product import Product
from benchmarks.wire import Client, Receiver

RECEIVER_PORT = 9398
ENGINE_ALONE = ("engine", "crowds", "api", "exchange")
EVERYTHING = ("start", "idle", "accept", "w3", "w1k", "chain50", "crash", *ENGINE_ALONE)


async def measure(product: Product, roots: dict[str, int], wanted: set[str], seconds: float) -> None:
    """Run what is wanted of the figures that go through the front door."""
    receiver = Receiver(lambda _head, _body: None, port=RECEIVER_PORT)
    await receiver.start()
    url = f"http://127.0.0.1:{receiver.port}/"
    if "idle" in wanted:
        show("idle", await _idle(product, roots))
    if "accept" in wanted:
        hook = product.hook(product.workflow("Accept", accept.definition()))
        show("accept_as_many_as_go", await accept.as_many_as_go(hook, clients=16, seconds=seconds / 2, roots=roots))
        show("accept_at_100_per_second", await accept.at_a_pace(hook, per_second=100, seconds=seconds / 2))
    if "w3" in wanted:
        hook = product.hook(product.workflow("W3", loads.w3(url)))
        show("w3_closed_loop", await w3.closed_loop(receiver, hook, clients=16, seconds=seconds, roots=roots))
        show("w3_at_50_per_second", await w3.paced(receiver, hook, per_second=50, seconds=seconds / 2))
        show("w3_at_5_per_second", await w3.paced(receiver, hook, per_second=5, seconds=seconds / 2))
    if "w1k" in wanted:
        hook = product.hook(product.workflow("W1k", loads.w1k(url)))
        items = {"items": [{"n": number} for number in range(1000)]}
        show("w1k", await w3.closed_loop(receiver, hook, clients=1, seconds=seconds / 4, roots=roots, extra=items))
    if "chain50" in wanted:
        hook = product.hook(product.workflow("Chain50", loads.chain(url)))
        show("chain50", await w3.closed_loop(receiver, hook, clients=1, seconds=seconds / 4, roots=roots))
    if "crash" in wanted and roots:
        workflow = product.workflow("Crash", crash.definition(url))
        show("crash", await crash.measure(product, product.hook(workflow), workflow, receiver))
    receiver.close()


async def _idle(product: Product, roots: dict[str, int]) -> dict[str, Any]:
    """Memory at rest, and accepted → finished of three pure steps through `?wait=`."""
    megabytes = memory_megabytes({role: pid for role, pid in roots.items() if role != "load"})
    definition = loads.chain("http://127.0.0.1:1/", length=3)
    definition["steps"].pop()
    workflow = product.workflow("Three pure steps", definition)
    spans, client = [], Client(product.address)
    for _ in range(40):
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        await client.request(
            "POST",
            f"/api/v1/automation/workflows/{workflow}/execute?wait=10",
            b"{}",
            f"Authorization: Bearer {product.key}\r\n",
        )
        spans.append(time.perf_counter() - started)
    await client.close()
    runs = product.call("GET", f"/workflows/{workflow}/runs?limit=40")["results"]
    return {
        "memory_mb": round(megabytes, 1),
        "three_pure_steps_request_to_result": milliseconds(spans),
        "three_pure_steps_accepted_to_finished": milliseconds([_seconds(run) for run in runs]),
    }


def _seconds(run: dict[str, Any]) -> float:
    """From the run's acceptance to its end, on the database's clock."""
    created, finished = (datetime.fromisoformat(run[name]) for name in ("created_at", "finished_at"))
    return (finished - created).total_seconds()


def main() -> None:
    """Parse, measure, print one line of JSON per figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--url", help="an installation to drive, for example http://127.0.0.1:8000")
    parser.add_argument("--key", help="an API key of it that may create workflows and triggers")
    parser.add_argument("--only", default=",".join(EVERYTHING), help=f"of {', '.join(EVERYTHING)}")
    parser.add_argument("--seconds", type=float, default=20, help="length of the closed loop")
    parser.add_argument("--data", type=Path, help="data folder of the installation (default: a temporary one)")
    options = parser.parse_args()
    wanted = set(options.only.split(","))
    show("machine", machine())
    if options.url:
        asyncio.run(measure(Product(options.url, options.key), {}, wanted, options.seconds))
        return
    if wanted - set(ENGINE_ALONE):
        with installed(options.data, allow=f"127.0.0.1:{RECEIVER_PORT}") as place:
            _measure_own(place, wanted, options.seconds)
    for name in ENGINE_ALONE:
        if name in wanted:
            show(name, Installation.own_figures(name))


def _measure_own(place: Installation, wanted: set[str], seconds: float) -> None:
    if "start" in wanted:
        show("start", place.start_figures)
    asyncio.run(measure(place.product, place.roots, wanted, seconds))


if __name__ == "__main__":
    main()
