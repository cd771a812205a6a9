"""Engine only: runs that are already accepted, three steps, two of them effects of about 15 ms; beside bare Celery.

Needs DATABASE_URL, REDIS_URL and the secrets of an installation whose workers are stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

RECEIVER_PORT = 9397
WORKERS = 2


def main(runs: int = 6000, messages: int = 20_000) -> dict[str, Any]:
    """Measure both, back to back, with the same worker settings; returns the figures."""
    os.environ["BRAINOPS_EGRESS_ALLOW"] = f"127.0.0.1:{RECEIVER_PORT}"
    engine = measure_engine(runs)
    celery = measure_celery(messages)
    sequence = measure_sequence()
    return {
        "runs_per_second": engine["per_second"],
        "engine": engine,
        "celery_messages_per_second": celery,
        "ratio_to_celery": round(engine["per_second"] / celery, 2),
        "sequence_of_40_steps_ms": sequence,
    }


def measure_engine(runs: int) -> dict[str, Any]:
    """Runs per second from the first claim to the last finish, and CPU-ms per run of the workers."""
    from benchmarks import loads
    from benchmarks.cpu import cpu_by_role

    version = _stored_version(loads.two_effects(f"http://127.0.0.1:{RECEIVER_PORT}/"))
    with _process([sys.executable, "-m", "benchmarks.slow_receiver", str(RECEIVER_PORT), "15"]):
        _accept(version, runs)
        with _workers() as workers:
            roots = {f"worker-{n}": worker.pid for n, worker in enumerate(workers)}
            _wait_until(lambda: _count(version, "status >= 50") > runs * 0.05)
            before, done_before = sum(cpu_by_role(roots).values()), _count(version, "status >= 50")
            _wait_until(lambda: _count(version, "status < 50") < runs * 0.05)
            after, done_after = sum(cpu_by_role(roots).values()), _count(version, "status >= 50")
            _wait_until(lambda: _count(version, "status < 50") == 0)
    lost, failed = runs - _count(version, "status >= 50"), _count(version, "status > 50")
    return {
        "runs": runs,
        "per_second": round(_rate(version), 1),
        "worker_cpu_ms_per_run": round((after - before) / (done_after - done_before) * 1000, 3),
        "lost": lost,
        "failed": failed,
    }


def measure_sequence() -> float:
    """Median milliseconds of engine time of 40 light steps in one run, a checkpoint after each."""
    from benchmarks import loads

    definition = loads.chain("http://127.0.0.1:1/", length=40, checkpoint="step")
    definition["steps"].pop()
    version = _stored_version(definition)
    with _workers():
        times = []
        for _ in range(20):
            _accept(version, 1)
            _ring()
            _wait_until(lambda: _count(version, "status < 50") == 0)
        times = _durations(version)
    return sorted(times)[len(times) // 2]


def measure_celery(messages: int) -> float:
    """No-op messages executed per second through the same workers' settings, between two marked messages.

    What a worker has taken off the queue is not yet executed (without acks nothing limits how much it takes), so
    the length of the queue would tell nothing.
    """
    from benchmarks.noop import app, noop

    marks = {messages // 20: "first", messages - messages // 20: "last"}
    with app.connection_for_write() as broker, broker.channel() as channel:
        channel.client.delete(app.conf.task_default_queue, *(f"benchmark.noop.{mark}" for mark in marks.values()))
        producer = app.amqp.Producer(channel)
        for number in range(messages):
            noop.apply_async(args=(marks.get(number, ""),), producer=producer)
        command = ["celery", "-A", "benchmarks.noop", *_worker_options()]
        with _process(command), _process(command):
            _wait_until(lambda: channel.client.exists("benchmark.noop.last"))
            first, last = (float(channel.client.get(f"benchmark.noop.{mark}")) for mark in marks.values())
    return round((max(marks) - min(marks)) / (last - first), 1)


def _worker_options() -> list[str]:
    return ["worker", "-P", "threads", "-c", "4", "--without-gossip", "--without-mingle", "-l", "error"]


@contextmanager
def _workers() -> Any:
    command = ["celery", "-A", "brainops", *_worker_options()]
    workers = [subprocess.Popen(command) for _ in range(WORKERS)]
    try:
        _wait_until(lambda: _scalar("select count(*) from automation_worker where state = 1") >= WORKERS)
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(40)


@contextmanager
def _process(command: list[str]) -> Any:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(40)


def _stored_version(definition: dict[str, Any]) -> Any:
    from automation.models import Workflow, WorkflowVersion
    from brainops.accounts.models import Workspace

    workspace = Workspace.objects.create(name="Benchmark", slug=f"benchmark-{uuid4().hex[:8]}")
    workflow = Workflow.objects.create(workspace=workspace, name="Benchmark", definition=definition)
    return WorkflowVersion.objects.create(
        workspace=workspace, workflow=workflow, ordinal=1, number="1.0.0", name="B", definition=definition, checksum=""
    )


def _accept(version: Any, runs: int, **more: Any) -> None:
    from django.db import connection, transaction

    from automation.store.intake import NewRun, insert_run

    with transaction.atomic(), connection.cursor() as cursor:
        for n in range(runs):
            insert_run(
                cursor,
                NewRun(version.workspace_id, version.workflow_id, version.id, inputs={"id": str(n), "n": n, **more}),
            )


def _ring() -> None:
    from automation.store import bell

    bell.ring()


def _scalar(statement: str, *parameters: Any) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def _count(version: Any, condition: str) -> int:
    return int(_scalar(f"select count(*) from automation_run where version_id = %s and {condition}", version.id))


def _rate(version: Any) -> float:
    """Finishes per second between the 5th and the 95th percentile: without the ramps at both ends."""
    return float(
        _scalar(
            """with f as (select finished_at, percent_rank() over (order by finished_at) p from automation_run
                          where version_id = %s and status >= 50),
                    m as (select finished_at from f where p between 0.05 and 0.95)
               select count(*) / extract(epoch from max(finished_at) - min(finished_at)) from m""",
            version.id,
        )
    )


def _durations(version: Any) -> list[float]:
    from automation.models import Run

    return [round((run.duration_seconds or 0) * 1000, 1) for run in Run.objects.filter(version_id=version.id)]


def _wait_until(condition: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the benchmark did not get on")
        time.sleep(0.05)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from benchmarks.figures import machine, show

    show("engine", main() | machine())
