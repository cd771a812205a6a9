"""The database itself keeps an ended run ended."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from automation.engine.status import RunStatus
from automation.models import Run
from automation.tests.store.statement_rows import fill

pytestmark = pytest.mark.django_db
ENDED = [status for status in RunStatus if status.is_final]


@pytest.fixture
def run() -> Run:
    fill()
    return Run.objects.filter(status=RunStatus.SUCCEEDED).first()


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FAILED])
def test_a_final_status_never_changes_whoever_asks(run: Run, status: RunStatus):
    with pytest.raises(IntegrityError, match="is final with status 50"), transaction.atomic():
        Run.objects.filter(id=run.id).update(status=status)

    run.refresh_from_db()
    assert run.status == RunStatus.SUCCEEDED


def test_other_columns_of_an_ended_run_may_still_change(run: Run):
    Run.objects.filter(id=run.id).update(status=RunStatus.SUCCEEDED, trigger=None, limit_key=None)

    assert Run.objects.get(id=run.id).limit_key is None


@pytest.mark.parametrize(
    "wrong",
    [
        "status = 20, claim = null",  # running without a claim
        "claim = gen_random_uuid()",  # a claim without running
        "status = 50, finished_at = null, finishes = 1",
        "status = 50, finished_at = now(), finishes = 2",  # finished twice
        "finishes = 1",  # finished and not ended
    ],
)
def test_a_row_that_contradicts_itself_is_refused(run: Run, wrong: str):
    queued = Run.objects.filter(status=RunStatus.QUEUED).first()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"update automation_run set {wrong} where id = %s", (queued.id,))


def test_hot_tables_are_stored_with_room_and_vacuumed_early(db: None):
    with connection.cursor() as cursor:
        cursor.execute("select reloptions from pg_class where relname = 'automation_run'")
        options = set(cursor.fetchone()[0])

    assert {"fillfactor=80", "autovacuum_vacuum_scale_factor=0.02"} <= options
