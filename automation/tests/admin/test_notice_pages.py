"""The pages of notice rules: the list, the form, the page of one and its buttons."""

from __future__ import annotations

import pytest

from automation.models import NoticeDelivery, NoticeMute, NoticeRule
from automation.services.notice_decisions import decide_due
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.notices.rows import make_rule, make_workflow, make_workspace, run_once
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

LIST = "/admin/automation/noticerule/"


@pytest.fixture
def home():
    return make_workspace()


def posted(home, **values):
    usual = {
        "workspace": str(home.id),
        "name": "Failures",
        "is_active": "on",
        "events": ["first_failure", "recovered"],
        "scope": "all",
        "channel": "email",
        "recipient_lines": "ops@example.com\n",
        "repeat_minutes": "60",
        "max_per_hour": "20",
        "timezone": "UTC",
    }
    return {**usual, **values}


def test_a_rule_is_made_and_changed_by_the_form(admin_of_all, home):
    made = admin_of_all.post(f"{LIST}add/", posted(home))
    rule = NoticeRule.objects.get()

    assert (made.status_code, rule.recipients, rule.events) == (
        302,
        ["ops@example.com"],
        ["first_failure", "recovered"],
    )
    at = f"{LIST}{rule.id}/change/"
    assert "ops@example.com" in admin_of_all.get(at).content.decode()
    changed = admin_of_all.post(at, posted(home, name="Other", quiet_from="22:00", quiet_until="06:00"))
    rule.refresh_from_db()
    assert (changed.status_code, rule.name, f"{rule.quiet_from:%H:%M}") == (302, "Other", "22:00")
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "notice.create",
        "notice.update",
    ]


def test_the_form_says_what_the_service_refuses_beside_the_field(admin_of_all, home):
    page = admin_of_all.post(f"{LIST}add/", posted(home, recipient_lines="user:nobody"))

    assert page.status_code == 200
    assert "Nobody in this workspace answers to &#x27;user:nobody&#x27;" in page.content.decode()
    assert NoticeRule.objects.count() == 0


def test_a_workflow_of_another_workspace_is_refused(admin_of_all, home):
    theirs = make_workflow(make_workspace())

    page = admin_of_all.post(f"{LIST}add/", posted(home, scope="workflows", workflows=[str(theirs.id)]))

    assert "There is no workflow" in page.content.decode()
    assert NoticeRule.objects.count() == 0


def test_the_secret_of_a_webhook_is_shown_once(admin_of_all, home):
    values = posted(home, channel="webhook", recipient_lines="", url="https://hooks.example.com/x")

    after = admin_of_all.post(f"{LIST}add/", values, follow=True).content.decode()

    rule = NoticeRule.objects.get()
    assert rule.secret in after
    page = admin_of_all.get(f"{LIST}{rule.id}/").content.decode()
    form = admin_of_all.get(f"{LIST}{rule.id}/change/").content.decode()
    assert rule.secret not in page + form


def test_the_list_asks_the_same_number_of_queries_for_many_rules(admin_of_all, home, django_assert_max_num_queries):
    for number in range(20):
        make_rule(home, name=f"{EVIL} {number}")

    with django_assert_max_num_queries(12):
        html = admin_of_all.get(LIST).content.decode()

    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt; ") == 20
    assert EVIL not in html


def test_the_page_shows_deliveries_with_their_errors_and_sends_them_again(admin_of_all, home):
    rule, workflow = make_rule(home, name=EVIL), make_workflow(home, EVIL)
    run_once(workflow)
    decide_due()
    NoticeDelivery.objects.update(state="failed", last_error=f"554 {EVIL}")
    delivery = NoticeDelivery.objects.get()

    html = admin_of_all.get(f"{LIST}{rule.id}/").content.decode()
    again = admin_of_all.post(f"{LIST}{rule.id}/redeliver/", {"delivery": str(delivery.id)})

    assert "554 &lt;script&gt;" in html
    assert EVIL not in html
    delivery.refresh_from_db()
    assert (again.status_code, delivery.state) == (302, "pending")


def test_it_is_tested_muted_and_unmuted_by_buttons(admin_of_all, home, mailoutbox, settings):
    rule = make_rule(home)
    at = f"{LIST}{rule.id}/"

    tested = admin_of_all.post(f"{at}test/", follow=True).content.decode()
    admin_of_all.post(f"{at}mute/", {"for": "1d"})
    muted = admin_of_all.get(at).content.decode()
    admin_of_all.post(f"{at}mute/")

    assert "The test reached ops@example.com." in tested
    assert len(mailoutbox) == 1
    assert "Unmute" in muted
    assert NoticeMute.objects.count() == 0


def test_a_rule_is_deleted_through_the_service(admin_of_all, home):
    rule = make_rule(home)

    admin_of_all.post(f"{LIST}{rule.id}/delete/", {"post": "yes"})

    assert (NoticeRule.objects.count(), AuditEntry.objects.get().action) == (0, "notice.delete")


def test_who_may_look_does_nothing(home):
    looker, rule = make_staff("view_noticerule"), make_rule(home)
    at = f"{LIST}{rule.id}/"

    assert (looker.get(LIST).status_code, looker.get(at).status_code) == (200, 200)
    assert {looker.post(f"{at}{verb}/").status_code for verb in ("test", "mute", "redeliver")} == {403}
    assert looker.post(f"{LIST}add/", posted(home)).status_code == 403
    assert make_staff().get(at).status_code == 403


@pytest.mark.parametrize("verb", ["test", "mute", "redeliver"])
def test_looking_does_nothing(admin_of_all, home, verb):
    assert admin_of_all.get(f"{LIST}{make_rule(home).id}/{verb}/").status_code == 405
