"""The page of a schedule, and running a past period of it from there."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from automation.models import AlarmKind, Firing, PlannedSlot, Replay, Run, ScheduleAlarm
from automation.services.replays_due import replays_due
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.triggers.rows import make_schedule, make_workflow

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def hourly():
    """A schedule on the wall clock of Kolkata, half an hour beside UTC."""
    return make_schedule(make_workflow(name=EVIL), cron="30 * * * *", timezone="Asia/Kolkata", due=HOUR)


@pytest.fixture
def yesterday():
    return timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def place(trigger):
    return reverse("admin:automation_trigger_backfill", args=[trigger.id])


def form(start, hours):
    """The form as a browser sends it: times of Kolkata."""
    local = start + timedelta(hours=5, minutes=30)
    return {"from": f"{local:%Y-%m-%dT%H:%M}", "until": f"{local + hours * HOUR:%Y-%m-%dT%H:%M}", "per_minute": "3000"}


def test_a_past_period_is_seen_first_and_nothing_is_ordered(admin_of_all, hourly, yesterday):
    Firing.objects.create(trigger=hourly, slot=yesterday, decision=1)

    answer = admin_of_all.post(place(hourly), form(yesterday, 3))

    view = answer.context["view"]
    assert view.planned.slots == [yesterday + HOUR, yesterday + 2 * HOUR]
    assert [slot.strftime("%H:%M %z") for slot in view.first] == ["06:30 +0530", "07:30 +0530"]
    html = answer.content.decode()
    assert ("Run 2 slots" in html, "1, none of them again" in html, EVIL in html) == (True, True, False)
    assert Replay.objects.count() == 0


def test_a_period_is_ordered_run_and_watched(admin_of_all, hourly, yesterday):
    answer = admin_of_all.post(place(hourly), {**form(yesterday, 2), "per_minute": "1", "confirmed": "yes"})

    replay = Replay.objects.get()
    assert answer["Location"] == reverse("admin:automation_replay_page", args=[replay.id])
    assert (replay.total, replay.per_minute, replays_due()) == (2, 1, 1)
    html = admin_of_all.get(answer["Location"]).content.decode()
    run = Run.objects.get()
    assert "Replay of 2 slots" in html
    assert str(run.uid)[:8] in html
    assert all(slot.isoformat() in html for slot in PlannedSlot.objects.values_list("slot", flat=True))


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"from": "soon", "until": "later"}, "Write times like "),
        ({"from": "2020-01-01T00:00"}, "The ledger remembers 90 days, so that is how far back a backfill may go."),
        ({"until": "2099-01-01T00:00"}, "A backfill ends now at the latest: later slots will come."),
    ],
)
def test_a_period_that_cannot_be_is_refused_on_the_page(admin_of_all, hourly, said, refusal):
    answer = admin_of_all.post(place(hourly), {**said, "confirmed": ""})

    assert any(text.startswith(refusal) for text in answer.context["view"].refusals)
    assert "confirmed" not in answer.content.decode()


def test_the_usual_period_is_the_last_day(admin_of_all, hourly):
    view = admin_of_all.get(place(hourly)).context["view"]

    assert len(view.planned.slots) == 24
    assert view.per_minute == 600


def test_only_those_who_may_start_runs_find_the_button(admin_of_all, looker, hourly, yesterday):
    page = reverse("admin:automation_trigger_page", args=[hourly.id])
    half = make_staff("view_trigger", "change_trigger")

    assert "Run a past period" in admin_of_all.get(page).content.decode()
    for person in (looker, half):
        assert "Run a past period" not in person.get(page).content.decode()
        assert person.post(place(hourly), {**form(yesterday, 2), "confirmed": "yes"}).status_code == 403
    assert Replay.objects.count() == 0


def test_a_trigger_without_a_clock_has_no_past_to_run(admin_of_all, hourly):
    type(hourly).objects.update(kind="webhook")

    assert admin_of_all.get(place(hourly)).status_code == 404


def test_the_page_says_that_it_should_have_run_and_has_not(admin_of_all, hourly):
    ScheduleAlarm.objects.create(
        trigger=hourly, kind=AlarmKind.SLOTS, since=datetime(2026, 11, 23, 9, tzinfo=UTC), reason=f"Why {EVIL}"
    )

    html = admin_of_all.get(reverse("admin:automation_trigger_page", args=[hourly.id])).content.decode()

    assert "overdue" in html
    assert "Why " in html
    assert EVIL not in html


def test_next_times_stand_there_for_the_schedules_clock_and_for_the_readers(admin_of_all, hourly):
    html = admin_of_all.get(reverse("admin:automation_trigger_page", args=[hourly.id])).content.decode()

    assert html.count('data-zone="Asia/Kolkata"') == 10
    assert "brainops/own_times.js" in html
