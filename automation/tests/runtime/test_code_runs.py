"""Runs with code on a real worker's runtime."""

import time

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run
from automation.store.cancel import cancel_runs

LOOP = {"id": "loop", "uses": "code", "with": {"code": "while True:\n    pass"}}


@pytest.fixture(autouse=True)
def _switched_on(settings):
    settings.BRAINOPS_CODE_STEPS = True
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "code_seconds": 60}


def test_a_cancel_stops_code_within_two_and_a_half_seconds(settings, make_workflow, accept, runtime, ended):
    settings.BRAINOPS_HEARTBEAT_SECONDS = 2  # as it is by default
    run = accept(make_workflow(LOOP))
    while Run.objects.get(uid=run.uid).status != RunStatus.RUNNING:
        time.sleep(0.02)
    time.sleep(0.3)
    started = time.monotonic()

    with connection.cursor() as cursor:
        cancel_runs(cursor, [run.id])

    assert RunStatus(ended(run.uid).status) is RunStatus.CANCELLED
    assert time.monotonic() - started < 2.5


def test_the_time_limit_of_a_step_ends_its_code(make_workflow, accept, runtime, ended):
    step = {**LOOP, "timeout": "300ms", "retry": {"max_attempts": 1}}

    run = ended(accept(make_workflow(step)).uid)

    assert RunStatus(run.status) is RunStatus.FAILED
    assert (run.data.error["type"], run.data.error["class"]) == ("timeout", "timeout")
