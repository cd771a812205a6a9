"""`order_by`: runs of one value go one after another, in the order in which their deliveries came."""

from collections import defaultdict
from itertools import pairwise

import pytest

from automation.engine.limits import ORDERED, place_of
from automation.engine.plan import settings_of
from automation.models import Limit, Run, RunData, Workflow
from webhooks.models import WebhookEvent
from webhooks.services import buffers
from webhooks.tests import make
from webhooks.tests.make import Sender
from webhooks.tests.test_intake import in_parallel

BY_ORDER = {"order_by": "{{ trigger.body.order }}"}
NAP = {"schema": 1, "steps": [{"id": "nap", "uses": "delay", "with": {"for": "5ms"}}]}
FAIL = {"schema": 1, "steps": [{"id": "no", "uses": "fail", "with": {"message": "no"}}]}

pytestmark = pytest.mark.django_db(transaction=True)


def ordered(definition=NAP, **config):
    return make.endpoint(make.workflow(definition=definition), config={**BY_ORDER, **config})


def statuses():
    return [run.status_word for run in Run.objects.order_by("id")]


def by_key():
    """The runs of each key in the order of arrival, with what their delivery said."""
    found = defaultdict(list)
    for data in RunData.objects.select_related("run").order_by("run_id"):
        body = data.input["trigger"]["body"]
        found[body["order"]].append((data.run, body["n"]))
    return found


def test_a_second_delivery_of_a_value_waits_and_another_value_does_not():
    sender = Sender(ordered())

    for order in ("a", "a", "b", "a"):
        sender.send({"order": order, "n": 0})

    assert statuses() == ["queued", "blocked", "queued", "blocked"]
    assert {limit.capacity for limit in Limit.objects.all()} == {1}


def test_twenty_senders_at_once_keep_the_order_of_each_value(worker, all_ended):
    endpoint = ordered()

    in_parallel(20, lambda one: [Sender(endpoint).send({"order": f"o{one}", "n": n}) for n in range(5)])
    ended = all_ended()

    assert ended == [50] * 100
    assert len(by_key()) == 20
    for runs in by_key().values():
        assert [n for _, n in runs] == [0, 1, 2, 3, 4]
        assert all(later.started_at >= earlier.finished_at for (earlier, _), (later, _) in pairwise(runs))


def test_twenty_senders_of_one_value_run_one_after_another_as_they_arrived(worker, all_ended):
    endpoint = ordered()

    in_parallel(20, lambda one: [Sender(endpoint).send({"order": "same", "n": f"{one}.{n}"}) for n in range(3)])
    all_ended()

    (runs,) = by_key().values()
    arrived = WebhookEvent.objects.order_by("received_at").values_list("run_uid", flat=True)
    assert len(runs) == 60
    assert all(later.started_at >= earlier.finished_at for (earlier, _), (later, _) in pairwise(runs))
    assert set(arrived) == {run.uid for run, _ in runs}


def test_a_run_that_fails_lets_the_next_one_go_on(worker, all_ended):
    sender = Sender(ordered(FAIL))

    for n in range(4):
        sender.send({"order": "a", "n": n})

    assert all_ended() == [51] * 4


def test_two_endpoints_of_one_workflow_keep_their_own_order():
    flow = make.workflow(definition=NAP)
    senders = [Sender(make.endpoint(flow, config=BY_ORDER)) for _ in range(2)]

    for sender in senders:
        sender.send({"order": "a", "n": 0})

    assert statuses() == ["queued", "queued"]


def test_a_value_that_cannot_be_told_is_refused():
    response = Sender(ordered()).send({"n": 0})

    assert (response.status_code, response.json()["problems"][0]["code"]) == (400, "limit_key")
    assert Run.objects.count() == 0


def test_a_limit_that_the_workflow_got_later_is_refused_and_never_breaks_the_order():
    sender = Sender(ordered())
    flow = Workflow.objects.get()
    flow.current_version = make.version_of(flow, {**NAP, "settings": {"concurrency": {"limit": 3}}}, ordinal=2)
    flow.save()

    response = sender.send({"order": "a", "n": 0})

    assert (response.status_code, response.json()["code"]) == (409, "order_conflict")
    assert WebhookEvent.objects.get().reason == "order_conflict"


def test_what_waited_in_a_buffer_keeps_its_order_too():
    sender = Sender(ordered(when_paused="buffer"))
    sender.endpoint.trigger.is_active = False
    sender.endpoint.trigger.save()
    for n in range(3):
        sender.send({"order": "a", "n": n})
    sender.endpoint.trigger.is_active = True
    sender.endpoint.trigger.save()

    buffers.release_due()

    assert statuses() == ["queued", "blocked", "blocked"]
    assert [n for _, n in by_key()["a"]] == [0, 1, 2]


def test_a_repeat_of_an_ordered_delivery_is_known():
    sender = Sender(ordered())

    answers = in_parallel(20, lambda _: sender.send({"order": "a", "n": 0}, delivery="d-1"))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert Run.objects.count() == 1


@pytest.mark.parametrize("value", [ORDERED, f"{ORDERED}x:y", "in order", "in order:"])
def test_no_value_of_a_workflow_s_own_key_passes_for_an_order(value):
    flow = make.workflow()
    settings = settings_of({"settings": {"concurrency": {"limit": 9, "key": "{{ inputs.k }}"}}})

    slot = place_of(settings, flow.id, inputs={"k": value}, trigger=None).slot

    _, middle, *rest = slot.key.split(":")
    assert not (middle == ORDERED.rstrip(":") and any(rest))
