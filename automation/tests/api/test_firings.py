"""/triggers/{id}/firings and /backfill: the ledger through the API, and running what did not run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.models import Firing, Run, Trigger
from automation.services.schedules import fire_due
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def builder(member):
    return member(Role.BUILDER)


@pytest.fixture
def hourly(builder):
    workflow = builder.make(name="Report")["id"]
    return builder.post(
        "/triggers", {"workflow_id": workflow, "kind": "schedule", "config": {"cron": "0 * * * *"}}
    ).json()["id"]


@pytest.fixture
def midnight():
    """A day that is over."""
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)


def text(instant):
    return instant.isoformat().replace("+00:00", "Z")


def period(midnight, hours, **more):
    return {"from": text(midnight), "until": text(midnight + hours * HOUR), **more}


def decide(trigger, slot, decision, **fields):
    return Firing.objects.create(trigger_id=trigger, slot=slot, decision=decision, **fields)


def test_the_ledger_is_listed_newest_first_filtered_and_in_pages(builder, hourly, midnight):
    for hour, decision in enumerate([2, 1, 7]):
        decide(hourly, midnight + hour * HOUR, decision, reason="Why." if decision == 7 else "")
    address = f"/triggers/{hourly}/firings"

    first = builder.get(address, limit=1).json()

    assert first["results"] == [
        {
            "slot": text(midnight + 2 * HOUR),
            "decision": "overlapped",
            "run_id": None,
            "reason": "Why.",
            "decided_at": first["results"][0]["decided_at"],
        }
    ]
    found = builder.get(address, since=text(midnight), until=text(midnight + 2 * HOUR)).json()["results"]
    assert [row["decision"] for row in found] == ["ran", "missed"]
    assert [row["slot"] for row in builder.get(address, decision="missed").json()["results"]] == [text(midnight)]
    assert builder.get(address, decision="lost").status_code == 400


def test_a_backfill_runs_each_slot_of_the_period_once(builder, hourly, midnight):
    decide(hourly, midnight, 1, reason="")
    decide(hourly, midnight + HOUR, 2)
    address = f"/triggers/{hourly}/backfill"

    plan = builder.post(address, period(midnight, 4, dry_run=True)).json()
    assert (plan["started"], Run.objects.count()) == (3, 0)

    done = builder.post(address, period(midnight, 4)).json()
    again = builder.post(address, period(midnight, 4)).json()

    assert [(row["slot"], row["decision"], row["is_new"]) for row in done["slots"]] == [
        (text(midnight), "ran", False),
        *((text(midnight + hour * HOUR), "ran", True) for hour in (1, 2, 3)),
    ]
    assert (done["dry_run"], done["started"], done["goes_on_at"], again["started"]) == (False, 3, None, 0)
    runs = {str(run.uid): run for run in Run.objects.all()}
    assert set(runs) == {row["run_id"] for row in done["slots"][1:]}
    assert {(run.queue, run.created_by_id) for run in runs.values()} == {("bulk", builder.user.id)}
    assert {row.reason for row in Firing.objects.exclude(run_uid=None)} == {"Caught up by a backfill."}
    entry = AuditEntry.objects.filter(action="trigger.backfill").earliest("id")
    assert entry.summary.startswith("Ran 3 slots from ")


def test_the_run_of_a_backfill_knows_its_slot_and_what_it_is(builder, hourly, midnight):
    builder.post(f"/triggers/{hourly}/backfill", period(midnight, 1))

    assert Run.objects.get().data.input["trigger"] == {
        "kind": "schedule",
        "trigger_id": hourly,
        "slot": text(midnight),
        "scheduled_for": midnight.isoformat(),
        "previous_slot": None,
        "is_backfill": True,
    }


def test_the_clock_never_fires_a_slot_that_a_backfill_ran(builder, hourly):
    slot = timezone.now().replace(minute=0, second=0, microsecond=0)
    builder.post(f"/triggers/{hourly}/backfill", {"from": text(slot), "until": text(timezone.now())})
    Trigger.objects.update(next_fire_at=slot)

    assert (fire_due(), Run.objects.count()) == (0, 1)


def test_a_long_period_goes_on_in_another_request(builder, hourly, midnight):
    Trigger.objects.update(config={"cron": "* * * * *", "timezone": "UTC", "missed": "last"})

    plan = builder.post(f"/triggers/{hourly}/backfill", period(midnight, 24, dry_run=True)).json()

    assert (plan["started"], plan["goes_on_at"]) == (500, text(midnight + timedelta(minutes=500)))


@pytest.mark.parametrize(
    ("since", "until", "pointer", "code"),
    [
        (-91 * 24, -90 * 24, "/from", "too_old"),
        (-1, 1, "/until", "in_future"),
        (-1, -2, "/until", "invalid_range"),
    ],
)
def test_a_period_that_cannot_be_filled_is_refused(builder, hourly, since, until, pointer, code):
    now = timezone.now()

    answer = builder.post(
        f"/triggers/{hourly}/backfill", {"from": text(now + since * HOUR), "until": text(now + until * HOUR)}
    )

    assert answer.status_code == 400
    assert [(problem["pointer"], problem["code"]) for problem in answer.json()["problems"]] == [(pointer, code)]


def test_a_workflow_that_is_off_and_a_trigger_without_a_clock_have_nothing_to_fill(builder, hourly, midnight):
    trigger = Trigger.objects.get()
    type(trigger.workflow).objects.update(is_active=False)
    assert builder.post(f"/triggers/{hourly}/backfill", period(midnight, 1)).json()["code"] == "workflow_inactive"

    type(trigger.workflow).objects.update(is_active=True)
    Trigger.objects.update(kind="webhook")
    assert builder.post(f"/triggers/{hourly}/backfill", period(midnight, 1)).json()["code"] == "no_schedule"


def test_a_viewer_looks_but_fills_nothing_and_a_stranger_finds_neither(member, stranger, hourly, midnight):
    viewer = member(Role.VIEWER)

    assert viewer.get(f"/triggers/{hourly}/firings").status_code == 200
    assert viewer.post(f"/triggers/{hourly}/backfill", period(midnight, 1)).status_code == 403
    assert stranger.get(f"/triggers/{hourly}/firings").status_code == 404
    assert stranger.post(f"/triggers/{hourly}/backfill", period(midnight, 1)).status_code == 404
    assert Run.objects.count() == 0
