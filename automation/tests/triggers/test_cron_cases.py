"""Expressions from public workflows, with the fire times that at least four of five libraries agree on."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from automation.models import Firing, Trigger
from automation.services.schedules import fire_due
from automation.services.trigger_checks import config_problems
from automation.tests.moved_clock import set_clock
from automation.tests.triggers.rows import make_schedule
from automation.triggers.cron import next_slot, parse_cron
from automation.triggers.schedule import KIND, complete, upcoming

CASES = Path(__file__).parents[4] / "shared" / "cases" / "cron.json"


WHY = f"the shared cases are not beside the checkout ({CASES.name})"


def load_cases():
    if not CASES.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=WHY))]
    cases = read_cases()
    return [pytest.param(case, id=f"{case['cron']}|{case['tz']}|{case['start']}") for case in cases]


def read_cases():
    return json.loads(CASES.read_text())["cases"]


@pytest.mark.parametrize("case", load_cases())
def test_a_real_expression_fires_when_the_libraries_agree(case):
    cron, zone = parse_cron(case["cron"]), ZoneInfo(case["tz"])
    at, found = datetime.fromisoformat(case["start"]).replace(tzinfo=zone), []

    for _ in case["next_epoch"]:
        at = next_slot(cron, zone, at)
        found.append(int(at.timestamp()))

    assert found == case["next_epoch"]


def config_of(case):
    return {"cron": case["cron"], "timezone": case["tz"]}


@pytest.mark.skipif(not CASES.exists(), reason=WHY)
def test_people_who_save_one_of_the_349_see_these_times():
    wrong, cases = [], read_cases()
    for case in cases:
        problems = [problem.message for problem in config_problems(KIND, config_of(case))]
        trigger = Trigger(kind="schedule", config=complete(config_of(case)))
        start = datetime.fromisoformat(case["start"]).replace(tzinfo=ZoneInfo(case["tz"]))
        shown = upcoming(trigger, start, count=len(case["next_epoch"]))
        if problems or [int(slot.timestamp()) for slot in shown] != case["next_epoch"]:
            wrong.append((case["cron"], case["tz"], problems, shown))

    assert (len(cases), wrong) == (349, [])


@pytest.mark.django_db
@pytest.mark.skipif(not CASES.exists(), reason=WHY)
def test_each_of_the_349_fires_at_these_times_and_at_no_other():
    trigger, wrong = make_schedule(), []
    for case in read_cases():
        slots = [datetime.fromtimestamp(epoch, UTC) for epoch in case["next_epoch"]]
        config = complete({**config_of(case), "missed": "all"})
        Trigger.objects.filter(id=trigger.id).update(config=config, next_fire_at=slots[0])
        Firing.objects.all().delete()
        set_clock(slots[-1])

        fire_due()

        fired = list(Firing.objects.order_by("slot").values_list("slot", "decision"))
        if fired != [(slot, 1) for slot in slots]:
            wrong.append((case["cron"], case["tz"], fired))
    assert wrong == []
