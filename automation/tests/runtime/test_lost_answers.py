"""A claim that was committed and never answered: the worker lives and does not know what it holds."""

from __future__ import annotations

import psycopg2
import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run
from automation.store.claim import Claims, Wanted
from automation.store.connection import Connection


class Deaf(Connection):
    """Commits everything and loses the answers of claims while `is_deaf`."""

    is_deaf = True

    def prepared(self, statement, parameters):
        rows = super().prepared(statement, parameters)
        return self._answer(rows)

    def rows(self, statement, parameters=()):
        rows = super().rows(statement, parameters)
        return self._answer(rows) if "status = 20, worker_id" in statement else rows

    def _answer(self, rows):
        if self.is_deaf:
            raise psycopg2.OperationalError("server closed the connection unexpectedly")
        return rows


@pytest.fixture
def deaf(transactional_db):
    deaf = Deaf()
    yield deaf
    deaf.close()


@pytest.fixture
def ready(make_workflow, accept):
    version = make_workflow({"id": "a", "uses": "transform", "with": {"set": {}}})
    return [accept(version).id for _ in range(3)]


def test_runs_of_an_unanswered_claim_are_claimed_again(deaf, ready, new_worker):
    worker_id, claims = new_worker(), Claims(deaf)
    with pytest.raises(psycopg2.OperationalError):
        claims.ready(worker_id=worker_id, wanted=Wanted(3))
    assert set(Run.objects.values_list("status", "worker_id")) == {(RunStatus.RUNNING, worker_id)}

    deaf.is_deaf = False

    assert [run.id for run in claims.ready(worker_id=worker_id, wanted=Wanted(3))] == ready


def test_an_unanswered_claim_gives_back_only_its_own_runs(deaf, ready, new_worker):
    worker_id, claims = new_worker(), Claims(deaf)
    deaf.is_deaf = False
    (held,) = claims.ready(worker_id=worker_id, wanted=Wanted(1))
    deaf.is_deaf = True
    with pytest.raises(psycopg2.OperationalError):
        claims.ready(worker_id=worker_id, wanted=Wanted(2))

    deaf.is_deaf = False

    assert claims.give_back() == 2
    assert list(Run.objects.filter(status=RunStatus.RUNNING).values_list("id", "claim")) == [(held.id, held.claim)]


def test_a_suspect_of_an_unanswered_claim_stays_a_suspect(deaf, ready, new_worker):
    Run.objects.filter(id=ready[0]).update(status=RunStatus.SUSPECT, crashes=2)
    worker_id, claims = new_worker(), Claims(deaf)
    with pytest.raises(psycopg2.OperationalError):
        claims.suspect(worker_id=worker_id)

    deaf.is_deaf = False

    assert claims.give_back() == 1
    assert Run.objects.get(id=ready[0]).status == RunStatus.SUSPECT


def test_a_cancel_wins_over_the_giving_back(deaf, ready, new_worker):
    worker_id, claims = new_worker(), Claims(deaf)
    with pytest.raises(psycopg2.OperationalError):
        claims.ready(worker_id=worker_id, wanted=Wanted(3))
    with connection.cursor() as cursor:
        cursor.execute("update automation_run set cancel_requested_at = now() where id = %s", [ready[0]])

    deaf.is_deaf = False
    claims.give_back()

    assert Run.objects.get(id=ready[0]).status == RunStatus.CANCELLED
