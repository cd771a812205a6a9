"""Many of one kind: a loop of thousands of items, thousands of sleeping runs that wake together.

Needs DATABASE_URL, REDIS_URL and the secrets of an installation whose workers are stopped.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.engine import _accept, _count, _scalar, _stored_version, _wait_until, _workers

SLEEPERS = 10_000


def main() -> dict[str, Any]:
    """Measure each, one after the other."""
    return {"loop_10k": measure_loop(10_000), "loop_100k": measure_loop(100_000), "sleepers": measure_sleepers()}


def measure_loop(items: int) -> dict[str, Any]:
    """Seconds from the claim to the end of one run with a loop of light items, its rows and the worker's memory."""
    from automation.models import Run, StepRun

    each = {
        "id": "each",
        "for_each": {"items": "{{ inputs.items }}", "concurrency": 8},
        "uses": "transform",
        "with": {"set": {"number": "{{ item.number }}", "double": "{{ item.number * 2 }}"}},
    }
    version = _stored_version({"schema": 1, "steps": [each], "output": "{{ steps.each.output | length }}"})
    with _workers() as workers:
        before = max(_resident_mb(worker.pid) for worker in workers)
        _accept_one(version, {"items": [{"number": n, "name": f"item {n}"} for n in range(items)]})
        peak = before
        deadline = time.monotonic() + 600
        while _count(version, "status < 50") and time.monotonic() < deadline:
            peak = max(peak, *(_resident_mb(worker.pid) for worker in workers))
            time.sleep(0.05)
        run = Run.objects.select_related("data").get(version_id=version.id)
        return {
            "items": items,
            "status": run.status_word,
            "seconds": round(run.duration_seconds or 0.0, 2),
            "rows": StepRun.objects.filter(run=run).count(),
            "resident_mb_before": before,
            "resident_mb_peak": peak,
        }


def measure_sleepers(runs: int = SLEEPERS) -> dict[str, Any]:
    """Runs that sleep until one instant, across a restart of every worker: when all were awake, when all had gone on.

    Waking makes a run ready; how soon so many ready runs are executed is the throughput of the machine.
    """
    version = _stored_version(
        {
            "schema": 1,
            "steps": [
                {"id": "sleep", "uses": "delay", "with": {"until": "{{ inputs.until }}"}},
                {"id": "woken", "uses": "log", "with": {"message": "awake"}, "needs": ["sleep"]},
            ],
        }
    )
    until = time.time() + 60 + runs / 150
    whole = int(until)
    _accept(version, runs, until=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)))
    with _workers():
        _wait_until(lambda: _count(version, "status <> 30") == 0, seconds=50 + runs / 150)
    asleep = _count(version, "status = 30")
    with _workers():
        _wait_until(lambda: time.time() >= whole, seconds=120)
        _wait_until(lambda: _count(version, "status = 30") == 0, seconds=120)
        awake = time.time() - whole
        _wait_until(lambda: _count(version, "status < 50") == 0, seconds=120)
    late = """select percentile_disc(%s) within group (order by extract(epoch from s.finished_at) - %s)::float8
              from automation_steprun s join automation_run r on r.id = s.run_id
              where r.version_id = %s and s.path = 'sleep'"""
    lines = "select count(*) from automation_runlog l join automation_run r on r.id = l.run_id where r.version_id = %s"
    return {
        "runs": runs,
        "asleep_before_restart": asleep,
        "all_awake_after_seconds": round(awake, 2),
        "went_on_after_seconds": {
            f"p{int(p * 100)}": round(_scalar(late, p, whole, version.id), 2) for p in (0.5, 0.95, 1)
        },
        "succeeded": _count(version, "status = 50"),
        "lines_written": int(_scalar(lines, version.id)),
    }


def _accept_one(version: Any, inputs: dict[str, Any]) -> None:
    from django.db import connection

    from automation.store import bell
    from automation.store.intake import NewRun, insert_run

    with connection.cursor() as cursor:
        insert_run(cursor, NewRun(version.workspace_id, version.workflow_id, version.id, inputs=inputs))
    bell.ring()


def _resident_mb(pid: int) -> float:
    """Resident memory of one process (Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmRSS")), "VmRSS: 0 kB")
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from benchmarks.figures import machine, show

    show("crowds", main() | machine())
