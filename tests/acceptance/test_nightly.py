"""Scenario S2, its first half: half past two each night in Berlin, over both changes of the clock.

The clock itself is not moved: a schedule with bounds is put back to its first night, as after a pause of the product.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from automation.models import Firing, Run, Trigger
from automation.models.firing import FiringDecision
from tests.live import wait_until

pytestmark = pytest.mark.processes

REPORT = {
    "schema": 1,
    "steps": [
        {
            "id": "send",
            "uses": "http.request",
            "with": {"method": "POST", "url": "", "json": {"id": "{{ trigger.scheduled_for }}"}},
        }
    ],
}
SPRING = {  # on 29 March there is no 02:30: the first instant that there is
    "2026-03-28T02:30:00+01:00": "2026-03-28T01:30:00Z",
    "2026-03-29T03:00:00+02:00": "2026-03-29T01:00:00Z",
    "2026-03-30T02:30:00+02:00": "2026-03-30T00:30:00Z",
}
AUTUMN = {  # on 25 October 02:30 comes twice: the first time
    "2026-10-24T02:30:00+02:00": "2026-10-24T00:30:00Z",
    "2026-10-25T02:30:00+02:00": "2026-10-25T00:30:00Z",
    "2026-10-26T02:30:00+01:00": "2026-10-26T01:30:00Z",
}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def nightly(product, url: str, *, first: str, last: str, missed: str) -> Trigger:
    """A schedule of some nights that are over, put back to the first of them."""
    step = {**REPORT["steps"][0]["with"], "url": url}
    definition = {**REPORT, "steps": [{**REPORT["steps"][0], "with": step}]}
    bounds = {"starts_at": f"{first}T00:00:00+00:00", "ends_at": f"{last}T23:00:00+00:00"}
    config = {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "missed": missed, **bounds}
    body = {"workflow_id": product.workflow("Nightly", definition), "kind": "schedule", "config": config}
    return Trigger.objects.get(id=product.call("POST", "/triggers", {**body, "is_active": False})["id"])


def put_back(trigger: Trigger, at: str) -> None:
    Trigger.objects.filter(id=trigger.id).update(is_active=True, next_fire_at=instant(at))


def all_ended(count: int) -> bool:
    return Run.objects.filter(finished_at__isnull=False).count() == count


@pytest.mark.parametrize("nights", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_there_is_one_report_a_night(product, workers, receiver, nights):
    first, last = (text[:10] for text in (min(nights), max(nights)))
    trigger = nightly(product, receiver.url, first=first, last=last, missed="all")
    put_back(trigger, next(iter(nights.values())))

    workers.start(2)
    wait_until(lambda: all_ended(3), seconds=60)

    assert {scheduled: sum(seen.values()) for scheduled, seen in receiver.keys.items()} == dict.fromkeys(nights, 1)
    # by the runs: the ledger forgets slots of more than 90 days ago
    keys = Run.objects.filter(trigger=trigger).order_by("id").values_list("dedupe_key", flat=True)
    assert list(keys) == [f"cron:{trigger.id}:{slot}" for slot in nights.values()]


def test_after_a_pause_only_the_newest_night_is_caught_up(product, workers, receiver):
    trigger = nightly(product, receiver.url, first="2026-10-24", last="2026-10-26", missed="last")
    put_back(trigger, "2026-10-24T00:30:00Z")

    workers.start(2)
    wait_until(lambda: all_ended(1), seconds=60)

    assert {scheduled: sum(seen.values()) for scheduled, seen in receiver.keys.items()} == {
        "2026-10-26T02:30:00+01:00": 1
    }
    decisions = Firing.objects.filter(trigger=trigger).order_by("slot").values_list("decision", flat=True)
    assert list(decisions) == [FiringDecision.MISSED, FiringDecision.MISSED, FiringDecision.RAN]
