"""What the installation says by itself: noted where it happens, told where somebody listens."""

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import (
    Approval,
    Event,
    EventDelivery,
    QueuedEvent,
    Run,
    RunMode,
    Source,
    Trigger,
    Workflow,
    WorkflowVersion,
)
from automation.services.system_events import TYPES
from automation.tests.events.rows import items_of, listen, queued, runs_of, settle
from automation.tests.notices.rows import begin, end, run_once
from automation.tests.triggers.rows import make_workflow

pytestmark = pytest.mark.django_db

ENDS = {
    RunStatus.SUCCEEDED: "brainops.run.succeeded",
    RunStatus.FAILED: "brainops.run.failed",
    RunStatus.CANCELLED: "brainops.run.cancelled",
    RunStatus.TIMED_OUT: "brainops.run.timed_out",
}


@pytest.fixture
def watched():
    """A workflow in the workspace of a trigger that wants nothing of it."""
    return make_workflow(name="Watched")


@pytest.mark.parametrize(("status", "type_"), ENDS.items())
def test_the_end_of_a_run_is_told(watched, status, type_):
    trigger = listen(type_)

    run = run_once(watched, status)
    settle()

    (seen,) = items_of(trigger)
    assert (seen["run_id"], seen["workflow_id"], seen["status"]) == (str(run.uid), str(watched.id), status.word)
    event = Event.objects.get()
    assert (event.name, event.subject, event.source) == (
        type_,
        str(run.uid),
        f"/api/v1/automation/workflows/{watched.id}",
    )


def test_only_the_ends_that_somebody_wants_are_noted(watched):
    listen("brainops.run.failed")
    listen("order.*")

    run_once(watched, RunStatus.SUCCEEDED)

    assert queued() == 0


def test_nothing_is_noted_where_nobody_listens(watched):
    run_once(watched)
    watched.delete()

    assert queued() == 0


def test_a_test_run_is_nobodys_business(watched):
    listen("brainops.*")

    run_once(watched, mode=int(RunMode.TEST))

    assert queued() == 0


def test_the_error_of_a_run_is_told_without_its_data(watched):
    trigger = listen("brainops.run.failed")

    run_once(watched)
    settle()

    assert items_of(trigger)[0]["error"] == {"type": "failed", "message": "No such order.", "step": "look"}


def test_a_filter_picks_the_runs_of_one_workflow(watched):
    trigger = listen("brainops.run.*", data={"workflow_id": [str(watched.id)]})
    other = make_workflow(name="Other")

    run_once(other)
    run = run_once(watched)
    settle()

    assert [seen["run_id"] for seen in items_of(trigger)] == [str(run.uid)]


def test_a_question_and_its_answer_are_told(watched):
    trigger = listen("brainops.approval.*")
    run = begin(watched)

    approval = Approval.objects.create(workspace=watched.workspace, run=run, path="ask", title="Pay?")
    settle()
    Approval.objects.filter(id=approval.id).update(state="approved", decided_by="ada")
    settle()

    asked, decided = items_of(trigger)
    assert (asked["state"], asked["title"], asked["step"], asked["run_id"]) == ("pending", "Pay?", "ask", str(run.uid))
    assert (decided["state"], decided["decided_by"], decided["approval_id"]) == ("approved", "ada", str(approval.id))


def test_changes_of_a_workflow_are_told(watched):
    trigger = listen("brainops.workflow.*")
    version = WorkflowVersion.objects.create(
        workspace=watched.workspace, workflow=watched, ordinal=2, number="1.0.1", definition={}, checksum="1" * 64
    )

    Workflow.objects.filter(id=watched.id).update(current_version=version)
    Workflow.objects.filter(id=watched.id).update(is_active=False)
    Workflow.objects.filter(id=watched.id).update(is_active=True)
    Workflow.objects.filter(id=watched.id).update(description="another text")
    Workflow.objects.filter(id=watched.id).delete()
    settle()

    types = [run.data.input["trigger"]["event"]["type"] for run in runs_of(trigger)]
    assert types == [f"brainops.workflow.{what}" for what in ("published", "deactivated", "activated", "deleted")]
    assert items_of(trigger)[0] == {
        "workflow_id": str(watched.id),
        "workflow": "Watched",
        "version": "1.0.1",
        "note": "",
    }


def test_a_source_that_cannot_be_read_is_told_once_and_its_recovery_too(watched):
    trigger = listen("brainops.trigger.*")
    polled = Trigger.objects.create(workspace=watched.workspace, workflow=watched, kind="imap", name="Box")
    source = Source.objects.create(trigger=polled, workspace=watched.workspace)

    for failures in (1, 2, 3, 4, 0, 1):
        Source.objects.filter(trigger=source.trigger_id).update(failures=failures, last_error_code="timeout")
    settle()

    types = [run.data.input["trigger"]["event"]["type"] for run in runs_of(trigger)]
    assert types == ["brainops.trigger.failing", "brainops.trigger.recovered"]
    assert (items_of(trigger)[0]["trigger_id"], items_of(trigger)[0]["code"]) == (str(polled.id), "timeout")


def test_a_run_that_is_gone_makes_no_event(watched):
    trigger = listen("brainops.run.*")
    run = run_once(watched)
    run.delete()

    settle()

    assert (runs_of(trigger), Event.objects.count(), queued()) == ([], 0, 0)


def test_an_event_about_a_run_that_an_event_started_has_one_hop_more(watched):
    again = listen("brainops.run.failed", workflow=watched)

    run_once(watched)
    settle()
    (second,) = runs_of(again)
    end(second)
    settle()

    assert list(Event.objects.order_by("created_at").values_list("hops", flat=True)) == [0, 1]


def test_workflows_that_listen_to_all_ends_of_runs_do_not_start_each_other_for_ever(watched):
    listening = [listen("brainops.run.succeeded", name=f"L{number}") for number in range(3)]

    run_once(watched, RunStatus.SUCCEEDED)
    for _ in range(20):
        settle()
        for run in Run.objects.filter(status__lt=50):
            end(run, RunStatus.SUCCEEDED)

    # each order of the three, and each beginning of one: 3 + 3 * 2 + 3 * 2 * 1
    assert sum(len(runs_of(one)) for one in listening) == 15
    assert set(EventDelivery.objects.values_list("state", "code")) == {("ran", ""), ("skipped", "circle")}


def test_every_type_that_the_database_notes_is_declared():
    with connection.cursor() as cursor:
        cursor.execute("select prosrc from pg_proc where proname like 'automation\\_queue\\_%'")
        text = "".join(source for (source,) in cursor.fetchall())

    assert {one for one in TYPES if f"'{one}'" in text} == set(TYPES)
    assert QueuedEvent.objects.count() == 0
