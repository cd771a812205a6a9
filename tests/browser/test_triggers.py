"""The pages of triggers in a real browser: nothing breaks, nothing scrolls sideways, in both themes and on a phone."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from automation.models import Source, Trigger
from automation.services.sources import follow
from automation.tests.arrivals.conftest import inbox  # noqa: F401 - a fixture
from automation.tests.arrivals.rows import bring, items, make_trigger
from automation.tests.triggers.rows import make_schedule, make_workflow
from automation.triggers import all_trigger_kinds
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDER = "place => [...document.querySelectorAll(place)].some(box => box.scrollWidth > box.clientWidth)"
LONG = "Orders that come by mail from all of the shops between Kiel and Passau"


@pytest.fixture
def trigger(inbox):  # noqa: F811 - the fixture
    made = make_trigger(make_workflow(name=LONG), name=LONG, condition="{{ trigger.item.name != 'b' }}")
    follow(all_trigger_kinds()["inbox"], made, None)
    bring(made, items("a", "b", f"<{'long' * 40}@shop.example.com>"))
    Source.objects.update(
        failures=3,
        failing_since=Now() - timedelta(hours=2),
        last_error="The mailbox imap.example.com:993 does not answer: connection timed out after 20 seconds.",
        last_error_code="unreachable",
        waits_for="The workflow's limit is full: 1 of 1 runs are under way.",
        waits_since=Now() - timedelta(minutes=5),
    )
    make_schedule(make_workflow(name="Nightly report"), name="At night", due=timedelta(hours=1))
    return made


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_health_of_triggers_fits_every_screen(open_page, trigger, theme, width):
    page = open_page("/admin/automation/trigger/health/", theme=theme, width=width)

    assert page.locator("table tbody tr").count() == Trigger.objects.count() == 2
    assert "does not answer" in page.locator("table tbody tr").first.inner_text()

    page.goto(page.url_of(f"/admin/automation/trigger/{trigger.id}/"))
    assert page.get_by_role("button", name="Look now").is_visible()
    assert not page.evaluate(WIDER, ".bo-scroll")

    page.get_by_role("link", name="Try it").click()
    page.fill("#data", '{"name": "b"}')
    page.get_by_role("button", name="Show what it would do").click()
    assert "It would start no run" in page.locator("[role=status]").inner_text()
