"""Approvals are found and decided with a mouse or a thumb, in both themes."""

import pytest
from django.urls import reverse

from automation.tests.approvals.rows import ask, state
from brainops.accounts.models import Workspace
from tests.browser.conftest import DESK, PHONE, scrolls_sideways
from tests.browser.test_pages import MAIN_TEXTS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [("light", DESK), ("light", PHONE), ("dark", DESK), ("dark", PHONE)]
LIST = "/admin/automation/approval/"
FORM = {
    "type": "object",
    "required": ["percent"],
    "properties": {
        "percent": {"type": "number", "minimum": 1, "maximum": 20, "title": "Discount in percent"},
        "plan": {"enum": ["gold", "silver"], "title": "Plan", "description": "What the customer will have."},
        "urgent": {"type": "boolean", "title": "Tell the customer at once", "default": True},
        "until": {"type": "string", "format": "date", "title": "Until"},
        "note": {"type": "string", "maxLength": 2000, "title": "Note for the customer"},
    },
}
MESSAGE = "Acme has asked twice.\nThe last discount ended in March; " + "a-very-long-word-" * 12


@pytest.fixture
def approval(staff):
    home = Workspace.objects.create(name="Acme", slug="acme")
    ask(home, title="Refund 7 EUR to " + "somebody-with-a-long-name-" * 6, assignees=("group:finance", "role:admin"))
    ask(home, title='Did "pay" happen?', kind="unknown", path="pay")
    return ask(home, title="Grant Acme a discount?", message=MESSAGE, form=FORM, expires_seconds=7200, quorum=1)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_pages_of_approvals_are_sound(open_page, approval, theme, width):
    page = open_page(LIST, theme=theme, width=width)
    for address in (LIST, LIST + "?state=all", reverse("admin:automation_approval_page", args=[approval.id])):
        page.goto(page.url_of(address))
        cut = page.eval_on_selector_all(MAIN_TEXTS, "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length")

        assert (address, cut, scrolls_sideways(page)) == (address, 0, False)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_approval_is_decided_by_hand(open_page, approval, width):
    page = open_page(LIST, width=width)
    page.click("text=Grant Acme a discount?")
    page.fill("input[type=number]", "5")
    page.select_option("select[name='data.plan']", label="gold")
    page.fill("#comment", "As agreed.")

    page.click("button:has-text('Approve')")
    page.wait_for_selector("h2:has-text('Approve: Grant Acme a discount?')")
    assert state(approval.run) == ("waiting", 0)
    page.click("button:has-text('Approve')")

    page.wait_for_selector("text=Your answer counts.")
    assert state(approval.run) == ("queued", 1)
    approval.refresh_from_db()
    assert (approval.data, approval.comment) == ({"percent": 5, "plan": "gold", "urgent": True}, "As agreed.")
