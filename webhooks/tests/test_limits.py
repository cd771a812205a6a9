"""Deliveries to a workflow with a limit: each is answered honestly, and none is lost that was promised."""

from __future__ import annotations

import pytest

from automation.models import Run
from webhooks.models import AnswerMode, WebhookEvent
from webhooks.tests.make import DEFINITION, Sender, endpoint, workflow

pytestmark = pytest.mark.django_db(transaction=True)


def sender(**settings):
    return Sender(endpoint(workflow(definition={**DEFINITION, "settings": settings})))


def test_a_delivery_beyond_the_limit_is_accepted_and_its_run_waits():
    to = sender(concurrency={"limit": 1, "key": "{{ trigger.body.customer }}"})

    codes = [to.send({"customer": name}).status_code for name in ("a", "a", "b")]

    assert codes == [202, 202, 202]
    assert [run.status_word for run in Run.objects.order_by("id")] == ["queued", "blocked", "queued"]


def test_a_skipped_delivery_is_acknowledged_with_the_reason_and_so_is_its_repeat():
    to = sender(concurrency={"limit": 1, "when_full": "skip"})
    to.send({}, delivery="first")

    answer, repeat = to.send({}, delivery="second"), to.send({}, delivery="second")

    event = WebhookEvent.objects.get(delivery_id="second")
    said = "The workflow's limit is full: 1 of 1 runs are under way."
    expected = {"run": None, "event": str(event.id), "reason": "limit_skipped"}
    assert (answer.status_code, answer.json()) == (200, {**expected, "detail": said})
    assert (repeat.status_code, repeat.json()) == (200, expected)
    assert to.send({}, delivery="first").json()["run"] == str(Run.objects.get().uid)


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [({"when_full": "fail"}, 409, "limit_full"), ({"queue_limit": 1}, 429, "limit_queue_full")],
)
def test_a_refused_delivery_may_be_sent_again_and_is_then_taken(rule, status, code):
    to = sender(concurrency={"limit": 1, **rule})
    for number in range(1 + rule.get("queue_limit", 0)):
        assert to.send({}, delivery=f"d{number}").status_code == 202

    refused = to.send({}, delivery="late")
    assert (refused.status_code, refused.json()["code"]) == (status, code)

    Run.objects.update(status=52, finishes=1, finished_at="2026-01-01T00:00:00Z")
    taken = to.send({}, delivery="late")
    assert (taken.status_code, Run.objects.filter(status=10).count()) == (202, 1)


def test_gathered_deliveries_name_their_run_and_each_is_taken_once():
    to = sender(debounce={"wait": "1h"})

    answers = [to.send({"n": n}, delivery=name).json() for n, name in enumerate(("a", "b", "b"))]

    run = Run.objects.select_related("data").get()
    assert [answer["run"] for answer in answers] == [str(run.uid)] * 3
    assert run.data.input["trigger"]["body"] == {"n": 1}
    assert WebhookEvent.objects.count() == 2


def test_a_delivery_whose_key_cannot_be_told_is_refused():
    to = sender(concurrency={"limit": 1, "key": "{{ trigger.body.customer | int }}"})

    answer = to.send({"customer": "nobody"})

    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (400, "limit_key")


def test_a_sender_that_waits_for_the_answer_goes_to_the_interactive_queue():
    made = workflow()
    waits, others = endpoint(made, answer=AnswerMode.RESPOND, wait_seconds=1), endpoint(made)
    Sender(waits).send({})
    Sender(others).send({})

    assert list(Run.objects.order_by("id").values_list("queue", flat=True)) == ["interactive", "default"]
