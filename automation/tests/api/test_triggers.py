"""/triggers: schedules through the API, their checks, and who may do what."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from automation.engine.wording import one_of
from automation.models import Firing, Run, Trigger
from automation.services.schedules import fire_due
from automation.triggers import all_trigger_kinds
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

DAILY = {"cron": "0 9 * * *", "timezone": "Europe/Berlin"}


@pytest.fixture
def builder(member):
    return member(Role.BUILDER)


@pytest.fixture
def workflow(builder):
    return builder.make(name="Report")


@pytest.fixture
def schedule(builder, workflow):
    return builder.post("/triggers", {"workflow_id": workflow["id"], "kind": "schedule", "config": DAILY}).json()


def problems(answer):
    assert answer.status_code == 400, answer.content
    return {problem["pointer"]: problem["message"] for problem in answer.json()["problems"]}


def test_a_schedule_shows_its_config_with_defaults_and_its_next_ten_times(builder, workflow):
    answer = builder.post(
        "/triggers", {"workflow_id": workflow["id"], "kind": "schedule", "name": "Morning", "config": DAILY}
    )

    body = answer.json()
    times = [datetime.fromisoformat(time) for time in body["schedule"].pop("next_fire_times")]
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/automation/triggers/{body['id']}"
    assert body == {
        "id": body["id"],
        "workflow_id": workflow["id"],
        "kind": "schedule",
        "name": "Morning",
        "config": {**DAILY, "missed": "last"},
        "inputs": {},
        "condition": "",
        "is_active": True,
        "next_fire_at": body["next_fire_at"],
        "last_fired_at": None,
        "created_by": str(builder.user.id),
        "created_at": body["created_at"],
        "updated_at": body["updated_at"],
        "schedule": {"description": "At 09:00 every day"},
    }
    assert datetime.fromisoformat(body["next_fire_at"]) == times[0]
    assert [time.astimezone(ZoneInfo("Europe/Berlin")).hour for time in times] == [9] * 10
    assert len({time.date() for time in times}) == 10


def test_every_mistake_is_told_at_once_with_its_place(builder, workflow):
    answer = builder.post(
        "/triggers",
        {
            "workflow_id": workflow["id"],
            "kind": "schedule",
            "name": "x" * 201,
            "config": {"cron": "61 * * * *", "timezone": "Europe/Berlim"},
        },
    )
    assert problems(answer) == {"/name": '"name" must have at most 200 characters, got 201.'}

    answer = builder.post(
        "/triggers",
        {
            "workflow_id": workflow["id"],
            "kind": "schedule",
            "config": {"cron": "61 * * * *", "timezone": "Europe/Berlim"},
            "inputs": {"name": 5},
        },
    )
    assert problems(answer) == {
        "/config/timezone": 'There is no time zone "Europe/Berlim". Did you mean "Europe/Berlin"?',
        "/config/cron": 'Cron "61 * * * *" at position 0: minute must be 0–59, got 61.',
        "/inputs/name": 'Input "name" must be a text, got 5.',
    }
    assert Trigger.objects.count() == 0


@pytest.mark.parametrize(
    ("config", "pointer", "message"),
    [
        ({}, "/config", 'A schedule needs exactly one of "cron", "rrule", "interval" and "at".'),
        ({"cron": 5}, "/config/cron", '"cron" must be a text, got 5.'),
        ({"cron": "@daily", "zone": "UTC"}, "/config/zone", '"zone" is not a known field.'),
        (
            {"cron": "@daily", "missed": "never"},
            "/config/missed",
            '"missed" must be "skip", "last" or "all", got "never".',
        ),
        (
            {"cron": "0 0 31 2 *"},
            "/config/cron",
            'Cron "0 0 31 2 *" at position 4: day of month 31 never comes in Feb.',
        ),
        ({"cron": "@daily", "timezone": "../etc/passwd"}, "/config/timezone", 'There is no time zone "../etc/passwd".'),
    ],
)
def test_a_config_that_means_nothing_is_refused(builder, workflow, config, pointer, message):
    answer = builder.post("/triggers", {"workflow_id": workflow["id"], "kind": "schedule", "config": config})

    assert problems(answer)[pointer].startswith(message)


def test_an_unknown_kind_is_refused_with_the_known_ones(builder, workflow):
    answer = builder.post("/triggers", {"workflow_id": workflow["id"], "kind": "cron", "config": {}})

    assert problems(answer) == {
        "/kind": f'There is no trigger kind "cron". Known: {one_of(all_trigger_kinds(), last="and")}.'
    }


def test_a_missing_and_a_foreign_workflow_are_refused_alike(builder, stranger):
    foreign = stranger.make()["id"]
    missing = str(uuid4())

    for id_ in (foreign, missing):
        answer = builder.post("/triggers", {"workflow_id": id_, "kind": "schedule", "config": DAILY})
        assert problems(answer) == {"/workflow_id": f"There is no workflow '{id_}' in this workspace."}


def test_an_unknown_member_is_refused(builder, workflow):
    answer = builder.post(
        "/triggers", {"workflow_id": workflow["id"], "kind": "schedule", "config": DAILY, "workspace_id": str(uuid4())}
    )

    assert list(problems(answer)) == ["/workspace_id"]


def test_the_list_is_filtered_and_shows_next_times_in_a_fixed_number_of_queries(
    builder, workflow, schedule, django_assert_max_num_queries
):
    other = builder.make()
    builder.post("/triggers", {"workflow_id": other["id"], "kind": "schedule", "config": DAILY, "is_active": False})
    builder.post(
        "/triggers",
        {"workflow_id": other["id"], "kind": "webhook", "config": {"scheme": "none", "allow_unsigned": True}},
    )

    def ids(**query):
        return [row["id"] for row in builder.get("/triggers", **query).json()["results"]]

    assert len(ids()) == 3
    assert ids(workflow_id=workflow["id"]) == [schedule["id"]]
    assert len(ids(kind="webhook")) == 1
    assert len(ids(is_active="false")) == 1
    assert builder.get("/triggers", is_active="perhaps").status_code == 400
    assert builder.get("/triggers", workflow_id="x").status_code == 400
    assert builder.get("/triggers", colour="red").status_code == 400
    with django_assert_max_num_queries(8):
        builder.get("/triggers")


def test_a_webhook_trigger_answers_its_address_and_secret_once(builder, workflow):
    body = {"workflow_id": workflow["id"], "kind": "webhook", "config": {"scheme": "github"}}

    first = builder.post("/triggers", body, idempotency_key="one")
    again = builder.post("/triggers", body, idempotency_key="one")

    made = first.json()["webhook"]
    assert made["url"].endswith(f"/api/v1/automation/webhooks/{made['id']}/receive")
    assert len(made["secret"]) >= 32
    assert (again.status_code, again["Brainops-Duplicate"]) == (201, "true")
    assert again.json()["webhook"] == {key: value for key, value in made.items() if key != "secret"}
    assert "secret" not in builder.get(f"/triggers/{first.json()['id']}").json()["webhook"]
    assert Trigger.objects.count() == 1


def test_what_was_read_may_be_sent_back_with_a_change(builder, schedule):
    changed = {**schedule, "config": {**schedule["config"], "cron": "30 9 * * *"}}

    answer = builder.put(f"/triggers/{schedule['id']}", changed)

    assert answer.status_code == 200, answer.content
    assert answer.json()["config"]["cron"] == "30 9 * * *"
    assert answer.json()["next_fire_at"] != schedule["next_fire_at"]


def test_a_replacement_sets_what_is_left_out_to_its_default(builder, schedule):
    builder.send("PATCH", f"/triggers/{schedule['id']}", {"name": "Morning", "inputs": {"name": "Ada"}})

    answer = builder.put(f"/triggers/{schedule['id']}", {"config": {"cron": "@hourly"}})

    body = answer.json()
    assert (body["name"], body["inputs"], body["config"]) == (
        "",
        {},
        {"cron": "@hourly", "timezone": "UTC", "missed": "last"},
    )


def test_a_patch_changes_only_what_it_names(builder, schedule):
    answer = builder.send("PATCH", f"/triggers/{schedule['id']}", {"config": {"timezone": "Asia/Kathmandu"}})

    assert answer.json()["config"] == {**DAILY, "timezone": "Asia/Kathmandu", "missed": "last"}


def test_a_change_of_the_name_keeps_a_slot_that_is_just_due(builder, schedule):
    due = datetime.fromisoformat(schedule["next_fire_at"]) - timedelta(days=30)
    Trigger.objects.update(next_fire_at=due)

    builder.send("PATCH", f"/triggers/{schedule['id']}", {"name": "Morning"})

    assert Trigger.objects.get().next_fire_at == due


def test_a_trigger_that_is_switched_off_has_no_next_time_and_gets_one_again(builder, schedule):
    off = builder.send("PATCH", f"/triggers/{schedule['id']}", {"is_active": False}).json()
    on = builder.send("PATCH", f"/triggers/{schedule['id']}", {"is_active": True}).json()

    assert (off["next_fire_at"], off["schedule"]["next_fire_times"]) == (None, [])
    assert on["next_fire_at"] == schedule["next_fire_at"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "webhook"},
        {"workflow_id": "00000000-0000-4000-8000-000000000000"},
        {"created_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_what_cannot_change_is_refused(builder, schedule, change):
    answer = builder.patch(f"/triggers/{schedule['id']}", change)

    assert list(problems(answer)) == [f"/{next(iter(change))}"]


def test_a_deletion_takes_the_ledger_and_leaves_the_runs(builder, schedule):
    Trigger.objects.update(next_fire_at=datetime.now(ZoneInfo("UTC")) - timedelta(seconds=5))
    fire_due()

    assert builder.send("DELETE", f"/triggers/{schedule['id']}").status_code == 204

    assert (Trigger.objects.count(), Firing.objects.count(), Run.objects.count()) == (0, 0, 1)
    assert builder.get(f"/triggers/{schedule['id']}").status_code == 404


def test_every_change_is_in_the_audit_log(builder, schedule):
    builder.send("PATCH", f"/triggers/{schedule['id']}", {"config": {"cron": "@hourly"}})
    builder.send("DELETE", f"/triggers/{schedule['id']}")

    entries = AuditEntry.objects.filter(target_kind="trigger", target_id=schedule["id"]).order_by("id")
    assert [(entry.action, entry.summary) for entry in entries] == [
        ("trigger.create", "Created the schedule trigger of workflow 'Report'."),
        ("trigger.update", "Changed config of the trigger."),
        ("trigger.delete", "Deleted the schedule trigger of workflow 'Report'."),
    ]
    assert entries[1].changes["config"][1]["cron"] == "@hourly"


def test_a_workflow_has_at_most_a_hundred_triggers(builder, workflow, schedule):
    row = Trigger.objects.get()
    Trigger.objects.bulk_create(
        Trigger(workspace_id=row.workspace_id, workflow_id=row.workflow_id, kind="schedule") for _ in range(99)
    )

    answer = builder.post("/triggers", {"workflow_id": workflow["id"], "kind": "schedule", "config": DAILY})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_triggers")


def test_a_builder_manages_triggers_a_viewer_looks_and_a_stranger_finds_nothing(
    builder, member, stranger, workflow, schedule
):
    new = {"workflow_id": workflow["id"], "kind": "schedule", "config": DAILY}
    address = f"/triggers/{schedule['id']}"

    def statuses(person):
        return [
            person.get("/triggers").status_code,
            person.get(address).status_code,
            person.post("/triggers", new).status_code,
            person.put(address, {"config": DAILY}).status_code,
            person.send("PATCH", address, {"name": "Mine"}).status_code,
            person.send("DELETE", address).status_code,
        ]

    assert statuses(stranger) == [200, 404, 400, 404, 404, 404]
    assert stranger.get("/triggers").json()["results"] == []
    assert statuses(member(Role.VIEWER)) == [200, 200, 403, 403, 403, 403]
    assert statuses(builder) == [200, 200, 201, 200, 200, 204]


def test_a_time_that_is_past_is_refused_until_it_is_switched_off(builder, workflow):
    body = {"workflow_id": workflow["id"], "kind": "schedule", "config": {"at": "2020-01-01T09:00"}}

    assert problems(builder.post("/triggers", body)) == {
        "/config": "It would never fire: no time of this schedule is still to come. Choose one ahead or switch it off."
    }
    assert builder.post("/triggers", {**body, "is_active": False}).status_code == 201


def test_a_single_time_that_has_fired_can_still_be_renamed_but_not_started_again(builder, workflow):
    body = {"workflow_id": workflow["id"], "kind": "schedule", "config": {"at": "2199-01-01T09:00"}}
    schedule = builder.post("/triggers", body).json()
    Trigger.objects.update(config={**schedule["config"], "at": "2020-01-01T09:00"}, next_fire_at=None)
    address = f"/triggers/{schedule['id']}"

    assert builder.send("PATCH", address, {"name": "Done"}).json()["schedule"] == {
        "description": "Once at 2020-01-01 09:00",
        "next_fire_times": [],
    }
    assert builder.send("PATCH", address, {"is_active": False}).status_code == 200
    assert list(problems(builder.send("PATCH", address, {"is_active": True}))) == ["/config"]


def test_an_interval_shows_its_anchor_and_its_words(builder, workflow):
    body = {"workflow_id": workflow["id"], "kind": "schedule", "config": {"interval": "36h"}}

    answer = builder.post("/triggers", body).json()

    assert answer["config"] == {
        "interval": "36h",
        "anchor": "2001-01-01T00:00:00",
        "timezone": "UTC",
        "missed": "last",
    }
    assert answer["schedule"]["description"] == "Every 36 hours"
    assert len(answer["schedule"]["next_fire_times"]) == 10


def test_a_condition_is_saved_checked_and_changed(builder, workflow):
    body = {"workflow_id": workflow["id"], "kind": "schedule", "config": DAILY, "condition": "{{ vars.on }}"}
    saved = builder.post("/triggers", body).json()

    changed = builder.patch(f"/triggers/{saved['id']}", {"condition": "{{ inputs.day == 1 }}"})
    refused = builder.patch(f"/triggers/{saved['id']}", {"condition": "{{ steps.a.output }}"})
    replaced = builder.put(f"/triggers/{saved['id']}", {"config": DAILY})

    assert (saved["condition"], changed.json()["condition"]) == ("{{ vars.on }}", "{{ inputs.day == 1 }}")
    assert problems(refused) == {
        "/condition": 'The condition: "steps" is not known before there is a run. Use "trigger", "inputs" and "vars".'
    }
    assert replaced.json()["condition"] == ""


def test_a_calendar_rule_is_said_in_words_and_refused_with_its_place(builder, workflow):
    config = {"rrule": "FREQ=MONTHLY;BYDAY=-1FR", "anchor": "2026-01-01T17:00", "timezone": "Europe/Berlin"}
    body = {"workflow_id": workflow["id"], "kind": "schedule", "config": config}

    answer = builder.post("/triggers", body).json()
    refused = builder.post("/triggers", {**body, "config": {"rrule": "FREQ=MONTHLY;BYDAY=-6FR"}})

    assert answer["schedule"]["description"] == "Every month on the last Friday at 17:00"
    assert {time[11:19] for time in answer["schedule"]["next_fire_times"]} == {"17:00:00"}
    assert problems(refused) == {
        "/config/rrule": (
            'RRULE "FREQ=MONTHLY;BYDAY=-6FR" at position 19: BYDAY must count from 1 to 5 or from -5 to -1, got -6FR.'
        )
    }
