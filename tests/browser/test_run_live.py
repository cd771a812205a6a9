"""A run is watched while it runs: a real worker, a real browser."""

import re

import pytest
from django.urls import reverse

from automation.models import Run
from automation.tests.triggers.rows import make_workflow

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAITS = {
    "schema": 1,
    "steps": [
        {"id": "pause", "name": "Wait a little", "uses": "delay", "with": {"for": "3s"}},
        {"id": "say", "name": "Say it", "uses": "log", "needs": ["pause"], "with": {"message": "It is done"}},
    ],
    "output": {"text": "ready"},
}
FAILS = {
    "schema": 1,
    "steps": [
        {"id": "first", "uses": "transform", "with": {"set": {"a": 1}}},
        {"id": "break", "uses": "fail", "needs": ["first"], "with": {"message": "It broke"}},
    ],
}


def start(open_page, definition):
    workflow = make_workflow(definition=definition)
    page = open_page(reverse("admin:automation_workflow_page", args=[workflow.id]))
    page.click("text=Run now")
    page.click("button:has-text('Run now')")
    page.wait_for_url(re.compile(r"/run/[0-9a-f-]{36}/$"))
    return page


def test_the_page_of_a_run_follows_it_to_its_end(open_page, runtime):
    page = start(open_page, WAITS)
    page.click("#step-say > summary")  # opened by hand, and still open after each refresh

    page.wait_for_selector(".bo-title .bo-pill:has-text('Succeeded')", timeout=15_000)

    assert page.get_attribute("#step-say", "open") == ""
    assert "ready" in page.inner_text("#data-output pre")
    assert page.title().startswith("Succeeded · ")
    assert page.inner_text("#run-said") == "Succeeded"
    assert page.locator("text=Cancel").count() == 0
    assert page.is_visible("text=Run again")
    page.click(".bo-tabs >> text=Log")
    assert page.is_visible(".bo-log >> text=It is done")


def test_a_waiting_run_is_cancelled_by_two_clicks(open_page, runtime):
    page = start(open_page, {**WAITS, "steps": [{"id": "pause", "uses": "delay", "with": {"for": "1h"}}]})
    page.wait_for_selector(".bo-title .bo-pill:has-text('Waits for a timer')", timeout=10_000)

    page.click("text=Cancel")
    page.click("button:has-text('Cancel run')")

    page.wait_for_selector(".bo-title .bo-pill:has-text('Cancelled')", timeout=10_000)


def test_a_failed_run_is_retried_by_two_clicks(open_page, runtime):
    page = start(open_page, FAILS)
    page.wait_for_selector(".bo-title .bo-pill:has-text('Failed')", timeout=10_000)
    assert page.is_visible("#step-break .bo-banner >> text=It broke")

    page.click("text=Retry from failed step")
    page.click("button:has-text('Retry from failed step')")

    page.wait_for_selector("text=Started. This is the new run.")
    page.wait_for_selector(".bo-title .bo-pill:has-text('Failed')", timeout=10_000)
    assert page.inner_text("#step-first .bo-end") == "kept"
    assert Run.objects.count() == 2


def test_a_lost_connection_is_said(open_page, staff):
    workflow = make_workflow(definition=WAITS)
    page = open_page(reverse("admin:automation_workflow_page", args=[workflow.id]))
    page.click("text=Run now")
    page.click("button:has-text('Run now')")
    page.wait_for_selector("#run-live-mark")

    page.evaluate("() => { window.fetch = () => Promise.reject(new Error('away')) }")

    page.wait_for_selector("text=Connection lost, trying again", timeout=5_000)
