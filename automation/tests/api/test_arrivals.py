"""/triggers/{id}/arrivals, /poll, /test and /health: what reached triggers, trying them, and how they are doing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from automation.models import Arrival, Run, RunMode, Source, Trigger, Workflow
from automation.services import runnable
from automation.services.schedules import fire_due
from automation.services.sources import follow
from automation.tests.arrivals.conftest import inbox  # noqa: F401 - a fixture
from automation.tests.arrivals.rows import WITH_INPUTS, bring, items, make_trigger
from automation.tests.triggers.rows import DEFINITION, make_schedule, make_workflow
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Item
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()


@pytest.fixture
def builder(member):
    return member(Role.BUILDER)


@pytest.fixture
def trigger(inbox, builder):  # noqa: F811 - the fixture
    made = make_trigger(make_workflow(workspace=builder.workspace), name="Orders")
    follow(all_trigger_kinds()["inbox"], made, None)
    return made


def path(trigger, *rest):
    return "/".join([f"/triggers/{trigger.id}", *map(str, rest)])


def test_the_ledger_lists_what_came_newest_first_and_filters(builder, trigger):
    Trigger.objects.filter(id=trigger.id).update(condition="{{ trigger.item.name != 'b' }}")
    for key in ("a", "b", "c"):
        bring(trigger, items(key))
        with connection.cursor() as cursor:
            cursor.execute("update automation_arrival set created_at = created_at - interval '1 hour'")

    everything = builder.get(path(trigger, "arrivals")).json()["results"]
    passed_over = builder.get(path(trigger, "arrivals"), decision="condition false").json()["results"]
    since = (timezone.now() - timedelta(minutes=90)).isoformat().replace("+00:00", "Z")
    lately = builder.get(path(trigger, "arrivals"), since=since).json()["results"]

    assert [row["key"] for row in everything] == ["c", "b", "a"]
    (row,) = passed_over
    assert row == {
        "id": str(Arrival.objects.get(key="b").id),
        "key": "b",
        "decision": "condition false",
        "run_id": None,
        "reason": "The condition does not hold: {{ trigger.item.name != 'b' }} with trigger.item.name is \"b\".",
        "operands": [{"expression": "trigger.item.name", "value": "b"}],
        "at": None,
        "arrived_at": row["arrived_at"],
    }
    assert [row["key"] for row in lately] == ["c"]


def test_an_arrival_shows_what_came(builder, trigger):
    (taken,) = bring(trigger, items("a"))
    id_ = Arrival.objects.get().id

    body = builder.get(path(trigger, "arrivals", id_)).json()

    assert (body["data"], body["is_cut"], body["run_id"]) == ({"name": "a"}, False, str(taken.run_uid))
    assert builder.get(path(trigger, "arrivals", uuid4())).status_code == 404


def test_what_was_passed_over_runs_once_when_it_may_by_now(builder, trigger):
    Trigger.objects.filter(id=trigger.id).update(condition="{{ trigger.item.name == 'a' and trigger.box == 'in' }}")
    bring(trigger, items("b"), trigger_facts={"box": "in"})
    arrival = Arrival.objects.get()

    same = builder.post(path(trigger, "arrivals", arrival.id, "run"), {}).json()
    Trigger.objects.filter(id=trigger.id).update(condition="{{ trigger.box == 'in' }}")
    ran = builder.post(path(trigger, "arrivals", arrival.id, "run"), {})
    again = builder.post(path(trigger, "arrivals", arrival.id, "run"), {})

    run = Run.objects.get()
    assert (same["decision"], ran.json()["decision"], ran.json()["run_id"]) == ("condition false", "ran", str(run.uid))
    assert (run.mode, run.data.input["trigger"]["item"]) == (RunMode.ASYNC, {"name": "b"})
    assert (again.status_code, again.json()["code"]) == (409, "already_ran")
    assert AuditEntry.objects.filter(action="trigger.run_arrival", target_id=str(trigger.id)).count() == 2


def test_what_is_not_kept_whole_is_not_run(builder, trigger):
    Trigger.objects.filter(id=trigger.id).update(condition="{{ false }}")
    bring(trigger, [Item("a", {"text": "x" * 100_000})])

    answer = builder.post(path(trigger, "arrivals", Arrival.objects.get().id, "run"), {})

    assert (answer.status_code, answer.json()["code"]) == (409, "sample_cut")


def test_a_look_can_be_asked_for_at_once(builder, trigger):
    Source.objects.update(next_at=Now() + timedelta(hours=1))

    answer = builder.post(path(trigger, "poll"), {})

    assert answer.status_code == 202
    assert answer.json() == {
        "trigger_id": str(trigger.id),
        "health_url": f"/api/v1/automation/triggers/{trigger.id}/health",
    }
    assert Source.objects.filter(next_at__lte=Now()).exists()
    assert AuditEntry.objects.filter(action="trigger.poll", target_id=str(trigger.id)).exists()


def test_what_has_no_source_or_is_off_is_not_looked_at(builder, trigger):
    schedule = make_schedule(trigger.workflow)
    Source.objects.update(next_at=None)

    codes = [builder.post(path(one, "poll"), {}).json()["code"] for one in (schedule, trigger)]

    assert codes == ["not_polled", "trigger_inactive"]


def test_a_trigger_is_tried_with_the_newest_thing_that_came(builder, trigger):
    bring(trigger, [Item("a", {"total": 7}, facts={"box": "in"})])
    Trigger.objects.filter(id=trigger.id).update(condition="{{ trigger.item.total > 10 }}", inputs={"fixed": 1})
    row = Arrival.objects.get()

    body = builder.post(path(trigger, "test"), {}).json()

    assert body == {
        "would_run": False,
        "code": "condition_false",
        "reason": "The condition does not hold: {{ trigger.item.total > 10 }} with trigger.item.total is 7.",
        "operands": [{"expression": "trigger.item.total", "value": 7}],
        "trigger": {
            "kind": "inbox",
            "trigger_id": str(trigger.id),
            "key": "a",
            "item": {"total": 7},
            "received_at": row.created_at.isoformat(),
            "box": "in",
        },
        "inputs": {"fixed": 1},
        "problems": [],
        "sample": {"id": str(row.id), "at": body["sample"]["at"], "is_cut": False},
        "run_id": None,
    }
    assert Run.objects.count() == 1  # the one that it started when it came


def test_a_trigger_is_tried_with_a_chosen_thing_or_with_given_data(builder, trigger):
    bring(trigger, items("a"))
    chosen = Arrival.objects.get()
    bring(trigger, items("b"))

    by_id = builder.post(path(trigger, "test"), {"sample_id": str(chosen.id)}).json()
    given = builder.post(path(trigger, "test"), {"data": {"name": "x"}}).json()
    both = builder.post(path(trigger, "test"), {"data": {}, "sample_id": str(chosen.id)})
    unknown = builder.post(path(trigger, "test"), {"sample_id": str(uuid4())})

    assert (by_id["trigger"]["key"], given["trigger"]["item"], given["would_run"]) == ("a", {"name": "x"}, True)
    assert (both.status_code, unknown.status_code) == (400, 404)


def test_inputs_that_do_not_fit_are_told_with_their_places(builder, inbox):  # noqa: F811 - the fixture
    trigger = make_trigger(make_workflow(workspace=builder.workspace, definition=WITH_INPUTS))

    body = builder.post(path(trigger, "test"), {"data": {"total": "x"}}).json()
    refused = builder.post(path(trigger, "test"), {"data": {"total": "x"}, "run": True})

    assert (body["would_run"], body["code"]) == (False, "refused")
    assert [problem["pointer"] for problem in body["problems"]] == ["/inputs/total"]
    assert refused.status_code == 400


def test_nothing_to_try_it_with_is_said(builder, trigger):
    answer = builder.post(path(trigger, "test"), {})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_sample")


def test_a_test_run_is_started_marked_and_only_once_per_key(builder, trigger):
    body = {"data": {"total": 7}, "run": True}

    first = builder.post(path(trigger, "test"), body, idempotency_key="one")
    again = builder.post(path(trigger, "test"), body, idempotency_key="one")

    run = Run.objects.get()
    assert (first.status_code, first.json()["run_id"]) == (202, str(run.uid))
    assert again.json() == first.json()
    assert (run.mode, run.trigger_id, run.data.input["trigger"]["is_test"]) == (RunMode.TEST, trigger.id, True)
    assert AuditEntry.objects.filter(action="trigger.test", target_id=str(trigger.id)).count() == 1


def test_a_sample_that_was_cut_starts_no_run(builder, trigger):
    bring(trigger, [Item("a", {"text": "x" * 100_000})])

    answer = builder.post(path(trigger, "test"), {"run": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "sample_cut")


def test_a_schedule_is_tried_with_its_next_slot(builder):
    schedule = make_schedule(make_workflow(workspace=builder.workspace), cron="0 9 * * *", timezone="Europe/Berlin")

    body = builder.post(path(schedule, "test"), {}).json()

    assert body["would_run"]
    assert body["trigger"]["kind"] == "schedule"
    assert "T09:00:00" in body["trigger"]["scheduled_for"]


def test_who_may_only_read_starts_no_test_run_and_strangers_find_nothing(member, stranger, trigger):
    viewer = member(Role.VIEWER)

    assert viewer.post(path(trigger, "test"), {"data": {}}).status_code == 200
    assert viewer.post(path(trigger, "test"), {"data": {}, "run": True}).status_code == 403
    assert viewer.post(path(trigger, "poll"), {}).status_code == 403
    for method, rest in (("get", "arrivals"), ("post", "poll"), ("post", "test"), ("get", "health")):
        assert getattr(stranger, method)(path(trigger, rest), *([{}] if method == "post" else [])).status_code == 404
    assert stranger.get("/trigger-health").json()["results"] == []


def state(builder, trigger):
    body = builder.get(path(trigger, "health")).json()
    return body["state"], body["reason"]


def test_health_tells_what_comes_what_ran_and_what_is_wrong_since_when(builder, trigger):
    assert state(builder, trigger) == ("never_ran", "Nothing has come yet.")

    (taken,) = bring(trigger, items("a"))
    Source.objects.update(failures=3, failing_since=Now(), last_error="No answer.", last_error_code="unreachable")
    body = builder.get(path(trigger, "health")).json()

    assert body == {
        "trigger_id": str(trigger.id),
        "workflow_id": str(trigger.workflow_id),
        "kind": "inbox",
        "name": "Orders",
        "state": "failing",
        "reason": "No answer.",
        "last_arrived_at": body["last_arrived_at"],
        "last_run": {
            "id": str(taken.run_uid),
            "status": "queued",
            "created_at": body["last_run"]["created_at"],
            "finished_at": None,
        },
        "last_error": {"code": "unreachable", "message": "No answer.", "since": body["last_error"]["since"]},
        "waits": None,
        "next_at": body["next_at"],
        "last_looked_at": None,
        "is_looking": False,
        "counts": {"ran": 1},
    }
    assert None not in (body["next_at"], body["last_arrived_at"], body["last_error"]["since"])


def test_each_state_of_health_has_its_reason(builder, trigger):
    bring(trigger, items("a"))
    assert state(builder, trigger) == ("ok", "")

    Run.objects.update(status=51, finishes=1, finished_at=Now())
    assert state(builder, trigger) == ("failing", "The last run failed.")

    bring(trigger, items("b"))
    Arrival.objects.update(created_at=Now() - timedelta(days=9))
    Run.objects.update(created_at=Now() - timedelta(days=9))
    assert state(builder, trigger) == ("quiet", "Nothing has come for 9 days.")

    Workflow.objects.update(is_active=False)
    assert state(builder, trigger) == ("off", "The workflow is switched off or archived.")

    Trigger.objects.update(is_active=False)
    assert state(builder, trigger) == ("off", "The trigger is switched off.")


def test_a_schedule_whose_slot_was_refused_is_failing(builder):
    definition = {**DEFINITION, "inputs": WITH_INPUTS["inputs"]}
    schedule = make_schedule(
        make_workflow(workspace=builder.workspace, definition=definition), due=-timedelta(minutes=1)
    )
    fire_due()

    body = builder.get(path(schedule, "health")).json()

    assert (body["state"], body["last_error"]["code"], body["counts"]) == ("failing", "refused", {"refused": 1})


def test_the_list_says_how_all_are_doing_and_finds_those_in_a_state(builder, trigger):
    quiet = make_schedule(trigger.workflow, due=timedelta(hours=1))
    bring(trigger, items("a"))
    Source.objects.update(last_error="No answer.")

    everything = builder.get("/trigger-health").json()["results"]
    failing = builder.get("/trigger-health", state="failing").json()["results"]

    assert {row["trigger_id"]: row["state"] for row in everything} == {
        str(trigger.id): "failing",
        str(quiet.id): "never_ran",
    }
    assert [row["trigger_id"] for row in failing] == [str(trigger.id)]
    assert [row["id"] for row in builder.get("/triggers", health="failing").json()["results"]] == [str(trigger.id)]
