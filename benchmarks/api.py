"""The API at a million runs: lists and filters, creating workflows, and the list of workflows against bare DRF.

`python -m benchmarks --only api`. One granian with the Procfile's settings serves; another one, with the same settings,
serves the bare list. They take turns, so that both see the same machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.cpu import cpu_by_role
from benchmarks.figures import machine, milliseconds
from benchmarks.product import API
from benchmarks.wire import Client

RUNS = int(os.environ.get("BENCH_RUNS", "1000000"))
REQUESTS = 60  # of each filter, after five unmeasured ones
ROUNDS, ROUND_SECONDS, CLIENTS = 4, 5.0, 8
PERSON, RARE_PERSON = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2))

DEFINITION = {
    "schema": 1,
    "steps": [
        {"id": "shape", "uses": "transform", "with": {"set": {"text": "{{ trigger.body.name }}"}}},
        {"id": "wait", "uses": "delay", "needs": ["shape"], "with": {"for": "1s"}},
        {"id": "say", "uses": "log", "needs": ["wait"], "with": {"message": "{{ steps.shape.output.text }}"}},
    ],
}

# Every filter of the list, the selective and the unselective end of each.
FILTERS = {
    "all": "",
    "status: most": "status=succeeded",
    "status: few": "status=timed_out",
    "status: none": "status=waiting",
    "workflow": "workflow_id={workflow}",
    "workflow, failed": "workflow_id={workflow}&status=failed",
    "version": "workflow_id={workflow}&version=1.0.0",
    "tag of the workflow": "workflow_tag=tag-3",
    "tag nobody has": "workflow_tag=nothing",
    "trigger": "trigger_id={trigger}",
    "trigger kind: most": "trigger_kind=schedule",
    "trigger kind: few": "trigger_kind=webhook",
    "trigger kind: none": "trigger_kind=none",
    "person": "created_by={person}",
    "rare person": "created_by={rare_person}",
    "unknown person": "created_by=00000000-0000-4000-8000-000000000000",
    "since": "created_since={recent}",
    "until": "created_until={old}",
    "a day long ago": "created_since={old}&created_until={later}",
    "slow ones": "min_seconds=60",
    "quick ones": "max_seconds=1",
    "impossibly slow": "min_seconds=100000",
    "error, usual": "search=connection",
    "error, rare": "search=quota",
    "error, nowhere": "search=zebra",
    "error class": "error_class=auth",
    "error type": "error_type=HttpError",
    "unknown effects": "has_unknown=true",
    "retries of a run": "parent_run_id={run}",
    "oldest first": "ordering=created_at",
    "count": "count=true",
}


def main() -> dict[str, Any]:
    """Fill the database, serve it, measure; returns the figures."""
    about = _prepare()
    with _served("brainops.wsgi:application") as ours, _served("benchmarks.bare_wsgi:application") as bare:
        figures = asyncio.run(_measure(ours, bare, about))
    return {"benchmark": "api", **machine(), "load_average": os.getloadavg()[0], "runs": RUNS, **figures}


def _prepare() -> dict[str, str]:
    import django

    django.setup()
    from django.db import connection

    from automation.models import Run, Trigger, Workflow
    from benchmarks.api_rows import fill
    from brainops.accounts.models import Membership, Role, User, Workspace
    from brainops.accounts.services import api_keys
    from brainops.audit.actor import Actor

    home, is_new = Workspace.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    if is_new:
        user = User.objects.create_user("bench@example.com", username="bench")
        Membership.objects.create(user=user, workspace=home, role=Role.OWNER)
    user = User.objects.get(username="bench")
    by = Actor.system("bench")
    key = api_keys.issue(user, home, name="bench", role=Role.OWNER, scopes=["*"], by=by).text
    if is_new:
        with connection.cursor() as cursor:
            fill(cursor, runs=RUNS, definition=json.dumps(DEFINITION), person=PERSON, rare_person=RARE_PERSON)
    workflow = Workflow.objects.filter(workspace=home).order_by("name")[0]
    times = list(Run.objects.order_by("id").values_list("created_at", flat=True)[RUNS // 100 : RUNS // 5 : RUNS // 11])
    return {
        "key": key,
        "workflow": str(workflow.id),
        "trigger": str(Trigger.objects.filter(workspace=home, kind="webhook")[0].id),
        "run": str(Run.objects.filter(workspace=home).latest("id").uid),
        "person": PERSON,
        "rare_person": RARE_PERSON,
        "old": times[0].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "later": times[1].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recent": Run.objects.latest("id").created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    pid: int


async def _measure(ours: Server, bare: Server, about: dict[str, str]) -> dict[str, Any]:
    headers = f"Authorization: Bearer {about['key']}\r\n"
    await _timed(ours, "GET", f"{API}/runs?limit=50", headers)  # a server that has just started imports as it goes
    lists = {}
    for name, query in FILTERS.items():
        lists[name] = await _timed(ours, "GET", f"{API}/runs?limit=50&{query.format(**about)}", headers)
    body = json.dumps({"name": "Made", "definition": DEFINITION}).encode()
    created = await _timed(ours, "POST", f"{API}/workflows", headers, body=body, count=300)
    searched = await _timed(ours, "GET", f"{API}/workflows?search=ordres%20shop", headers)
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        for name, server in (("bare", bare), ("ours", ours)):
            rates[name].append(await _rate(server.address, f"{API}/workflows", headers))
    ratio = sum(rates["ours"]) / sum(rates["bare"])
    worst = max(lists, key=lambda name: lists[name]["p95_ms"])
    return {
        "list_of_50": lists["all"],
        "worst_filter": {worst: lists[worst]},
        "filters_p95_ms": {name: spans["p95_ms"] for name, spans in lists.items()},
        "create_workflow": created,
        "search_workflows": searched,
        "workflows_per_second": {name: [round(rate) for rate in found] for name, found in rates.items()},
        "ratio_to_bare_drf": round(ratio, 2),
    }


async def _timed(
    server: Server, method: str, path: str, headers: str, *, body: bytes = b"", count: int = REQUESTS
) -> dict[str, float]:
    client, spans, cpu = Client(server.address), [], 0.0
    for number in range(count + 5):
        if number == 5:
            cpu = cpu_by_role({"web": server.pid})["web"]
        started = time.perf_counter()
        answer = await client.request(method, path, body, headers)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        if number >= 5:
            spans.append(time.perf_counter() - started)
    await client.close()
    cpu = cpu_by_role({"web": server.pid})["web"] - cpu
    return {**milliseconds(spans), "web_cpu_ms": round(cpu / count * 1000, 1)}


async def _rate(address: str, path: str, headers: str) -> float:
    """Answers a second to clients that ask again at once."""
    deadline = time.perf_counter() + ROUND_SECONDS

    async def ask() -> int:
        client, done = Client(address), 0
        while time.perf_counter() < deadline:
            answer = await client.request("GET", path, b"", headers)
            if answer.status != 200 or not answer.body.startswith(b'{"next"'):
                raise RuntimeError(f"{address}{path}: {answer.status} {answer.body[:500]!r}")
            done += 1
        await client.close()
        return done

    started = time.perf_counter()
    counts = await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return sum(counts) / (time.perf_counter() - started)


@contextmanager
def _served(application: str) -> Iterator[Server]:
    """The application behind granian, as the Procfile starts it; yields it."""
    from brainops.stack.ports import free_port

    port = free_port()
    command = [
        *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--blocking-threads", "16", "--backpressure", "256", "--no-ws", "--log-level", "error", application),
    ]
    environment = {**os.environ, "BRAINOPS_STATEMENT_TIMEOUT_MS": "30000"}
    server = subprocess.Popen(command, env=environment)
    try:
        _wait_for(port)
        yield Server(f"http://127.0.0.1:{port}", server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(port: int) -> None:
    import socket

    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing listens on port {port} after 30 s.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    print(json.dumps(main()), flush=True)
    sys.exit(0)
