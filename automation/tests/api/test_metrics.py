"""GET /metrics: a caller's own runs in numbers, and nobody else's; the tally behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.engine.status import RunStatus
from automation.models import Run, RunTally, TallyMark
from automation.services import figures, tally
from automation.services.figures import Period, Stretch
from automation.store import tally as store
from automation.tests.api.conftest import Api
from automation.tests.api.test_admin_endpoints import ended
from brainops.accounts.models import Role


def test_mine_are_the_runs_i_asked_for_and_those_of_my_workflows(owner: Api, member: Callable[..., Api], stranger: Api):
    colleague = member(Role.BUILDER)
    mine, theirs = owner.make(name="Mine")["id"], colleague.make(name="Theirs")["id"]
    ended(colleague, mine)
    ended(owner, theirs)
    ended(colleague, theirs, RunStatus.FAILED)
    ended(stranger, stranger.make()["id"])
    owner.post(f"/workflows/{mine}/execute")

    seen = owner.get("/metrics").json()

    assert (seen["total"], seen["success_rate"]) == (2, 1.0)
    assert seen["by_status"] == {"succeeded": 2, "failed": 0, "cancelled": 0, "timed_out": 0}
    assert seen["under_way"] == {"queued": 1, "blocked": 0, "suspect": 0, "running": 0, "waiting": 0}
    assert sorted(row["name"] for row in seen["workflows"]) == ["Mine", "Theirs"]
    assert (colleague.get("/metrics").json()["total"], stranger.get("/metrics").json()["total"]) == (3, 1)


def test_who_has_no_runs_sees_zeros(owner: Api):
    seen = owner.get("/metrics", period="7d").json()

    assert (seen["total"], seen["success_rate"], seen["workflows"], seen["failures"]) == (0, None, [], [])
    assert seen["duration_seconds"] == dict.fromkeys(("p50", "p95", "p99", "average", "longest"))
    assert [place["total"] for place in seen["series"]] == [0] * 7


@pytest.mark.parametrize("query", [{"period": "1y"}, {"user": "x"}, {"cursor": "x"}])
def test_a_parameter_that_means_nothing_is_refused(owner: Api, query: dict):
    assert owner.get("/metrics", **query).status_code == 400


def test_reading_runs_is_what_it_takes(member: Callable[..., Api]):
    assert member(Role.VIEWER).get("/metrics").status_code == 200
    assert member(Role.OWNER, scopes=("workflows:read",)).get("/metrics").status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_runs(owner: Api):
    workflow = owner.make()["id"]
    owner.get("/metrics")
    with CaptureQueriesContext(connection) as none:
        owner.get("/metrics")
    for _ in range(5):
        ended(owner, workflow)
    with CaptureQueriesContext(connection) as five:
        owner.get("/metrics")

    assert len(none) == len(five) <= 8


def _count_everything() -> None:
    """What `count_ended` does once every transaction of the server has ended; here the test's own is open."""
    until = datetime.now(UTC) + timedelta(minutes=1)
    with connection.cursor() as cursor:
        cursor.execute("insert into automation_tallymark values (1, now() - interval '10 days') on conflict do nothing")
        cursor.execute("select until from automation_tallymark")
        store.count_ended(cursor, since=cursor.fetchone()[0], until=until)


def test_figures_are_the_same_before_and_after_the_tally_and_when_the_runs_are_gone(owner: Api):
    workflow = owner.make()["id"]
    for seconds in (0, 0.5, 3, 200):
        ended(owner, workflow, seconds=seconds)
    ended(owner, workflow, RunStatus.TIMED_OUT, 30)
    before = owner.get("/metrics").json()

    _count_everything()
    after = owner.get("/metrics").json()
    with connection.cursor() as cursor:
        cursor.execute("delete from automation_rundata")
        cursor.execute("delete from automation_run")
    without = owner.get("/metrics").json()

    assert RunTally.objects.count() == 5
    assert before == after
    assert {**without, "failures": before["failures"]} == before  # why one failed goes with the run
    assert figures.ever() == {RunStatus.SUCCEEDED: 4, RunStatus.TIMED_OUT: 1}


def test_a_run_is_never_counted_twice(owner: Api):
    workflow = owner.make()["id"]
    ended(owner, workflow)
    _count_everything()
    TallyMark.objects.update(until=datetime.now(UTC) + timedelta(minutes=2))
    Run.objects.update(is_pinned=True)

    _count_everything()

    assert figures.summary(Stretch.of(Period.DAY)).total == 1


@pytest.mark.django_db(transaction=True)
def test_the_sweep_counts_what_has_ended_and_catches_up_by_the_day(owner: Api):
    run = ended(owner, owner.make()["id"])
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into automation_run (workspace_id, workflow_id, version_id, status, finishes, created_at,"
            " started_at, finished_at) select workspace_id, workflow_id, version_id, 50, 1, ago, ago, ago"
            " from automation_run, (values (now() - interval '3 days'), (now() - interval '1 hour')) x(ago)"
            " where id = %s",
            [run.id],
        )
        cursor.execute("update automation_run set created_at = now() - interval '3 days' where id = %s", [run.id])

    for _ in range(10):
        tally.count_ended()
        time.sleep(0.3)  # what ended within the last second is left to the next sweep
        if RunTally.objects.count() == 3:
            break

    assert RunTally.objects.count() == 3
    assert figures.summary(Stretch.of(Period.WEEK)).total == 3


def test_percentiles_are_right_to_a_tenth(owner: Api):
    """1, 2, 3 … 100 seconds: the median is 50, the 95th percentile 95."""
    workflow = owner.make()["id"]
    run = ended(owner, workflow)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into automation_run (workspace_id, workflow_id, version_id, status, finishes, started_at,"
            " finished_at) select workspace_id, workflow_id, version_id, 50, 1, now() - make_interval(secs => n), now()"
            " from automation_run, generate_series(2, 100) n where id = %s",
            [run.id],
        )

    found = figures.summary(Stretch.of(Period.DAY))

    assert found.total == 100
    assert found.p50_seconds == pytest.approx(50, rel=0.1)
    assert found.p95_seconds == pytest.approx(95, rel=0.1)
    assert found.average_seconds == pytest.approx(50.5)
