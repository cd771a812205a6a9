"""A webhook's trigger: tried with what came, and how it is doing."""

import pytest
from django.db.models.functions import Now

from automation.models import Run, RunMode, Trigger
from webhooks.models import WebhookEvent
from webhooks.services.states import known
from webhooks.tests import make
from webhooks.tests.make import Sender, call

pytestmark = pytest.mark.django_db

TRIGGERS = "/api/v1/automation/triggers"


@pytest.fixture
def sender():
    return Sender(make.endpoint())


@pytest.fixture
def client(sender):
    home = sender.endpoint.workspace
    return make.api(make.person(home), home)


def trial(client, sender, body=None):
    return call(client, "post", f"{TRIGGERS}/{sender.endpoint.trigger_id}/test", body)


def health(client, sender):
    return client.get(f"{TRIGGERS}/{sender.endpoint.trigger_id}/health").json()


def set_condition(sender, text):
    Trigger.objects.filter(id=sender.endpoint.trigger_id).update(condition=text)
    known.forget_all()


def test_it_is_tried_with_the_newest_genuine_delivery(client, sender):
    sender.send({"total": 7}, delivery="d-1")
    sender.post(b"{}", {"x-hub-signature-256": "sha256=00"})
    set_condition(sender, "{{ trigger.body.total > 10 }}")

    body = trial(client, sender).json()

    assert (body["would_run"], body["code"]) == (False, "condition_false")
    assert body["operands"] == [{"expression": "trigger.body.total", "value": 7}]
    assert (body["trigger"]["kind"], body["trigger"]["delivery"]) == ("webhook", "d-1")
    assert body["sample"]["id"] == str(WebhookEvent.objects.get(delivery_id="d-1", run_uid__isnull=False).id)


def test_what_the_condition_passed_over_can_be_tried_with_another_condition(client, sender):
    set_condition(sender, "{{ trigger.body.total > 10 }}")
    sender.send({"total": 7}, delivery="d-1")
    set_condition(sender, "{{ trigger.body.total > 5 }}")

    body = trial(client, sender, {"sample_id": str(WebhookEvent.objects.get().id), "run": True})

    run = Run.objects.get()
    assert (body.status_code, body.json()["run_id"], run.mode) == (202, str(run.uid), RunMode.TEST)
    assert run.data.input["trigger"]["body"] == {"total": 7}


def test_it_is_tried_with_a_given_body(client, sender):
    body = trial(client, sender, {"data": {"total": 12}}).json()

    assert (body["would_run"], body["trigger"]["body"], body["sample"]["id"]) == (True, {"total": 12}, None)


def test_what_nobody_signed_is_no_sample(client, sender):
    sender.post(b"{}", {"x-hub-signature-256": "sha256=00"})

    refused = trial(client, sender, {"sample_id": str(WebhookEvent.objects.get().id)})

    assert (refused.status_code, trial(client, sender).json()["code"]) == (404, "no_sample")


def test_refused_deliveries_are_trouble_until_a_genuine_one_comes(client, sender):
    assert health(client, sender)["state"] == "never_ran"

    sender.post(b"{}", {"x-hub-signature-256": "sha256=00"})
    failing = health(client, sender)
    sender.send({"total": 7}, delivery="d-1")
    fine = health(client, sender)
    sender.post(b"{}", {"x-hub-signature-256": "sha256=00"})  # anybody may send that
    still_fine = health(client, sender)

    event = WebhookEvent.objects.earliest("received_at")
    assert (failing["state"], failing["last_error"]["code"]) == ("failing", event.reason)
    assert failing["counts"] == {"rejected": 1}
    assert (fine["state"], fine["last_error"]) == ("ok", None)
    assert (still_fine["state"], still_fine["counts"]) == ("ok", {"rejected": 2, "accepted": 1})


def test_a_condition_that_cannot_be_evaluated_is_trouble(client, sender):
    set_condition(sender, "{{ trigger.body.total > 10 }}")
    sender.send({"total": "many"}, delivery="d-1")
    WebhookEvent.objects.update(received_at=Now())

    body = health(client, sender)

    assert (body["state"], body["last_error"]["code"], body["counts"]) == (
        "failing", "condition_failed", {"condition failed": 1},
    )  # fmt: skip
