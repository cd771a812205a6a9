"""Twenty at once get what is there, and not one more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from automation.models import Run, Trigger, Workflow
from automation.services import run_quota
from automation.tests.api.conftest import HELLO
from brainops.stack.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20


def at_once(act: Callable[[int], int]) -> Counter[int]:
    """The statuses of twenty calls that begin together."""
    statuses: list[int] = []
    gate = threading.Barrier(THREADS)

    def work(number: int) -> None:
        try:
            gate.wait(60)
            statuses.append(act(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


def test_twenty_at_once_make_as_many_workflows_as_allowed(limited):
    owner = limited(max_workflows=7)

    statuses = at_once(
        lambda number: owner.post("/workflows", {"name": f"Number {number}", "definition": HELLO}).status_code
    )

    assert (statuses, Workflow.objects.count()) == ({201: 7, 403: 13}, 7)


def test_twenty_at_once_switch_on_as_many_triggers_as_allowed(limited):
    owner = limited(max_active_triggers=5)
    workflows = [owner.make(name=f"Number {number}")["id"] for number in range(THREADS)]
    hourly = {"kind": "schedule", "config": {"cron": "0 * * * *"}}

    statuses = at_once(lambda number: owner.post("/triggers", {"workflow_id": workflows[number], **hourly}).status_code)

    assert (statuses, Trigger.objects.count()) == ({201: 5, 403: 15}, 5)


def test_twenty_at_once_start_as_many_runs_as_allowed(limited):
    owner = limited(max_runs_per_day=9)
    execute = f"/workflows/{owner.make()['id']}/execute"

    statuses = at_once(lambda _: owner.post(execute).status_code)

    assert (statuses, Run.objects.count()) == ({202: 9, 429: 11}, 9)


def test_without_redis_one_process_still_counts_exactly(limited, settings: Any, monkeypatch):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(run_quota, "LOCAL_SECONDS", 600.0)  # one count for the whole test
    owner = limited(max_runs_per_day=9)
    execute = f"/workflows/{owner.make()['id']}/execute"

    statuses = at_once(lambda _: owner.post(execute).status_code)

    assert (statuses, Run.objects.count()) == ({202: 9, 429: 11}, 9)
