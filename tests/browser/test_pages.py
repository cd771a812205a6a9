"""Every page, in both themes, on a desk and on a phone: no error, no sideways scroll, nothing cut."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from automation.engine.status import RunStatus, StepStatus
from automation.models import Event, EventDelivery, NoticeDelivery, Trigger, Variable, Worker
from automation.services.notice_decisions import decide_due
from automation.tests.admin.conftest import EVIL, add_lines, add_step, make_run
from automation.tests.notices.rows import make_rule, run_once
from automation.tests.triggers.rows import make_schedule, make_workflow
from tests.browser.conftest import DESK, PHONE, scrolls_sideways
from webhooks.tests.outbound.rows import put, subscribe

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [("light", DESK), ("light", PHONE), ("dark", DESK), ("dark", PHONE)]
MAIN_TEXTS = ".bo h2, .bo .bo-pill, .bo .bo-button, .bo .bo-title > span"


@pytest.fixture
def addresses(staff):
    """An installation with a bit of everything, by page."""
    workflow = make_workflow(name=f"Order fulfilment {EVIL}")
    workflow.tags = ["orders", "critical"]
    workflow.save()
    trigger = make_schedule(workflow, name="Morning", due=timedelta(hours=1))
    run = make_run(workflow, status=RunStatus.FAILED, inputs={"text": "a-very-long-word-" * 40})
    add_step(run, "say", output={"text": "a-very-long-word-" * 40}, port="true")
    add_step(run, "send", StepStatus.FAILED, error={"message": "503 from https://" + "x" * 300})
    add_lines(run, 120, "a-very-long-word-" * 20)
    Worker.objects.create(name="host/0", host="host", pid=1)
    rule = make_rule(workflow.workspace, name=f"Failures {EVIL}", recipients=["role:operator", "ops@example.com"])
    run_once(workflow)
    decide_due()
    NoticeDelivery.objects.update(state="failed", last_error="554 " + "a-very-long-word-" * 20)
    automation = "/admin/automation"
    return {
        "overview": "/admin/",
        "workflows": f"{automation}/workflow/",
        "workflow": reverse("admin:automation_workflow_page", args=[workflow.id]),
        "run now": reverse("admin:automation_workflow_run", args=[workflow.id]),
        "runs": f"{automation}/run/",
        "figures": f"{automation}/run/figures/",
        "run": reverse("admin:automation_run_page", args=[run.uid]),
        "retry": reverse("admin:automation_run_retry", args=[run.uid, "failed"]),
        "triggers": f"{automation}/trigger/",
        "trigger": reverse("admin:automation_trigger_page", args=[trigger.id]),
        "ledger": f"{automation}/trigger/ledger/",
        "notices": f"{automation}/noticerule/",
        "notice": reverse("admin:automation_noticerule_page", args=[rule.id]),
        "notice form": reverse("admin:automation_noticerule_change", args=[rule.id]),
        "events": f"{automation}/event/",
        "event": reverse("admin:automation_event_page", args=[dead_letter(workflow).event_id]),
        "event deliveries": f"{automation}/eventdelivery/",
        "workers": f"{automation}/worker/",
        "beat": "/admin/django_celery_beat/periodictask/",
        "webhook endpoints": "/admin/webhooks/webhookendpoint/",
        **pages_of_a_subscription(workflow),
        "variables": f"{automation}/variable/",
        "variable": f"{automation}/variable/{long_variable(workflow).id}/change/",
        "secrets": f"{automation}/secret/",
        "new secret": f"{automation}/secret/add/",
        "import": f"{automation}/workflow/import/",
        "versions": reverse("admin:automation_workflow_versions", args=[workflow.id]),
        "audit log": "/admin/audit/auditentry/",
        "users": "/admin/accounts/user/",
        "user": f"/admin/accounts/user/{staff.id}/change/",
        "workspace": f"/admin/accounts/workspace/{workflow.workspace_id}/change/",
        "new workspace": "/admin/accounts/workspace/add/",
        "members": "/admin/accounts/membership/",
        "invitations": "/admin/accounts/invitation/",
        "api keys": "/admin/accounts/apikey/",
        "sessions": "/admin/accounts/loginsession/",
        "identities": "/admin/accounts/identity/",
        "sign-in security": "/admin/security/",
    }


def dead_letter(workflow):
    """An event that did not reach its trigger, with a long reason."""
    home = workflow.workspace
    event = Event.objects.create(
        workspace=home, name="order.paid", source="https://x/" + "y" * 300, payload={"a": EVIL}
    )
    trigger = Trigger.objects.create(workspace=home, workflow=workflow, kind="event", config={"type": "order.*"})
    said = {"state": "dead", "code": "refused", "reason": "a-very-long-word-" * 20}
    return EventDelivery.objects.create(workspace=home, event=event, trigger=trigger, position=1, **said)


def pages_of_a_subscription(workflow):
    sent = outbound(workflow)
    ids = [sent.subscription_id]
    return {
        "subscriptions": "/admin/webhooks/subscription/",
        "subscription": reverse("admin:webhooks_subscription_page", args=ids),
        "subscription form": reverse("admin:webhooks_subscription_change", args=ids),
        "what a subscription was sent": reverse("admin:webhooks_subscription_delivery", args=[*ids, sent.id]),
    }


def outbound(workflow):
    """A subscription with long words in it, and a delivery that failed."""
    long = "a-very-long-word-" * 20
    told = {"url": f"https://hooks.example.com/{long}", "types": ["run.*", f"order.{long[:150]}"], "tags": ["orders"]}
    row = subscribe(workflow.workspace, told.pop("url"), *told.pop("types"), headers={"Authorization": "x" * 9}, **told)
    row.description, row.failures, row.failing_since = f"Status page {EVIL}", 7, timezone.now()
    row.save()
    sent = put(row, state="failed", last_error=f"The receiver answered 500: {long}", body={"data": long})
    sent.tries.create(began_at=timezone.now(), duration_ms=84, status=500, answer=long)
    return sent


def long_variable(workflow):
    """A value that is wider than a phone."""
    name, value = "region_" + "x" * 40, {"text": "a-very-long-word-" * 20}
    return Variable.objects.create(workspace=workflow.workspace, name=name, value=value)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_page_is_sound(open_page, addresses, theme, width):
    page = open_page("/admin/", theme=theme, width=width)
    for name, address in addresses.items():
        page.goto(page.url_of(address))
        is_dark = page.evaluate("document.documentElement.classList.contains('dark')")
        cut = page.eval_on_selector_all(MAIN_TEXTS, "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length")

        sideways = scrolls_sideways(page)

        assert (name, is_dark, cut, sideways) == (name, theme == "dark", 0, False)


def test_rows_of_a_list_are_chosen_and_paused_together(open_page, addresses):
    page = open_page(addresses["workflows"])

    page.check("#action-toggle")
    page.select_option("select[name=action]", "pause")
    page.click("button[name=index]")

    page.wait_for_selector("text=Paused 1 workflow.")
    assert page.inner_text(".bo-pill").endswith("Paused")


def test_a_filter_is_chosen_from_the_sheet(open_page, addresses):
    page = open_page(addresses["runs"])

    page.click("text=Filters")
    page.click("#changelist-filter >> text=Succeeded")

    page.wait_for_selector("text=No run matches.")


def test_the_keyboard_opens_a_step(open_page, addresses):
    page = open_page(addresses["run"])
    page.focus("#step-say > summary")

    page.keyboard.press("Enter")

    assert page.get_attribute("#step-say", "open") == ""


def test_a_value_wider_than_a_phone_is_wrapped_and_not_cut(open_page, addresses):
    page = open_page(addresses["variables"], width=PHONE)

    cut = page.eval_on_selector_all(
        "#result_list td", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )

    assert cut == 0


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_api_is_shown_in_the_colours_of_the_admin(open_page, theme, width):
    page = open_page("/admin/api/", theme=theme, width=width)
    page.wait_for_selector(".opblock")

    page.locator(".opblock-summary-control").first.click()
    page.wait_for_selector(".opblock-body .example")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert colour == {"light": "rgb(250, 250, 250)", "dark": "rgb(28, 32, 34)"}[theme]
