"""The dry run's page in a browser: filled in, sent, read; on a desk and on a phone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from automation.tests.admin.test_dry_run_page import DEFINITION
from automation.tests.triggers.rows import make_workflow
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(("theme", "width"), [("light", DESK), ("dark", PHONE)])
def test_a_dry_run_is_asked_for_and_read(open_page, theme, width):
    workflow = make_workflow(name="Welcome")
    workflow.definition = DEFINITION
    workflow.save()
    page = open_page(reverse("admin:automation_workflow_page", args=[workflow.id]), theme=theme, width=width)

    page.get_by_role("link", name="Dry run").click()
    page.get_by_role("button", name="Rehearse").click()

    page.get_by_role("heading", name="Effects").wait_for()
    assert page.get_by_text("POST https://mail.example/send").is_visible()
    assert page.get_by_text("not known yet").is_visible()
