"""The admin pages: they show what came as text, and no secret."""

import pytest
from django.urls import reverse

from brainops.accounts.models import User
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("staff@example.com", username="staff"))
    return client


def page(staff, name, *args):
    response = staff.get(reverse(f"admin:webhooks_{name}", args=args))
    assert response.status_code == 200
    return response.content.decode()


def test_endpoints_are_listed_and_shown_without_their_secrets(staff):
    endpoint = make.endpoint(previous_secret="the-secret-before-this-one-000", previous_valid_until="2099-01-01T00:00Z")

    pages = page(staff, "webhookendpoint_changelist") + page(staff, "webhookendpoint_change", endpoint.pk)

    assert str(endpoint.id) in pages
    assert "2099-01-01" in pages
    assert make.SECRET not in pages
    assert "the-secret-before-this-one" not in pages
    assert str(endpoint.__dict__["secret"]) not in pages


def test_an_unsigned_endpoint_is_marked(staff):
    make.endpoint(scheme="none")

    assert "None (anybody may send)" in page(staff, "webhookendpoint_changelist")


def test_what_a_sender_wrote_stays_text(staff):
    endpoint = make.endpoint()
    Sender(endpoint).send({"name": HOSTILE}, event=HOSTILE, headers={"X-Name": HOSTILE, "User-Agent": HOSTILE})
    Sender(endpoint).post(HOSTILE.encode(), {"X-GitHub-Delivery": HOSTILE})

    pages = page(staff, "webhookevent_changelist") + "".join(
        page(staff, "webhookevent_change", event.pk) for event in WebhookEvent.objects.all()
    )

    assert "<script>alert(1)" not in pages
    assert "<img src=x" not in pages
    assert "&lt;script&gt;alert(1)" in pages


def test_events_can_be_reached_from_their_endpoint(staff):
    endpoint = make.endpoint()
    Sender(endpoint).send({}, delivery="mine")
    Sender(make.endpoint()).send({}, delivery="not-mine")
    address = reverse("admin:webhooks_webhookevent_changelist")

    shown = staff.get(f"{address}?endpoint__id__exact={endpoint.pk}").content.decode()

    assert "mine" in shown
    assert "not-mine" not in shown


@pytest.mark.parametrize("model", ["webhookendpoint", "webhookevent"])
def test_nobody_adds_here(staff, model):
    assert staff.get(reverse(f"admin:webhooks_{model}_add")).status_code == 403


def test_a_list_of_events_needs_a_fixed_number_of_queries(staff, django_assert_max_num_queries):
    for _ in range(5):
        Sender(make.endpoint()).send({})

    with django_assert_max_num_queries(12):
        page(staff, "webhookevent_changelist")
