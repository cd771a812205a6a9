"""Quotas over HTTP: what is refused, with which words, and what the workspace is shown."""

from __future__ import annotations

import pytest
from django.db import connection

from automation.models import Firing, Run, StorageUse, Trigger, Workflow
from automation.services.schedules import fire_due
from automation.tests.api.conftest import HELLO, make_person
from automation.tests.quotas.conftest import change, quota_of
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db

HOURLY = {"kind": "schedule", "config": {"cron": "0 * * * *"}}


def test_one_workflow_more_than_the_quota_is_refused_and_deleting_one_makes_room(limited):
    owner = limited(max_workflows=1)
    first = owner.make()

    refused = owner.post("/workflows", {"name": "Second", "definition": HELLO})

    assert quota_of(refused) == (403, "quota_exceeded", {"name": "workflows", "used": 1, "limit": 1})
    assert owner.delete(f"/workflows/{first['id']}").status_code in (200, 204)
    assert owner.post("/workflows", {"name": "Second", "definition": HELLO}).status_code == 201


def test_the_installation_s_number_counts_where_the_workspace_has_none(limited, settings):
    settings.BRAINOPS_QUOTAS = {**settings.BRAINOPS_QUOTAS, "workflows": 1}
    plain, own, frozen = limited(), limited(max_workflows=2), limited(max_workflows=0)
    for owner in (plain, own):
        owner.make()

    statuses = [
        api.post("/workflows", {"name": "More", "definition": HELLO}).status_code for api in (plain, own, frozen)
    ]

    assert statuses == [403, 201, 403]


def test_a_trigger_counts_while_it_is_switched_on(limited):
    owner = limited(max_active_triggers=1)
    workflow_id = owner.make()["id"]
    first = owner.post("/triggers", {"workflow_id": workflow_id, **HOURLY}).json()

    second = owner.post("/triggers", {"workflow_id": workflow_id, **HOURLY})
    asleep = owner.post("/triggers", {"workflow_id": workflow_id, "is_active": False, **HOURLY})
    woken = owner.patch(f"/triggers/{asleep.json()['id']}", {"is_active": True})
    renamed = owner.patch(f"/triggers/{first['id']}", {"name": "Every hour"})

    full = (403, "quota_exceeded", {"name": "active_triggers", "used": 1, "limit": 1})
    assert (quota_of(second), quota_of(woken)) == (full, full)
    assert (asleep.status_code, renamed.status_code) == (201, 200)
    assert Trigger.objects.filter(is_active=True).count() == 1


def test_runs_beyond_the_day_s_quota_are_told_when_the_next_day_begins(limited):
    owner = limited(max_runs_per_day=2)
    execute = f"/workflows/{owner.make()['id']}/execute"

    responses = [owner.post(execute) for _ in range(4)]

    assert [response.status_code for response in responses] == [202, 202, 429, 429]
    assert quota_of(responses[2]) == (429, "quota_exceeded", {"name": "runs_per_day", "used": 2, "limit": 2})
    assert 1 <= int(responses[2].headers["Retry-After"]) <= 24 * 3600
    assert Run.objects.count() == 2


def test_a_start_that_came_to_nothing_is_given_back(limited):
    owner = limited(max_runs_per_day=2)
    workflow = owner.make()
    execute = f"/workflows/{workflow['id']}/execute"
    Workflow.objects.filter(id=workflow["id"]).update(is_active=False)

    assert [owner.post(execute).status_code for _ in range(3)] == [409] * 3
    Workflow.objects.filter(id=workflow["id"]).update(is_active=True)
    assert [owner.post(execute, **{"Idempotency-Key": "one"}).status_code for _ in range(3)] == [202] * 3
    assert [owner.post(execute).status_code for _ in range(2)] == [202, 429]


def test_a_raised_quota_lets_runs_start_again(limited):
    owner = limited(max_runs_per_day=1)
    execute = f"/workflows/{owner.make()['id']}/execute"
    assert [owner.post(execute).status_code for _ in range(2)] == [202, 429]

    change(owner.workspace, max_runs_per_day=2)

    assert [owner.post(execute).status_code for _ in range(2)] == [202, 429]


def test_a_full_storage_starts_nothing(limited):
    owner = limited(max_storage_bytes=1000)
    execute = f"/workflows/{owner.make()['id']}/execute"
    assert owner.post(execute).status_code == 202
    with connection.cursor() as cursor:
        cursor.execute("insert into automation_storageuse values (%s, 1500, now())", [owner.workspace.id])
    change(owner.workspace, max_workflows=10)

    refused = owner.post(execute)

    assert quota_of(refused) == (403, "quota_exceeded", {"name": "storage_bytes", "used": 1500, "limit": 1000})
    assert owner.get("/runs").status_code == 200


def test_a_slot_beyond_the_quota_stands_in_the_ledger_with_its_reason(limited):
    owner = limited(max_runs_per_day=1)
    execute = f"/workflows/{(workflow := owner.make())['id']}/execute"
    trigger = owner.post("/triggers", {"workflow_id": workflow["id"], **HOURLY}).json()
    owner.post(execute)
    Trigger.objects.filter(id=trigger["id"]).update(next_fire_at="2020-01-01T00:00:00Z")

    assert fire_due() == 0

    newest = Firing.objects.order_by("-slot").first()
    said = "This workspace has had 1 runs today, of 1 a day. The next day begins at midnight UTC."
    assert (newest.get_decision_display(), newest.reason, newest.run_uid) == ("over quota", said, None)
    assert Run.objects.count() == 1


def test_every_member_sees_what_is_used_and_strangers_see_their_own(limited):
    owner, stranger = limited(max_workflows=5, max_runs_per_day=9), limited()
    viewer = make_person(owner.workspace, Role.VIEWER)
    owner.post(f"/workflows/{owner.make()['id']}/execute")

    shown, other = viewer.get("/quotas").json(), stranger.get("/quotas").json()

    resets_at = shown["runs_per_day"].pop("resets_at")
    other["runs_per_day"].pop("resets_at")
    assert resets_at.endswith("T00:00:00Z")
    assert shown == {
        "workflows": {"used": 1, "limit": 5},
        "active_triggers": {"used": 0, "limit": None},
        "runs_per_day": {"used": 1, "limit": 9},
        "storage_bytes": {"used": 0, "limit": None, "measured_at": None},
    }
    assert {name: quota["used"] for name, quota in other.items()} == dict.fromkeys(shown, 0)
    assert StorageUse.objects.count() == 0
