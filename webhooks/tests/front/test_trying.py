"""The test address: listens while somebody has opened it, keeps samples, and never touches what is real."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections

from automation.models import Run, RunMode, StoredFile
from brainops.accounts.models import Role
from brainops.core import clock
from webhooks.models import TestDelivery, UnmatchedRequest, WebhookEndpoint, WebhookEvent
from webhooks.services import tried_deliveries
from webhooks.tests import make
from webhooks.tests.front.forms import file, form
from webhooks.tests.make import ROOT, Sender, call

pytestmark = pytest.mark.django_db


def listen(endpoint, client, **given):
    return call(client, "post", f"{ROOT}/{endpoint.id}/listen", given)


def client_of(endpoint, role=Role.OWNER):
    return make.api(make.person(endpoint.workspace, role), endpoint.workspace, role)


class Trier(Sender):
    """Sends to the test address what it signs for the webhook."""

    def post(self, raw, headers, *, behind="", content_type="application/json", method="POST", **meta):
        self.endpoint.refresh_from_db()
        path = self.endpoint.test_path + behind
        return self.client.generic(method, path, raw, content_type, headers=headers, **meta)


@pytest.fixture
def opened(endpoint, owner):
    listen(endpoint, owner)
    return Trier(endpoint)


def test_the_address_is_another_one_and_listens_only_while_it_is_open(endpoint, owner):
    sender = Trier(endpoint)

    before = sender.send({"a": 1})
    answer = listen(endpoint, owner, seconds=60)
    during = sender.send({"a": 1})
    stopped = owner.delete(f"{ROOT}/{endpoint.id}/listen")
    after = sender.send({"a": 1})

    endpoint.refresh_from_db()
    assert answer.json()["test_url"] == endpoint.test_url
    assert str(endpoint.id) not in endpoint.test_url
    assert [one.status_code for one in (before, during, stopped, after)] == [404, 202, 204, 404]


def test_it_ends_by_itself(endpoint, owner, monkeypatch):
    listen(endpoint, owner, seconds=60)
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert Trier(endpoint).send({}).status_code == 404


def test_one_that_does_not_listen_is_as_unknown_as_one_that_is_none(endpoint):
    closed = Trier(endpoint).post(b"{}", {})
    unknown = Trier(endpoint).client.post(f"{ROOT}/test/{uuid4()}", b"{}", content_type="application/json")

    bodies = [one.content.replace(one.headers["X-Request-Id"].encode(), b"") for one in (closed, unknown)]
    assert (closed.status_code, bodies[0]) == (404, bodies[1])
    assert sorted(UnmatchedRequest.objects.values_list("reason", flat=True)) == [
        "not_listening",
        "unknown_test_address",
    ]


def test_a_delivery_becomes_a_sample_with_all_that_a_run_would_see(opened, owner):
    answer = opened.send({"ref": "main"}, delivery="d-1", headers={"Cookie": "a=b"})

    sample = owner.get(f"{ROOT}/{opened.endpoint.id}/test-deliveries/latest").json()
    assert (answer.status_code, answer.json()) == (202, {"test": sample["id"], "run": None})
    assert (sample["trigger"]["body"], sample["trigger"]["is_test"], sample["inputs"]) == ({"ref": "main"}, True, {})
    assert (sample["headers"]["cookie"], sample["body"]["text"]) == ("•••", '{"ref":"main"}')
    assert (sample["status"], sample["reason"], sample["delivery_id"], sample["event_type"]) == (202, "", "d-1", "push")
    assert make.SECRET not in str(sample)


def test_nothing_real_is_touched(opened):
    opened.send({}, delivery="d-1")

    counts = (WebhookEvent.objects.count(), Run.objects.count(), TestDelivery.objects.count())
    genuine = Sender(opened.endpoint).send({}, delivery="d-1")
    assert (counts, genuine.status_code) == ((0, 0, 1), 202)


def test_the_same_delivery_may_be_tried_again_and_again(opened):
    statuses = [opened.send({}, delivery="d-1").status_code for _ in range(3)]

    assert (statuses, TestDelivery.objects.count()) == ([202] * 3, 3)


def test_a_wrong_signature_is_shown_with_its_reason(opened, owner):
    answer = opened.post(b"{}", {"X-Hub-Signature-256": "sha256=" + "0" * 64})

    sample = owner.get(f"{ROOT}/{opened.endpoint.id}/test-deliveries/latest").json()
    assert (answer.status_code, sample["status"], sample["reason"], sample["trigger"]) == (
        401,
        401,
        "signature_wrong",
        None,
    )


def test_it_can_be_tried_before_anything_is_switched_on(opened):
    flow = opened.endpoint.trigger.workflow
    flow.is_active = opened.endpoint.trigger.is_active = False
    flow.save()
    opened.endpoint.trigger.save()

    assert (opened.send({}).status_code, Sender(opened.endpoint).send({}).status_code) == (202, 409)


def test_a_condition_that_does_not_hold_is_shown_beside_the_sample(opened, owner):
    opened.endpoint.trigger.condition = "{{ trigger.body.total > 10 }}"
    opened.endpoint.trigger.save()

    answer = opened.send({"total": 1})

    sample = owner.get(f"{ROOT}/{opened.endpoint.id}/test-deliveries/latest").json()
    assert (answer.status_code, answer.json()["reason"]) == (200, "condition_false")
    assert (sample["reason"], sample["trigger"]["body"]) == ("condition_false", {"total": 1})


def test_a_run_starts_only_where_that_was_asked_for_and_in_test_mode(endpoint, owner):
    flow = endpoint.trigger.workflow
    flow.is_active = False
    flow.workspace.max_runs_per_day = 0
    flow.workspace.save()
    flow.save()
    listen(endpoint, owner, starts_runs=True)

    answer = Trier(endpoint).send({"a": 1}, delivery="d-1")

    run = Run.objects.select_related("data").get()
    assert (answer.status_code, answer.json()["run"]) == (202, str(run.uid))
    assert (run.mode, run.dedupe_key, run.version_id) == (RunMode.TEST, None, flow.current_version_id)
    assert run.data.input["trigger"]["is_test"] is True


def test_a_sample_stores_no_file_and_a_test_run_has_its_own(endpoint, owner):
    body = form(file("f", "a.txt", b"abc"))
    multipart = "multipart/form-data; boundary=XX"
    listen(endpoint, owner)
    Trier(endpoint).send(body, content_type=multipart)
    shown = TestDelivery.objects.get().trigger["body"]["f"]

    listen(endpoint, owner, starts_runs=True)
    Trier(endpoint).send(body, content_type=multipart)

    assert shown == {"name": "a.txt", "content_type": "image/png", "size": 3}
    assert StoredFile.objects.count() == 1


def test_the_newest_samples_stay(opened, monkeypatch):
    monkeypatch.setattr(tried_deliveries, "KEPT", 3)

    for number in range(6):
        opened.send({"n": number})

    kept = [sample.trigger["body"]["n"] for sample in TestDelivery.objects.order_by("received_at")]
    assert kept == [3, 4, 5]


def test_a_flood_is_slowed_down(opened, monkeypatch):
    monkeypatch.setattr(tried_deliveries, "AT_ONCE", 2)
    monkeypatch.setattr(tried_deliveries, "A_SECOND", 0.001)

    statuses = [opened.send({}).status_code for _ in range(3)]

    assert statuses == [202, 202, 429]


class TestReading:
    def test_the_next_one_after_another_is_waited_for(self, opened, owner):
        first = opened.send({"n": 1}).json()["test"]
        address = f"{ROOT}/{opened.endpoint.id}/test-deliveries/latest?after={first}"

        none = owner.get(address)
        opened.send({"n": 2})
        opened.send({"n": 3})
        second = owner.get(f"{address}&wait=25")

        assert (none.status_code, second.json()["trigger"]["body"]) == (204, {"n": 2})

    @pytest.mark.django_db(transaction=True)
    def test_a_reader_that_waits_gets_the_one_that_comes(self, opened, owner):
        def arrive():
            tried_deliveries.time.sleep(0.5)
            opened.send({"n": 1})
            connections.close_all()

        thread = threading.Thread(target=arrive)
        thread.start()
        found = owner.get(f"{ROOT}/{opened.endpoint.id}/test-deliveries/latest?wait=25")
        thread.join()

        assert (found.status_code, found.json()["trigger"]["body"]) == (200, {"n": 1})

    @pytest.mark.parametrize("query", ["wait=26", "wait=-1", "wait=x", "after=x", "more=1"])
    def test_what_cannot_be_asked_is_refused(self, opened, owner, query):
        assert owner.get(f"{ROOT}/{opened.endpoint.id}/test-deliveries/latest?{query}").status_code == 400

    def test_members_read_and_only_builders_open_it(self, opened):
        endpoint = opened.endpoint
        opened.send({})
        home, stranger = endpoint.workspace, make.workspace()
        viewer, outsider = client_of(endpoint, Role.VIEWER), make.api(make.person(stranger), stranger)
        sample = TestDelivery.objects.get()
        reads = [f"{ROOT}/{endpoint.id}/test-deliveries{rest}" for rest in ("", "/latest", f"/{sample.id}")]

        assert [viewer.get(path).status_code for path in reads] == [200] * 3
        assert [outsider.get(path).status_code for path in reads] == [404] * 3
        assert (listen(endpoint, viewer).status_code, listen(endpoint, outsider).status_code) == (403, 404)
        assert outsider.delete(f"{ROOT}/{endpoint.id}/listen").status_code == 404
        assert WebhookEndpoint.objects.get(workspace=home).listens_until is not None

    def test_another_endpoint_s_sample_is_not_found(self, opened, owner):
        opened.send({})
        other = make.endpoint(opened.endpoint.trigger.workflow)

        assert owner.get(f"{ROOT}/{other.id}/test-deliveries/{TestDelivery.objects.get().id}").status_code == 404


def test_a_handshake_is_answered_there_as_well(owner, endpoint):
    slack = make.endpoint(endpoint.trigger.workflow, scheme="slack", secret=make.SECRET)
    listen(slack, owner)

    answer = Trier(slack).post(b'{"type":"url_verification","challenge":"abc"}', {})

    assert (answer.status_code, answer.content) == (200, b"abc")
