"""The parts of a run's page in a real browser: containers, loops, waits, effects, log, retry, replay."""

import pytest
from django.urls import reverse

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Approval, Replay
from automation.tests.admin.conftest import add_lines, add_step, make_run
from automation.tests.triggers.rows import make_workflow
from tests.browser.conftest import DESK, PHONE, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [("light", DESK), ("light", PHONE), ("dark", DESK), ("dark", PHONE)]
LOG = {"uses": "log", "with": {"message": "x"}}
WRITE = {"uses": "http.request", "with": {"method": "POST", "url": "https://api.example.com/orders"}}
DOCUMENT = {
    "schema": 1,
    "steps": [
        {"id": "fetch", "name": "Fetch the orders", "uses": "http.request", "with": {"url": "https://example.com"}},
        {
            "id": "care",
            "name": "Book with care",
            "needs": ["fetch"],
            "steps": [{"id": "book", "name": "Book the sum", **WRITE}],
            "try": {
                "catch": [{"id": "undo", "name": "Take it back", **WRITE}],
                "finally": [{"id": "note", "name": "Note it", **LOG}],
            },
        },
        {
            "id": "each",
            "name": "Each order",
            "needs": ["care"],
            "for_each": {"items": "{{ steps.fetch.output }}"},
            "steps": [{"id": "ship", **WRITE}],
        },
        {"id": "ask", "name": "Ask the boss", "uses": "approval", "needs": ["fetch"], "with": {"title": "Pay?"}},
    ],
}


def item(index, status, **more):
    effect = {"path": f"each[{index}].ship", "effect": "create", "status": status, "attempt": 1}
    return {"index": index, "label": f"Order A-{index:04}", "status": status, "attempt": 1, "effects": [effect], **more}


@pytest.fixture
def run(staff):
    """A run that shows a bit of everything: it waits for people, and one of its items failed."""
    run = make_run(make_workflow(name="Order fulfilment", definition=DOCUMENT), status=RunStatus.FAILED)
    add_step(run, "fetch", kind="http.request", output={"orders": 3}, is_kept=True)
    add_step(run, "care", kind="try", port="ok")
    add_step(run, "book", kind="http.request", effect="create", attempt=2)
    add_step(run, "undo", StepStatus.SKIPPED, reason={"message": "Nothing failed."})
    add_step(run, "note")
    said = {"type": "for_each", "items": 100, "succeeded": 91, "failed": 7}
    error = {"message": "7 items failed: the first with 503 Service Unavailable", "type": "http_status"}
    add_step(run, "each", StepStatus.FAILED, kind="for_each", reason=said, error=error)
    broken = {"message": "503 Service Unavailable from https://api.example.com/" + "x" * 90, "type": "http_status"}
    row = {"path": "each[93].ship", "kind": "http.request", "status": "failed", "attempt": 3, "error": broken}
    items = [item(index, "succeeded", output={"id": index}) for index in range(91)]
    items += [
        item(index, "failed", error=broken, steps=[row | {"path": f"each[{index}].ship"}]) for index in range(93, 100)
    ]
    add_step(run, "each[0-99]", StepStatus.FAILED, kind="for_each.batch", output={"of": "x", "items": items})
    add_step(run, "ask", StepStatus.UNKNOWN, kind="http.request", effect="send", error={"message": "Nobody knows."})
    add_lines(run, 120, "a-very-long-word-" * 8)
    return run


@pytest.fixture
def waiting(staff):
    """A run that waits for an approval and for another attempt."""
    run = make_run(make_workflow(definition=DOCUMENT), status=RunStatus.WAITING, wait_kind=WaitKind.APPROVAL)
    add_step(run, "fetch", StepStatus.RETRYING, finished_at=None, attempt=2, error={"message": "503 " + "x" * 60})
    add_step(run, "ask", StepStatus.WAITING, finished_at=None, reason={"type": "approval"})
    Approval.objects.create(workspace_id=run.workspace_id, run=run, path="ask", title="Pay 1,200 € to Acme?")
    return run


def address(run, name="page", *more):
    return reverse(f"admin:automation_run_{name}", args=[run.uid, *more])


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_part_of_a_run_is_sound(open_page, run, waiting, theme, width):
    page = open_page("/admin/", theme=theme, width=width)
    places = [
        address(run),
        address(run) + "?tab=effects",
        address(run) + "?tab=log",
        address(run, "items", "each"),
        address(run, "items", "each") + "?status=failed",
        address(run, "retry", "start"),
        address(waiting),
        "/admin/automation/replay/",
    ]
    for place in places:
        page.goto(page.url_of(place))
        page.evaluate("document.querySelectorAll('.bo details').forEach(fold => { fold.open = true })")

        assert (place, scrolls_sideways(page)) == (place, False)
        unnamed = "all => all.filter(e => !(e.textContent.trim() || e.ariaLabel || e.title)).length"
        assert (place, page.eval_on_selector_all(".bo a, .bo button", unnamed)) == (place, 0)
        without = "all => all.filter(e => e.type !== 'hidden' && !(e.labels.length || e.ariaLabel)).length"
        assert (place, page.eval_on_selector_all(".bo input, .bo select, .bo textarea", without)) == (place, 0)


def test_the_failed_items_are_two_clicks_away_and_can_be_retried(open_page, run):
    page = open_page(address(run))

    page.click("#step-each a:has-text('7 failed')")
    page.click("#item-93 > summary")
    page.click("#item-93 >> text=Retry from this item")

    assert page.input_value("#from") == "each[93]"
    page.click("button:has-text('Retry from each[93]')")
    page.wait_for_selector("text=Started. This is the new run.")


def test_the_retry_dialog_warns_of_effects_before_it_starts_anything(open_page, run):
    page = open_page(address(run))

    page.click("text=Run again")

    page.wait_for_selector("text=would happen a second time")
    page.select_option("#from", "failed")
    page.click("text=Show what follows")
    page.wait_for_selector("button:has-text('Retry from failed step')")
    assert run.retries.count() == 0


def test_runs_are_chosen_in_the_list_and_repeated_together(open_page, run):
    page = open_page("/admin/automation/run/")

    page.check("#action-toggle")
    page.select_option("select[name=action]", "repeat")
    page.click("button[name=index]")
    page.fill("#per_minute", "60")
    page.click("button:has-text('Repeat 1 run')")

    page.wait_for_selector("text=Ordered. Up to 60 runs a minute are started.")
    assert Replay.objects.get().total == 1
