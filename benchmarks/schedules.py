"""Ten thousand schedules: all of them due in the same second, and none of them due.

Needs DATABASE_URL of an empty, migrated database and the secrets of an installation; no worker may run on it.
Fires as the ticks of one worker process do, one tick after the other.
"""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import uuid4

SCHEDULES = 10_000
IDLE_LOOKS = 1_000  # one each second
WATCHES = 20  # one each minute
DEFINITION = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]}


def main() -> dict[str, Any]:
    """Look while none is due, then fire all at once; returns the figures."""
    from django.utils import timezone

    from automation.models import Firing, Run, Trigger
    from automation.runtime.pulse import FIRING_SECONDS, MOST_FIRED
    from automation.services.queued_slots import start_queued
    from automation.services.schedule_watch import look as watch
    from automation.services.schedules import fire_due

    _fill()
    fire_due()
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(IDLE_LOOKS):
        fire_due()
        start_queued()
    look, look_cpu = (time.perf_counter() - began) / IDLE_LOOKS, (time.process_time() - cpu) / IDLE_LOOKS
    began = time.perf_counter()
    for _ in range(WATCHES):
        watch()
    watched = (time.perf_counter() - began) / WATCHES
    slot = timezone.now().replace(microsecond=0)
    Trigger.objects.update(next_fire_at=slot)
    began, cpu, ticks = time.perf_counter(), time.process_time(), []
    while Trigger.objects.filter(next_fire_at=slot).exists():
        tick = time.perf_counter()
        fire_due(limit=MOST_FIRED, seconds=FIRING_SECONDS)
        ticks.append(time.perf_counter() - tick)
    seconds, fired_cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "schedules": SCHEDULES,
        "idle_look_ms": round(look * 1000, 3),
        "idle_look_cpu_ms": round(look_cpu * 1000, 3),
        "watch_ms": round(watched * 1000, 3),
        "idle_share_of_a_core_percent": round((look + watched / 60) * 100, 3),
        "fired_seconds": round(seconds, 1),
        "fired_cpu_seconds": round(fired_cpu, 1),
        "fired_per_second": round(SCHEDULES / seconds),
        "ticks": len(ticks),
        "longest_tick_ms": round(max(ticks) * 1000, 1),
        "ledger_rows": Firing.objects.count(),
        "runs": Run.objects.count(),
        "triggers_with_a_run": Run.objects.values("trigger").distinct().count(),
    }


def _fill() -> None:
    from django.db import connection

    from automation.models import Trigger, Workflow, WorkflowVersion
    from automation.triggers.schedule import next_after
    from brainops.accounts.models import Workspace
    from brainops.core import clock

    workspace = Workspace.objects.create(name="Benchmark", slug=f"benchmark-{uuid4().hex[:8]}")
    workflow = Workflow.objects.create(workspace=workspace, name="Benchmark", definition=DEFINITION)
    workflow.current_version = WorkflowVersion.objects.create(
        workspace=workspace, workflow=workflow, ordinal=1, number="1.0.0", name="B", definition=DEFINITION, checksum=""
    )
    workflow.save()
    config = {"cron": "0 9 * * *", "timezone": "Europe/Berlin", "missed": "last", "success_within": "2d"}
    at = next_after(config, clock.now())
    Trigger.objects.bulk_create(
        Trigger(workspace=workspace, workflow=workflow, kind="schedule", config=config, next_fire_at=at)
        for _ in range(SCHEDULES)
    )
    with connection.cursor() as cursor:
        cursor.execute("analyze")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from benchmarks.figures import machine, show

    show("schedules", main() | machine())
