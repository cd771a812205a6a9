"""The one-statement intake on a real PostgreSQL: together or not at all, once or never, or a 503."""

import threading
from dataclasses import replace
from uuid import uuid4

import psycopg2
import pytest
from django.db import IntegrityError, close_old_connections, connection, connections
from django.utils import timezone

from automation.models import Run, RunData, Trigger, Workflow
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import rows, states
from webhooks.services.outcomes import Genuine, Incoming
from webhooks.store import accept, buffer, forget, record, repeat, said, unmatched
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db(transaction=True)


def judged(endpoint, delivery_id="d-1"):
    """What the intake is given: state, event and run."""
    state = states.load(endpoint.id)
    genuine = Genuine(delivery_id, "push", {"a": 1}, {})
    event = rows.accepted_event(Incoming({}, b'{"a":1}', 7), genuine)
    return state.stored, event, rows.run_of(state, event, genuine, now=timezone.now())


def in_parallel(count, work):
    """Run `work(number)` in threads that start together, each with its own connection; return the results."""
    barrier, results = threading.Barrier(count), [None] * count

    def one(number):
        barrier.wait()
        results[number] = work(number)
        connections.close_all()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_event_run_and_payload_stand_after_one_statement():
    state, event, run = judged(make.endpoint())

    with connection.cursor() as cursor:
        accepted = accept.accept(cursor, state, event, run)

    stored = WebhookEvent.objects.get()
    assert (stored.id, stored.run_uid) == (event.id, accepted.run_uid)
    assert RunData.objects.get().run.uid == accepted.run_uid


def test_an_event_that_cannot_be_stored_leaves_no_run():
    state, event, run = judged(make.endpoint())
    impossible = replace(event, verdict=EventVerdict.REJECTED)  # the table refuses a rejected event with a run

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        accept.accept(cursor, state, impossible, run)

    assert (Run.objects.count(), RunData.objects.count(), WebhookEvent.objects.count()) == (0, 0, 0)


def test_a_run_that_cannot_be_stored_leaves_no_event():
    state, event, run = judged(make.endpoint())

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        accept.accept(cursor, state, event, replace(run, workspace_id=uuid4()))

    assert (Run.objects.count(), WebhookEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda: WebhookEndpoint.objects.update(revision=2),
        lambda: Trigger.objects.update(is_active=False),
        lambda: Workflow.objects.update(is_active=False),
        lambda: Workflow.objects.update(archived_at=timezone.now()),
        lambda: Workflow.objects.update(current_version=None),
        lambda: Trigger.objects.all().delete(),
    ],
    ids=["revision", "trigger off", "workflow off", "archived", "version", "deleted"],
)
def test_what_was_judged_by_an_old_state_is_not_stored(change):
    state, event, run = judged(make.endpoint())

    change()
    with connection.cursor() as cursor:
        stored = accept.accept(cursor, state, event, run), record.record(cursor, state, event)

    assert stored == (None, False)
    assert (Run.objects.count(), WebhookEvent.objects.count()) == (0, 0)


def test_twenty_copies_at_once_start_one_run():
    endpoint = make.endpoint()
    Sender(endpoint).send({}, delivery="warm")

    answers = in_parallel(20, lambda _: Sender(endpoint).send({"n": 1}, delivery="d-1"))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.content for answer in answers}) == 1
    assert WebhookEvent.objects.get(delivery_id="d-1").duplicates == 19
    assert Run.objects.filter(dedupe_key__endswith=":d-1").count() == 1


def test_copies_of_many_deliveries_at_once_start_one_run_each():
    endpoint = make.endpoint()

    in_parallel(16, lambda number: [Sender(endpoint).send({}, delivery=f"d-{n}") for n in range(number % 4, 10)])

    assert sorted(WebhookEvent.objects.values_list("delivery_id", flat=True)) == [f"d-{n}" for n in range(10)]
    assert Run.objects.count() == 10


def test_deliveries_during_a_rotation_are_never_lost_nor_refused():
    endpoint = make.endpoint()
    user = make.person(endpoint.workspace)
    api = make.api(user, endpoint.workspace)
    address = f"/api/v1/automation/webhooks/{endpoint.id}/rotate"

    def work(number):
        if number == 0:
            return [api.post(address, {"grace_seconds": 60}, content_type="application/json").status_code]
        return [Sender(endpoint, secret=make.SECRET).send({}).status_code for _ in range(10)]

    results = in_parallel(6, work)

    assert results == [[200]] + [[202] * 10] * 5
    assert Run.objects.count() == 50


class TestAwayDatabase:
    @pytest.fixture
    def _away(self, monkeypatch):
        """PostgreSQL cannot be reached, as this thread's connection sees it."""
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")
        yield
        monkeypatch.undo()
        connection.close()

    @pytest.mark.parametrize("is_known", [True, False])
    def test_is_a_503_with_retry_after_and_never_a_202(self, request, is_known):
        endpoint = make.endpoint()
        sender = Sender(endpoint, secret=make.SECRET)
        if is_known:
            sender.send({}, delivery="before")
        request.getfixturevalue("_away")

        genuine, forged = sender.send({}, delivery="d-1"), sender.post(b"{}", {})

        assert [answer.status_code for answer in (genuine, forged)] == [503, 503]
        assert genuine.headers["Retry-After"] == "5"
        assert genuine.json()["code"] == "database_unavailable"

    def test_a_connection_that_was_cut_is_replaced(self):
        endpoint = make.endpoint()
        sender = Sender(endpoint, secret=make.SECRET)
        sender.send({}, delivery="before")
        with psycopg2.connect(**_parameters()) as other, other.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        other.close()

        close_old_connections()  # what the server does before each request; the test client does not
        statuses = [sender.send({}, delivery="d-1").status_code for _ in range(2)]

        assert statuses == [202, 200]
        assert Run.objects.filter(dedupe_key__endswith=":d-1").count() == 1


def _parameters():
    given = connection.get_connection_params()
    return {key: given[key] for key in ("dbname", "user", "password", "host", "port") if key in given}


def explained(statement, parameters):
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off")
        cursor.execute("explain " + statement, parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("reset enable_seqscan")
    return plan


def test_every_statement_finds_its_rows_by_an_index():
    state, event, run = judged(make.endpoint())
    values = state.parameters() | event.parameters() | run.parameters()

    plans = [
        explained(accept.ACCEPT, values),
        explained(record.RECORD, values),
        explained(record.TRIM, (state.endpoint_id, 500)),
        explained(forget.FORGET, (30, 500, 500)),
        explained(repeat.COUNT, (state.endpoint_id, "d-1")),
        explained(said.SAID, (uuid4(),)),
        explained(said.STEPS, (1, said.MOST_STEPS)),
        explained(buffer.NEXT, (state.endpoint_id, buffer.PORTION)),
        explained(buffer.FULLNESS, (state.endpoint_id,)),
        explained(buffer.READY, (buffer.MOST_ENDPOINTS,)),
        explained(unmatched.TRIM, (1000,)),
    ]

    assert [plan for plan in plans if "Seq Scan" in plan] == []
    assert "event_rejected" in plans[2]
    assert "event_list" in plans[3]
    assert "event_delivery_once" in plans[4]
    assert "event_buffered" in plans[7]
    assert "event_buffered" in plans[8]
    assert "endpoint_buffering" in plans[9]
