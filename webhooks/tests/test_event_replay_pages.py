"""The admin's dialog of replays: it asks, rehearses, and starts nothing before it was confirmed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from automation.models import Replay, Run
from brainops.accounts.models import User
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db
LIST = "admin:webhooks_webhookevent_changelist"
DIALOG = "admin:webhooks_event_replay"


def staff(*permissions: str) -> Client:
    """A signed-in member of staff with these permissions; none named: all of them."""
    user = User.objects.create_user("staff@example.com", username="staff", is_staff=True, is_superuser=not permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def taken(endpoint, count: int = 1) -> list[WebhookEvent]:
    for number in range(count):
        Sender(endpoint).send({"ref": "main", "number": number}, delivery=f"d-{number}")
    return list(WebhookEvent.objects.order_by("received_at", "id"))


def ids(events: list[WebhookEvent]) -> str:
    return ",".join(str(event.id) for event in events)


def test_one_delivery_is_asked_about_and_then_run(endpoint):
    event, client = taken(endpoint)[0], staff()

    asked = client.post(reverse(DIALOG), {"events": ids([event])})
    assert (asked.status_code, Run.objects.count()) == (200, 1)
    assert "Would start a run" in asked.content.decode()

    done = client.post(reverse(DIALOG), {"events": ids([event]), "confirmed": "yes", "version": "latest"})

    made = Run.objects.exclude(uid=event.run_uid).get()
    assert done.headers["Location"] == reverse("admin:automation_run_page", args=[made.uid])


def test_several_are_ordered_as_a_replay(endpoint):
    events, client = taken(endpoint, 2), staff()

    client.post(reverse(DIALOG), {"events": ids(events), "confirmed": "yes", "per_minute": "30"})

    replay = Replay.objects.get()
    assert (replay.source, replay.total, replay.per_minute) == ("webhook_events", 2, 30)
    page = client.get(reverse("admin:automation_replay_page", args=[replay.id])).content.decode()
    assert "Replay of 2 deliveries" in page


def test_a_rehearsal_shows_each_delivery_and_starts_nothing(endpoint):
    events, client = taken(endpoint, 2), staff()

    page = client.post(reverse(DIALOG), {"events": ids(events), "rehearse": "yes"}).content.decode()

    assert page.count("succeeded") == 2
    assert (Run.objects.count(), Replay.objects.count()) == (2, 0)


def test_the_list_offers_it_and_refuses_deliveries_of_two_webhooks(endpoint):
    taken(endpoint)
    other = make.endpoint(endpoint.trigger.workflow)
    Sender(other).send({}, delivery="other")
    chosen = [str(id_) for id_ in WebhookEvent.objects.values_list("id", flat=True)]
    client = staff()

    one = client.post(reverse(LIST), {"action": "replay", "_selected_action": chosen[:1]})
    two = client.post(reverse(LIST), {"action": "replay", "_selected_action": chosen}, follow=True)

    assert "Replay 1 delivery" in one.content.decode()
    assert "of one webhook" in two.content.decode()


def test_who_may_only_look_cannot_replay(endpoint):
    event, client = taken(endpoint)[0], staff("view_webhookevent")

    page = client.get(reverse("admin:webhooks_webhookevent_change", args=[event.id]))
    refused = client.post(reverse(DIALOG), {"events": ids([event]), "confirmed": "yes"})

    assert (page.status_code, "Replay or rehearse" in page.content.decode()) == (200, False)
    assert (refused.status_code, Run.objects.count()) == (403, 1)


def test_it_is_never_done_by_looking(endpoint):
    assert staff().get(reverse(DIALOG)).status_code == 405


@pytest.mark.parametrize("words", ["refs/heads/main", "X-GitHub-Event", "d-1"], ids=["body", "header", "id"])
def test_the_list_finds_what_came_by_a_part_of_it(endpoint, words):
    Sender(endpoint).send({"ref": "refs/heads/main"}, delivery="d-1")
    Sender(make.endpoint(scheme="none")).post(b"{}", {"webhook-id": "other"})

    page = staff().get(reverse(LIST), {"q": words}).content.decode()

    assert ("d-1" in page, "other" in page) == (True, False)


def test_the_page_shows_the_delivery_as_a_command(endpoint):
    event, client = taken(endpoint)[0], staff()

    page = client.get(reverse("admin:webhooks_webhookevent_change", args=[event.id])).content.decode()

    assert "curl -i" in page
    assert "$X_HUB_SIGNATURE_256" in page
