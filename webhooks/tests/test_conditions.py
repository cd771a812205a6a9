"""Deliveries to a webhook whose trigger has a condition: stored in any case, run only if it holds."""

import pytest

from automation.models import Run, Trigger, Variable
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.services.states import known
from webhooks.tests import make
from webhooks.tests.make import DEFINITION, Sender

pytestmark = pytest.mark.django_db

WITH_TOTAL = {
    **DEFINITION,
    "inputs": {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
}


def conditional(condition, definition=DEFINITION):
    endpoint = make.endpoint(make.workflow(definition=definition))
    Trigger.objects.filter(id=endpoint.trigger_id).update(condition=condition)
    known.forget_all()
    return Sender(endpoint)


def test_a_delivery_for_which_the_condition_holds_starts_a_run():
    sender = conditional("{{ trigger.body.action == 'opened' and trigger.event == 'push' }}")

    assert sender.send({"action": "opened"}).status_code == 202
    assert Run.objects.count() == 1


def test_a_delivery_for_which_it_does_not_is_acknowledged_and_stored_with_the_reason():
    sender = conditional("{{ trigger.body.total > vars.least }}")
    Variable.objects.create(workspace=sender.endpoint.workspace, name="least", value=100)

    answer = sender.send({"total": 12}, delivery="d-1")
    again = sender.send({"total": 12}, delivery="d-1")

    event = WebhookEvent.objects.get()
    assert (answer.status_code, again.status_code) == (200, 200)
    assert (event.verdict, event.reason, event.duplicates) == (EventVerdict.ACKNOWLEDGED, "condition_false", 1)
    assert event.detail == (
        "The condition does not hold: {{ trigger.body.total > vars.least }} "
        "with trigger.body.total is 12, vars.least is 100."
    )
    assert Run.objects.count() == 0


def test_a_condition_that_cannot_be_evaluated_loses_no_delivery():
    sender = conditional("{{ trigger.body.total > 10 }}")

    answer = sender.send({"total": "many"})

    event = WebhookEvent.objects.get()
    assert (answer.status_code, event.verdict, event.reason) == (200, EventVerdict.ACKNOWLEDGED, "condition_failed")
    assert bytes(event.body) == b'{"total":"many"}'


def test_what_the_condition_passes_over_need_not_fit_the_inputs():
    sender = conditional("{{ trigger.body.kind == 'order' }}", WITH_TOTAL)

    passed_over = sender.send({"kind": "ping"})
    refused = sender.send({"kind": "order"})
    ran = sender.send({"kind": "order", "total": 3})

    assert [answer.status_code for answer in (passed_over, refused, ran)] == [200, 400, 202]
    assert Run.objects.get().data.input["inputs"]["total"] == 3
