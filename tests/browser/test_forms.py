"""A hosted form, filled in by somebody without a login; and the form that starts a run by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from automation.models import Run
from automation.tests.arrivals.rows import runs_of
from automation.tests.triggers.test_form import ORDER, make_form
from tests.browser.conftest import DESK, PHONE


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE], ids=["desk", "phone"])
def test_a_form_is_filled_in_and_sent(open_page: Any, theme: str, width: int):
    trigger = make_form(fields=["mail", "count", "gift", "paper"], description="It comes on Monday.")

    page = open_page(f"/forms/{trigger.id}", theme=theme, width=width)
    page.get_by_label("Your address").fill("ada@example.com")
    page.get_by_label("Count").fill("3")
    page.get_by_label("Gift").check()
    page.get_by_label("Paper").select_option(label="A3")
    page.get_by_role("button", name="Send").click()

    assert page.get_by_role("status").inner_text() == "Thank you. It was sent."
    (run,) = runs_of(trigger)
    assert run.data.input["inputs"] == {"mail": "ada@example.com", "count": 3, "gift": True, "paper": "A3"}


def test_a_run_is_started_by_hand_with_fields(open_page: Any):
    trigger = make_form(definition=ORDER)

    page = open_page(reverse("admin:automation_workflow_run", args=[trigger.workflow_id]))
    page.get_by_label("Your address").fill("ada@example.com")
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/automation/run/**")

    assert Run.objects.get().data.input["inputs"]["mail"] == "ada@example.com"
