"""What a sender is answered, and what stands in the database then."""

from uuid import UUID

import pytest

from automation.models import Run, RunData, RunMode
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db


def test_a_signed_delivery_starts_a_run_and_is_answered_with_its_address():
    sender = Sender(make.endpoint())

    response = sender.send({"ref": "refs/heads/main"}, delivery="d-1")

    event, run = WebhookEvent.objects.get(), Run.objects.get()
    assert response.status_code == 202
    assert response.json() == {"run": str(run.uid), "event": str(event.id)}
    assert response.headers["Location"] == f"/api/v1/automation/runs/{run.uid}"


def test_the_run_is_told_what_came():
    sender = Sender(make.endpoint())

    sender.send(
        {"ref": "main"},
        delivery="d-1",
        query="from=test&from=again&token=xyz",
        headers={"X-Custom": "yes", "Cookie": "a=b"},
    )

    event, data = WebhookEvent.objects.get(), RunData.objects.get()
    trigger = data.input["trigger"]
    assert data.input["inputs"] == {}
    assert trigger == {
        "kind": "webhook",
        "event": "push",
        "delivery": "d-1",
        "body": {"ref": "main"},
        "method": "POST",
        "path": {},
        "query": {"from": ["test", "again"], "token": "•••"},
        "headers": {
            "x-hub-signature-256": "•••",
            "x-github-delivery": "d-1",
            "x-github-event": "push",
            "x-custom": "yes",
            "cookie": "•••",
            "content-type": "application/json",
        },
        "content_type": "application/json",
        "received_at": trigger["received_at"],
        "event_id": str(event.id),
        "is_test": False,
    }


def test_the_event_keeps_the_delivery_as_it_came():
    sender = Sender(make.endpoint())
    raw = b'{ "ref" :  "main" }\n'

    sender.send(raw, delivery="d-1")

    event, run = WebhookEvent.objects.get(), Run.objects.get()
    assert (event.verdict, event.status, event.reason) == (EventVerdict.ACCEPTED, 202, "")
    assert (bytes(event.body), event.size_bytes, event.content_type) == (raw, len(raw), "application/json")
    assert (event.delivery_id, event.event_type, event.run_uid) == ("d-1", "push", run.uid)
    assert (event.remote_addr, event.is_test, event.duplicates) == ("127.0.0.1", False, 0)
    assert make.SECRET not in str(event.headers)


def test_the_run_stands_under_its_endpoints_workspace_workflow_and_trigger():
    endpoint = make.endpoint()

    Sender(endpoint).send({}, delivery="d-1")

    run = Run.objects.get()
    assert (run.workspace_id, run.workflow_id) == (endpoint.workspace_id, endpoint.trigger.workflow_id)
    assert (run.trigger_id, run.version_id) == (endpoint.trigger_id, endpoint.trigger.workflow.current_version_id)
    assert (run.mode, run.dedupe_key) == (RunMode.ASYNC, f"hook:{endpoint.id}:d-1")


def test_a_run_gets_the_deadline_of_its_workflow():
    made = make.workflow(definition={**make.DEFINITION, "settings": {"timeout": "1h"}})

    Sender(make.endpoint(made)).send({})

    run = Run.objects.get()
    assert (run.deadline_at - run.created_at).total_seconds() == pytest.approx(3600, abs=5)


def test_one_round_trip_is_all_a_delivery_needs(django_assert_num_queries):
    sender = Sender(make.endpoint())
    sender.send({})

    with django_assert_num_queries(1):
        response = sender.send({})

    assert response.status_code == 202


def test_a_ping_is_answered_without_a_run():
    sender = Sender(make.endpoint())

    response = sender.send({"zen": "Keep it logically awesome."}, event="ping", delivery="p-1")

    event = WebhookEvent.objects.get()
    assert response.status_code == 200
    assert response.json() == {
        "run": None,
        "event": str(event.id),
        "reason": "ping",
        "detail": "The signature is right. A ping starts no run.",
    }
    assert (event.verdict, event.reason, Run.objects.count()) == (EventVerdict.ACKNOWLEDGED, "ping", 0)


def test_an_event_that_the_endpoint_does_not_listen_to_starts_no_run():
    sender = Sender(make.endpoint(event_types=["push", "release"]))

    answers = [sender.send({}, event=event) for event in ("release", "issues")]

    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[1].json()["reason"] == "event_not_wanted"
    assert Run.objects.count() == 1


def test_standard_webhooks_name_their_event_in_the_body():
    Sender(make.endpoint(scheme="standard")).send({"type": "order.paid"}, delivery="msg_1")

    assert WebhookEvent.objects.get().event_type == "order.paid"


def test_an_endpoint_without_signatures_takes_what_comes_each_time():
    sender = Sender(make.endpoint(scheme="none"))

    statuses = [sender.post(b'{"id":1}', {}).status_code for _ in range(2)]

    assert (statuses, Run.objects.count()) == ([202, 202], 2)


class TestRepeats:
    def test_a_repeated_delivery_gets_the_first_answer_and_no_second_run(self):
        sender = Sender(make.endpoint())

        first, second = (sender.send({"n": 1}, delivery="d-1") for _ in range(2))

        assert (second.status_code, second.json()) == (200, first.json())
        assert second.headers["Brainops-Duplicate"] == "true"
        assert second.headers["Location"] == first.headers["Location"]
        assert "Brainops-Duplicate" not in first.headers
        assert (Run.objects.count(), WebhookEvent.objects.get().duplicates) == (1, 1)

    def test_a_repeated_ping_is_counted(self):
        sender = Sender(make.endpoint())

        first, second = (sender.send({}, delivery="p-1", event="ping") for _ in range(2))

        assert (second.status_code, second.json()["event"]) == (200, first.json()["event"])
        assert (second.json()["run"], second.json()["reason"]) == (None, "ping")
        assert WebhookEvent.objects.get().duplicates == 1

    def test_the_same_delivery_id_at_another_endpoint_is_another_delivery(self):
        made = make.workflow()

        statuses = [Sender(make.endpoint(made)).send({}, delivery="d-1").status_code for _ in range(2)]

        assert (statuses, Run.objects.count()) == ([202, 202], 2)

    def test_a_refused_request_does_not_use_up_the_id_of_a_delivery(self):
        sender = Sender(make.endpoint())

        forged = sender.post(b"{}", {"X-GitHub-Delivery": "d-1", "X-Hub-Signature-256": "sha256=" + "0" * 64})
        genuine = sender.send({}, delivery="d-1")

        assert (forged.status_code, genuine.status_code) == (401, 202)

    def test_a_repeat_is_known_by_its_run_when_the_event_was_deleted(self):
        sender = Sender(make.endpoint())
        first = sender.send({}, delivery="d-1")
        WebhookEvent.objects.all().delete()

        second = sender.send({}, delivery="d-1")

        assert (second.status_code, second.json()) == (200, {"run": first.json()["run"], "event": None})

    @pytest.mark.django_db(transaction=True)
    def test_a_repeat_is_known_by_its_event_when_the_run_was_deleted(self):
        sender = Sender(make.endpoint())
        first = sender.send({}, delivery="d-1")
        Run.objects.all().delete()

        second = sender.send({}, delivery="d-1")

        assert (second.status_code, second.json()) == (200, first.json())
        assert Run.objects.count() == 0


class TestInputs:
    SCHEMA = {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "count": {"type": "integer", "default": 1}},
        "required": ["order_id"],
    }

    def hook(self, **fields):
        return make.endpoint(make.workflow(definition={**make.DEFINITION, "inputs": self.SCHEMA}), **fields)

    def test_the_body_becomes_the_inputs_of_a_workflow_that_declares_some(self):
        Sender(self.hook()).send({"order_id": "A1", "extra": True})

        assert RunData.objects.get().input["inputs"] == {"order_id": "A1", "count": 1, "extra": True}

    def test_fixed_inputs_of_the_trigger_win_over_the_body(self):
        Sender(self.hook(inputs={"count": 7})).send({"order_id": "A1", "count": 99})

        assert RunData.objects.get().input["inputs"] == {"order_id": "A1", "count": 7}

    def test_a_body_that_does_not_fit_is_refused_with_its_places(self):
        response = Sender(self.hook()).send({"count": "many"})

        problems = response.json()["problems"]
        assert response.status_code == 400
        assert sorted(problem["pointer"] for problem in problems) == ["", "/count"]
        event = WebhookEvent.objects.get()
        assert (event.verdict, event.status, event.reason) == (EventVerdict.REJECTED, 400, "invalid_input")
        assert Run.objects.count() == 0


class TestUnknownAddresses:
    @pytest.mark.parametrize(
        "webhook_id", ["6e7c1a94-52d3-4f8b-a0c9-1d2e3f4a5b33", str(UUID(int=0)), "nonsense", "0", "%00", "a" * 500]
    )
    def test_every_unknown_address_gets_a_404_and_stores_nothing(self, client, webhook_id):
        address = f"/api/v1/automation/webhooks/{webhook_id}/receive"

        response = client.post(address, b"{}", content_type="application/json")

        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert WebhookEvent.objects.count() == 0

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
    def test_only_post_is_answered(self, client, method):
        response = getattr(client, method)(make.endpoint().path)

        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
