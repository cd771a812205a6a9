"""The pages of subscriptions: the list, the form, the page of one, of one delivery, and the buttons."""

from __future__ import annotations

import pytest

from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.admin.conftest import admin_of_all as admin_of_all
from automation.tests.notices.rows import make_workflow
from brainops.audit.models import AuditEntry
from webhooks.models import OutboundDelivery, Subscription
from webhooks.tests import make
from webhooks.tests.outbound.receiver import Answer
from webhooks.tests.outbound.rows import URL, put, send_all, subscribe

pytestmark = pytest.mark.django_db

LIST = "/admin/webhooks/subscription/"
VERBS = ("test", "switch", "rotate", "redeliver", "replay")


def posted(home, **values):
    usual = {
        "workspace": str(home.id),
        "description": "Status page",
        "url": URL,
        "is_active": "on",
        "type_lines": "run.failed\nworkflow.*\n",
        "tag_names": "eu, crm",
        "header_lines": "Authorization: Bearer a:b",
        "max_parallel": "2",
    }
    return {**usual, **values}


def test_a_subscription_is_made_and_changed_by_the_form_and_its_secrets_are_shown_once(admin_of_all, home):
    made = admin_of_all.post(f"{LIST}add/", posted(home), follow=True).content.decode()
    row = Subscription.objects.get()

    assert (row.types, row.tags, row.max_parallel) == (["run.failed", "workflow.*"], ["eu", "crm"], 2)
    assert row.header_values == {"Authorization": "Bearer a:b"}
    assert row.secret in made
    at = f"{LIST}{row.id}/change/"
    form, page = admin_of_all.get(at).content.decode(), admin_of_all.get(f"{LIST}{row.id}/").content.decode()
    assert "Authorization: •••" in form
    for secret in (row.secret, "Bearer a:b"):
        assert secret not in form + page
    changed = admin_of_all.post(at, posted(home, description="Other", header_lines="Authorization: •••"))
    row.refresh_from_db()
    assert (changed.status_code, row.description, row.header_values) == (302, "Other", {"Authorization": "Bearer a:b"})
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "subscription.create",
        "subscription.update",
    ]


def test_the_form_says_what_the_service_refuses_beside_the_field(admin_of_all, home):
    values = posted(home, type_lines="run.*.x", url="http://169.254.169.254/", header_lines="Host: x")

    page = admin_of_all.post(f"{LIST}add/", values).content.decode()

    assert "is no type of events" in page
    assert "169.254.169.254" in page
    assert Subscription.objects.count() == 0


def test_a_workflow_of_another_workspace_is_refused_and_one_that_is_gone_stays(admin_of_all, home):
    theirs, gone = make_workflow(make.workspace()), make_workflow(home)
    page = admin_of_all.post(f"{LIST}add/", posted(home, workflows=[str(theirs.id)])).content.decode()
    assert "There is no workflow" in page

    admin_of_all.post(f"{LIST}add/", posted(home, workflows=[str(gone.id)]))
    row = Subscription.objects.get()
    gone_id = str(gone.id)
    gone.delete()
    admin_of_all.post(f"{LIST}{row.id}/change/", posted(home, description="Other", header_lines=""))

    row.refresh_from_db()
    assert (row.description, row.workflow_ids, row.header_names) == ("Other", [gone_id], [])


def test_the_list_asks_the_same_number_of_queries_for_many_rows(admin_of_all, home, django_assert_max_num_queries):
    for number in range(20):
        put(subscribe(home, URL, description=f"{EVIL} {number}"), state="failed")

    with django_assert_max_num_queries(12):
        html = admin_of_all.get(LIST).content.decode()

    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt; ") == 20
    assert EVIL not in html


def test_the_pages_show_what_was_sent_with_every_try_as_text(admin_of_all, home, receiver):
    receiver.usual = Answer(500, body=EVIL.encode())
    row = subscribe(home, receiver.url, description=EVIL)
    delivery = put(row, type="order.paid", body={"type": "order.paid", "timestamp": "", "data": EVIL})
    send_all()

    page = admin_of_all.get(f"{LIST}{row.id}/").content.decode()
    one = admin_of_all.get(f"{LIST}{row.id}/deliveries/{delivery.id}/").content.decode()

    assert EVIL not in page + one
    assert "The receiver answered 500" in page
    assert ("order.paid" in one, "&lt;script&gt;alert(1)" in one, ">500<" in one) == (True, True, True)
    other = subscribe(home, URL)
    assert admin_of_all.get(f"{LIST}{other.id}/deliveries/{delivery.id}/").status_code == 404


def test_it_is_tested_switched_and_rotated_by_buttons(admin_of_all, home, receiver):
    row = subscribe(home, receiver.url)
    at, old = f"{LIST}{row.id}/", row.secret

    assert "The test arrived." in admin_of_all.post(f"{at}test/", follow=True).content.decode()
    assert "It hears of nothing now." in admin_of_all.post(f"{at}switch/", follow=True).content.decode()
    assert Subscription.objects.get().off_reason == "person"
    assert "It hears of events again." in admin_of_all.post(f"{at}switch/", follow=True).content.decode()
    rotated = admin_of_all.post(f"{at}rotate/", follow=True).content.decode()

    row = Subscription.objects.get()
    assert (row.secret in rotated, row.previous_secret) == (True, old)


def test_deliveries_are_sent_again_one_by_one_and_all_that_failed(admin_of_all, home):
    row = subscribe(home, URL)
    at = f"{LIST}{row.id}/"
    one, two = put(row, state="failed"), put(row, state="dropped")

    admin_of_all.post(f"{at}redeliver/", {"delivery": str(one.id)})
    assert dict(OutboundDelivery.objects.values_list("id", "state")) == {one.id: "pending", two.id: "dropped"}
    said = admin_of_all.post(f"{at}replay/", {"span": "1w"}, follow=True).content.decode()

    assert "Deliveries that are sent again: 1." in said
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"pending"}
    refused = admin_of_all.post(f"{at}redeliver/", {"delivery": "x"}, follow=True)
    assert refused.status_code == 200


def test_a_subscription_is_deleted_through_the_service(admin_of_all, home):
    row = subscribe(home, URL)

    admin_of_all.post(f"{LIST}{row.id}/delete/", {"post": "yes"})

    assert (Subscription.objects.count(), AuditEntry.objects.get().action) == (0, "subscription.delete")


def test_who_may_look_does_nothing(home):
    looker, row = make_staff("view_subscription"), subscribe(home, URL)
    at = f"{LIST}{row.id}/"

    assert (looker.get(LIST).status_code, looker.get(at).status_code) == (200, 200)
    assert {looker.post(f"{at}{verb}/").status_code for verb in VERBS} == {403}
    assert looker.post(f"{LIST}add/", posted(home)).status_code == 403
    assert make_staff().get(at).status_code == 403


@pytest.mark.parametrize("verb", VERBS)
def test_looking_does_nothing(admin_of_all, home, verb):
    assert admin_of_all.get(f"{LIST}{subscribe(home, URL).id}/{verb}/").status_code == 405
