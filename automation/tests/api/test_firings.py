"""/triggers/{id}/firings and /backfill: the ledger through the API, and running what did not run."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from automation.models import Firing, PlannedSlot, Replay, Run, Trigger
from automation.services import backfill_orders
from automation.services.replays_due import replays_due
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


def test_a_paced_backfill_is_ordered_seen_first_and_run_by_a_replay(builder, hourly, midnight):
    decide(hourly, midnight, 1)
    address = f"/triggers/{hourly}/backfill"

    plan = builder.post(address, period(midnight, 4, per_minute=3000, dry_run=True))
    answer = builder.post(address, period(midnight, 4, per_minute=3000))
    ordered = answer.json()

    assert (plan.status_code, plan.json()["planned"], plan.json()["replay_id"]) == (200, 3, None)
    assert (answer.status_code, ordered["planned"], ordered["started"], Run.objects.count()) == (202, 3, 0, 0)
    play(ordered["replay_id"])
    replay = builder.get(f"/replays/{ordered['replay_id']}").json()
    assert (replay["source"], replay["state"]) == ("slots", "done")
    assert (replay["runs"]["started"], replay["runs"]["refused"]) == (3, 0)
    runs = [run.data.input["trigger"]["slot"] for run in Run.objects.order_by("id")]
    assert runs == [text(midnight + hour * HOUR) for hour in (1, 2, 3)]
    assert Firing.objects.filter(decision=1).count() == 4


def play(replay_id):
    """Let a replay's time come again and again, until it is over."""
    while Replay.objects.get(id=replay_id).state == "running":
        Replay.objects.update(next_at=Now())
        replays_due()


def test_a_slot_that_ran_meanwhile_is_not_run_by_the_order(builder, hourly, midnight):
    ordered = builder.post(f"/triggers/{hourly}/backfill", period(midnight, 2, per_minute=60)).json()
    builder.post(f"/triggers/{hourly}/backfill", period(midnight, 1))

    play(ordered["replay_id"])

    items = builder.get(f"/replays/{ordered['replay_id']}/items").json()["results"]
    assert [(item["error"] or {}).get("code") for item in items] == ["slot_ran", None]
    assert Run.objects.count() == 2


def test_a_cancelled_order_runs_nothing_more(builder, hourly, midnight):
    ordered = builder.post(f"/triggers/{hourly}/backfill", period(midnight, 4, per_minute=1)).json()
    Replay.objects.update(next_at=Now())
    replays_due()

    builder.post(f"/replays/{ordered['replay_id']}/cancel", {})
    Replay.objects.update(next_at=Now())

    assert (replays_due(), Run.objects.count()) == (0, 1)


@pytest.mark.parametrize(("hours", "code"), [(30 * 24, "too_many"), (0, "invalid_range")])
def test_an_order_has_its_bounds(builder, hourly, midnight, hours, code, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "replay_runs": 20}

    since = {"from": text(midnight - hours * HOUR)}
    answer = builder.post(f"/triggers/{hourly}/backfill", period(midnight, 0, per_minute=60) | since)

    assert [problem["code"] for problem in answer.json()["problems"]] == [code]


def test_an_order_of_nothing_is_refused(builder, hourly, midnight):
    decide(hourly, midnight, 1)

    answer = builder.post(f"/triggers/{hourly}/backfill", period(midnight, 1, per_minute=60))

    assert [problem["code"] for problem in answer.json()["problems"]] == ["no_slots"]


def test_planned_slots_are_forgotten_with_the_ledger(builder, hourly, midnight):
    builder.post(f"/triggers/{hourly}/backfill", period(midnight, 2, per_minute=60))
    PlannedSlot.objects.filter(slot=midnight).update(slot=midnight - timedelta(days=92))

    assert (backfill_orders.forget_old(), PlannedSlot.objects.count()) == (1, 1)
