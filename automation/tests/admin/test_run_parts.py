"""What the page of a run shows of containers, loops, waits and effects."""

import pytest
from django.urls import reverse

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Approval
from automation.tests.admin.conftest import EVIL, add_step, make_run
from automation.tests.triggers.rows import make_workflow

pytestmark = pytest.mark.django_db

LOG = {"uses": "log", "with": {"message": "x"}}
NESTED = {
    "schema": 1,
    "steps": [
        {
            "id": "care",
            "name": "With care",
            "steps": [{"id": "risky", **LOG}],
            "try": {"catch": [{"id": "mend", **LOG}], "finally": [{"id": "tidy", **LOG}]},
        },
        {"id": "loop", "name": "Each order", "for_each": {"items": [1, 2, 3]}, "steps": [{"id": "inner", **LOG}]},
    ],
}


@pytest.fixture
def looping(db):
    """A run with a loop of which one item failed."""
    run = make_run(make_workflow(definition=NESTED), status=RunStatus.FAILED)
    said = {"type": "for_each", "items": 3, "succeeded": 2, "failed": 1}
    add_step(run, "loop", StepStatus.FAILED, reason=said, error={"message": "One failed."})
    step = {"path": "loop[1].inner", "kind": "log", "status": "failed", "attempt": 2, "error": {"message": EVIL}}
    items = [
        {"index": 0, "status": "succeeded", "attempt": 1, "output": {"n": EVIL}},
        {"index": 1, "status": "failed", "attempt": 2, "label": EVIL, "error": {"message": "Broken"}, "steps": [step]},
        {"index": 2, "status": "succeeded", "attempt": 1, "label": "Order 17"},
    ]
    add_step(run, "loop[0-2]", StepStatus.FAILED, kind="for_each.batch", output={"of": "x", "items": items})
    return run


def view(client, run, **query):
    answer = client.get(reverse("admin:automation_run_page", args=[run.uid]), query)
    assert answer.status_code == 200, answer.content
    return answer.context["run"], answer.content.decode()


def items(client, run, path="loop", **query):
    return client.get(reverse("admin:automation_run_items", args=[run.uid, path]), query)


def test_steps_stand_below_their_container_and_those_of_loops_in_its_items(admin_of_all, looping):
    run, _html = view(admin_of_all, looping)

    assert [(row.path, row.place.depth, row.place.stage, row.kind) for row in run.timeline.rows] == [
        ("care", 0, "", "try"),
        ("risky", 1, "", "log"),
        ("mend", 1, "when it fails", "log"),
        ("tidy", 1, "in the end", "log"),
        ("loop", 0, "", "for_each"),
    ]


def test_a_loop_shows_how_far_it_is_and_its_first_failed_items(admin_of_all, looping):
    _run, html = view(admin_of_all, looping)

    assert 'aria-valuemax="3" aria-valuenow="3"' in html
    assert "3 of 3 items, 1 failed" in html
    assert "Broken" in html
    assert EVIL not in html


def test_the_items_of_a_loop_are_shown_in_pages(admin_of_all, looping):
    every, failed = items(admin_of_all, looping), items(admin_of_all, looping, status="failed")

    assert [line.title for line in every.context["view"].lines] == ["Item 0", EVIL, "Order 17"]
    assert [line.index for line in failed.context["view"].lines] == [1]
    assert [line.index for line in items(admin_of_all, looping, after="0").context["view"].lines] == [1, 2]
    html = every.content.decode()
    assert (EVIL in html, "Retry from this item" in html) == (False, True)
    assert reverse("admin:automation_run_retry", args=[looping.uid, "loop[1]"]) in html


def test_items_of_nothing_are_not_found_and_lookers_cannot_retry_them(admin_of_all, looker, looping):
    assert items(admin_of_all, looping, "nothing").status_code == 404
    assert "Retry from this item" not in items(looker, looping).content.decode()


def test_waits_are_listed_with_a_way_to_answer(admin_of_all):
    run = make_run(status=RunStatus.WAITING, wait_kind=WaitKind.APPROVAL)
    Approval.objects.create(workspace_id=run.workspace_id, run=run, path="say", title="Pay 7 euros?")
    add_step(run, "say", StepStatus.WAITING, finished_at=None, reason={"type": "approval"})

    shown, html = view(admin_of_all, run)

    assert [(wait.look.word, wait.title) for wait in shown.waits] == [("Needs approval", "say")]
    assert "Pay 7 euros?" in html


def test_a_blocked_run_says_its_position(admin_of_all):
    workflow = make_workflow()
    first, second = (make_run(workflow, status=RunStatus.BLOCKED, limit_key=f"{workflow.id}:k") for _ in range(2))

    waits = [view(admin_of_all, run)[0].waits[0].waited for run in (first, second)]

    said = [(wait.type, wait.details["key"], wait.details["position"], wait.details["waiting"]) for wait in waits]
    assert said == [("limit", "k", 1, 2), ("limit", "k", 2, 2)]
    assert waits[0].details["message"] == "No limit holds it back any more: it starts within a second."


def test_called_runs_are_linked(admin_of_all):
    run = make_run()
    child = make_run(make_workflow(name="Billing"), called_by_run=run, called_by_path="bill")

    _shown, html = view(admin_of_all, run)

    assert reverse("admin:automation_run_page", args=[child.uid]) in html
    assert "by bill" in html


def test_the_effects_of_a_run_are_shown_with_how_sure_they_are(admin_of_all):
    run = make_run()
    add_step(run, "say", StepStatus.UNKNOWN, effect="send", error={"message": EVIL, "type": "unknown_outcome"})

    shown, html = view(admin_of_all, run, tab="effects")
    _shown, none = view(admin_of_all, run, tab="effects", status="confirmed")

    assert [(line.row.path, line.row.effect, line.look.word) for line in shown.effects.lines] == [
        ("say", "send", "Outcome unknown")
    ]
    assert EVIL not in html
    assert "No effect of this run" in none


def test_runs_with_an_unknown_outcome_are_found_in_the_list(admin_of_all):
    run, _other = make_run(), make_run()
    add_step(run, "say", StepStatus.UNKNOWN, effect="send")

    answer = admin_of_all.get("/admin/automation/run/", {"unknown": "yes"})

    assert [found.uid for found in answer.context["cl"].result_list] == [run.uid]


def test_a_tab_that_is_none_shows_the_steps(admin_of_all, looping):
    assert view(admin_of_all, looping, tab="x")[0].tab == "steps"


def test_kept_steps_are_marked(admin_of_all):
    run = make_run()
    add_step(run, "say", is_kept=True)

    assert '<span class="bo-tag">kept</span>' in view(admin_of_all, run)[1]
