"""Scenario 12: two beats and two workers, one of each killed after each fire, and schedules whose past holds DST changes.

In the last rounds no beat is left. The clock itself is not moved: the next slot of each schedule is put back, as after a
pause of the installation (`automation/tests/triggers/test_clock_jumps.py` moves it).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.chaos.figures import Figures
from tests.chaos.house import DEAD_SECONDS

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(600)]

ROUNDS, WITH_BEAT = 6, 3  # rounds, and those after which a killed beat is started again
MOST = 100  # slots that a pause can leave behind
BERLIN = "Europe/Berlin"
# by the runs: the ledger itself forgets slots of more than 90 days ago
FIRED = "select dedupe_key, count(*) from automation_run where trigger_id = %s group by 1"
RUNS = "select count(*), count(*) filter (where status = 50 and finishes = 1) from automation_run where trigger_id = %s"
PUT_BACK = "update automation_trigger set next_fire_at = %s, last_fired_at = null where id = %s returning 1"


@dataclass
class Past:
    """A schedule with a past: its config, its first missed slot, and the slots that must run."""

    rhythm: dict[str, str]
    timezone: str
    missed: str
    slots: list[datetime]

    @property
    def must_run(self) -> list[datetime]:
        newest = self.slots[-MOST:]
        return {"all": newest, "last": newest[-1:], "skip": []}[self.missed]


def minutes_ago(now: datetime, count: int) -> list[datetime]:
    """Every minute of a pause; the newest slot is the present one."""
    return [now - timedelta(minutes=back) for back in range(count, -1, -1)]


def hours_ago(now: datetime, count: int) -> list[datetime]:
    """The tenth minute past, once an hour."""
    first = now - timedelta(minutes=10)
    return [first - timedelta(hours=back) for back in range(count, -1, -1)]


def sundays(now: datetime, clock: tuple[int, int]) -> list[datetime]:
    """Half past two on each Sunday of about two years in Berlin, worked out from the calendar."""
    return list(reversed(list(_sundays_back(now, clock))))[-MOST:]


def _sundays_back(now: datetime, clock: tuple[int, int]) -> Iterator[datetime]:
    day = now.astimezone(ZoneInfo(BERLIN)).date()
    day -= timedelta(days=(day.weekday() + 1) % 7)
    for _ in range(MOST + 2):
        slot = in_berlin(day, *clock)
        if slot <= now:
            yield slot
        day -= timedelta(days=7)


def in_berlin(day: date, hour: int, minute: int) -> datetime:
    """The instant of a wall clock's time; one that the spring leaves out is the first one after the gap."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(BERLIN))
    if local.astimezone(UTC).astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None) != local.replace(tzinfo=None):
        return datetime(day.year, day.month, day.day, 3, 0, tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)
    return local.astimezone(UTC)


def pasts(now: datetime) -> list[Past]:
    hourly = {"cron": f"{(now - timedelta(minutes=10)).minute} * * * *"}
    weekly = {"anchor": "2001-01-07T02:30"}  # a Sunday
    return [
        Past({"cron": "* * * * *"}, "UTC", "all", minutes_ago(now, 10)),  # beat absent for ten minutes
        Past(hourly, "UTC", "all", hours_ago(now, 30)),
        Past(hourly, "UTC", "last", hours_ago(now, 5)),
        Past(hourly, "UTC", "skip", hours_ago(now, 5)),
        Past({"cron": "30 2 * * 0"}, BERLIN, "all", sundays(now, (2, 30))),  # in the gap in spring, twice in autumn
        Past({"cron": "30 2 * * 0"}, BERLIN, "last", sundays(now, (2, 30))),
        Past({"rrule": "FREQ=WEEKLY;BYDAY=SU", **weekly}, BERLIN, "all", sundays(now, (2, 30))),
        Past({"interval": "1w", **weekly}, BERLIN, "all", sundays(now, (2, 30))),
    ]


def test_each_slot_fires_once_although_beats_and_workers_are_killed(house, publish):
    definition = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]}
    workflow = house.product.workflow("Clock", definition)
    for _ in range(2):
        house.start_worker("127.0.0.1:1")
        house.start_beat()

    made = asyncio.run(play(house, workflow))

    slots = missing = doubled = 0
    for trigger, past in made:
        ran = {datetime.fromisoformat(key.split(":", 2)[2]): count for key, count in house.rows(FIRED, trigger)}
        expected = past.must_run
        found = {slot: count for slot, count in ran.items() if slot <= past.slots[-1]}
        slots += len(expected)
        missing += len(set(expected) - set(found))
        doubled += sum(count - 1 for count in found.values()) + len(set(found) - set(expected))
        total, succeeded = house.rows(RUNS, trigger)[0]
        assert total == succeeded == len(ran)
    house.stop_workers()
    figures = Figures(
        12, accepted=slots, faults=ROUNDS + min(ROUNDS, WITH_BEAT + 2), lost=missing, doubled=doubled, repeated=0
    )
    figures.more = {"schedules": len(made)}
    publish(figures)
    assert (missing, doubled) == (0, 0)


async def play(house, workflow):
    """Round after round: schedules with a past appear, and as soon as one has fired a worker and a beat are killed."""
    made = []
    for number in range(ROUNDS):
        now = await whole_minute()
        fired = count_fired(house)
        made += [(await asyncio.to_thread(make_schedule, house, workflow, past), past) for past in pasts(now)]
        while count_fired(house) == fired:
            await asyncio.sleep(0.01)
        for group in (house.workers, house.others):
            if not group:
                continue  # no beat is left
            victim = group.pop(number % len(group))
            victim.kill()
            await asyncio.to_thread(victim.wait)
        await asyncio.to_thread(house.start_worker, "127.0.0.1:1")
        if number < WITH_BEAT:
            house.start_beat()
    deadline = asyncio.get_running_loop().time() + 60
    while await asyncio.to_thread(still_due, house, made):
        assert asyncio.get_running_loop().time() < deadline, "slots are still due"
        await asyncio.sleep(0.2)
    await asyncio.sleep(DEAD_SECONDS)
    for trigger, _ in made:  # no further minute shall fire while we count
        with suppress(RuntimeError):
            await asyncio.to_thread(house.product.call, "PATCH", f"/triggers/{trigger}", {"is_active": False})
    while await asyncio.to_thread(house.count, "workflow_id = %s and status < 50", workflow):
        await asyncio.sleep(0.2)
    return made


async def whole_minute():
    """This minute, far enough from its end for a round to be prepared in it."""
    while not 1 <= datetime.now(UTC).second <= 50:
        await asyncio.sleep(0.2)
    return datetime.now(UTC).replace(second=0, microsecond=0)


def make_schedule(house, workflow, past):
    config = {**past.rhythm, "timezone": past.timezone, "missed": past.missed}
    body = {"workflow_id": workflow, "kind": "schedule", "config": config}
    trigger = house.product.call("POST", "/triggers", body)["id"]
    house.change(PUT_BACK, past.slots[0], trigger)
    return trigger


def count_fired(house):
    return house.rows("select count(*) from automation_firing")[0][0]


def still_due(house, made):
    ids = [trigger for trigger, _ in made]
    due = "select count(*) from automation_trigger where id = any(%s::uuid[]) and next_fire_at <= now()"
    return house.rows(due, ids)[0][0]
