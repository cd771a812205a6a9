"""Pruning a million step rows beside live work: how fast it goes, and how long anybody waits for it.

Needs DATABASE_URL of an empty, migrated database and the secrets of an installation; no worker may run on it.
Probers do what workers and doors do, on the same tables: they start runs, write steps, move runs, among them retries
of runs that are being pruned. A watcher asks PostgreSQL all the time how long the oldest lock has been waited for.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any
from uuid import uuid4

import psycopg2

RUNS, STEPS = 50_000, 20
RETRY_EACH = 5  # every fifth start repeats one of the oldest runs, which go next
PROBERS = 3
BASELINE_SECONDS = 10.0

FILL = """
with made as (
  insert into automation_run (workspace_id, workflow_id, version_id, status, finishes, created_at, started_at,
                              finished_at)
  select %(workspace)s, %(workflow)s, %(version)s, 50, 1, at, at, at + interval '2 seconds'
  from (select now() - interval '100 days' + n * interval '1 second' as at from generate_series(1, %(runs)s) n) times
  returning id),
data as (
  insert into automation_rundata (run_id, input, output)
  select id, '{"inputs": {"n": 1, "text": "some input"}, "trigger": null}', '{"ok": true}' from made),
lines as (
  insert into automation_runlog (run_id, seq, path, at, level, message)
  select id, 1000001, 'step-1', now(), 'info', 'A line of a log.' from made)
insert into automation_steprun (run_id, path, kind, status, output, started_at, finished_at)
select id, 'step-' || n, 'http.request', 50,
       '{"status": 200, "headers": {"content-type": "application/json"}, "body": {"id": 1, "ok": true}}', now(), now()
from made, generate_series(1, %(steps)s) n
"""
START = """
with new_run as (
  insert into automation_run (workspace_id, workflow_id, version_id, parent_run_id)
  values (%(workspace)s, %(workflow)s, %(version)s,
          case when %(is_retry)s then (select min(id) + (random() * 300)::int from automation_run) end) returning id)
insert into automation_rundata (run_id, input) select id, '{}' from new_run returning run_id
"""
STEP = """
insert into automation_steprun (run_id, path, kind, status, output) values (%s, %s, 'log', 50, '{"ok": true}')
on conflict (run_id, path) do update set status = excluded.status
"""
MOVE = "update automation_run set priority = priority where id = %s"
READ = "select count(*) from automation_steprun where run_id = %s"
LONGEST_WAIT = """
select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::float8 from pg_locks where not granted
"""


class Prober:
    """Works like a worker until stopped, and remembers its slowest statement."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.slowest: dict[str, float] = {}
        self.starts = self.too_late = 0
        self.is_stopping = False
        self._about = about
        self._thread = threading.Thread(target=self._probe)
        self._thread.start()

    def stop(self) -> None:
        self.is_stopping = True
        self._thread.join()

    def _probe(self) -> None:
        from automation.store.connection import Connection

        connection = Connection(application_name="prober")
        while not self.is_stopping:
            run_id = self._start(connection)
            for number in range(3):
                self._timed(connection, "step", STEP, (run_id, f"step-{number}"))
                self._timed(connection, "move", MOVE, (run_id,))
            self._timed(connection, "read", READ, (run_id,))
            time.sleep(0.005)
        connection.close()

    def _start(self, connection: Any) -> int:
        self.starts += 1
        if self.starts % RETRY_EACH == 0:
            try:
                rows = self._timed(connection, "retry", START, self._about | {"is_retry": True})
                return int(rows[0][0])
            except psycopg2.IntegrityError:  # it went in this moment
                self.too_late += 1
        return int(self._timed(connection, "start", START, self._about | {"is_retry": False})[0][0])

    def _timed(self, connection: Any, name: str, statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        started = time.perf_counter()
        try:
            rows: list[tuple[Any, ...]] = connection.rows(statement, parameters)
            return rows
        finally:
            self.slowest[name] = max(self.slowest.get(name, 0.0), time.perf_counter() - started)


class Watcher:
    """Asks every 2 ms how long somebody has been waiting for a lock."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.looks = self.seen = 0
        self.is_stopping = False
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self.is_stopping = True
        self._thread.join()

    def _watch(self) -> None:
        from automation.store.connection import Connection

        connection = Connection(application_name="watcher")
        while not self.is_stopping:
            wait = connection.rows(LONGEST_WAIT)[0][0]
            self.longest = max(self.longest, wait)
            self.seen += wait > 0
            self.looks += 1
            time.sleep(0.002)
        connection.close()


def main() -> dict[str, Any]:
    """Fill, measure the probers alone, measure them beside the pruning; returns the figures."""
    from automation.services import retention
    from automation.store.connection import Connection

    store = Connection()
    about = _filled(store)
    alone, _watched, _done, _seconds = _measured(about, lambda: time.sleep(BASELINE_SECONDS))
    beside, watched, done, seconds = _measured(about, lambda: retention.prune(store))
    left = store.rows("select count(*) from automation_steprun where path = 'step-20'")[0][0]
    return {
        "runs": done.runs,
        "step_rows": done.steps,
        "left": left,
        "seconds": round(seconds, 1),
        "step_rows_per_second": round(done.steps / seconds),
        "longest_batch_ms": _ms(done.longest_batch_seconds),
        "longest_lock_wait_ms": _ms(watched.longest),
        "looks_for_lock_waits": watched.looks,
        "lock_waits_seen": watched.seen,
        "slowest_statement_beside_ms": {name: _ms(took) for name, took in sorted(beside.items())},
        "slowest_statement_alone_ms": {name: _ms(took) for name, took in sorted(alone.items())},
    }


def _measured(about: dict[str, Any], work: Any) -> tuple[dict[str, float], Watcher, Any, float]:
    watcher, probers = Watcher(), [Prober(about) for _ in range(PROBERS)]
    started = time.perf_counter()
    try:
        done = work()
    finally:
        seconds = time.perf_counter() - started
        for one in (*probers, watcher):
            one.stop()
    names = {name for prober in probers for name in prober.slowest}
    slowest = {name: max(prober.slowest.get(name, 0.0) for prober in probers) for name in names}
    return slowest, watcher, done, seconds


def _filled(store: Any) -> dict[str, Any]:
    from automation.models import Workflow, WorkflowVersion
    from brainops.accounts.models import Workspace

    workspace = Workspace.objects.create(name="Benchmark", slug=f"benchmark-{uuid4().hex[:8]}")
    workflow = Workflow.objects.create(workspace=workspace, name="Benchmark", definition={})
    version = WorkflowVersion.objects.create(
        workspace=workspace, workflow=workflow, ordinal=1, number="1.0.0", name="B", definition={}, checksum=""
    )
    about = {"workspace": workspace.id, "workflow": workflow.id, "version": version.id}
    for _ in range(10):
        store.rows(FILL, about | {"runs": RUNS // 10, "steps": STEPS})
    store.rows("analyze")
    return about


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from benchmarks.figures import machine, show

    show("retention", main() | machine())
