"""Expressions from public workflows, with the fire times that at least four of five libraries agree on."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from automation.triggers.cron import next_slot, parse_cron

CASES = Path(__file__).parents[4] / "shared" / "cases" / "cron.json"


def load_cases():
    if not CASES.exists():
        why = f"the shared cases are not beside the checkout ({CASES.name})"
        return [pytest.param(None, marks=pytest.mark.skip(reason=why))]
    cases = json.loads(CASES.read_text())["cases"]
    return [pytest.param(case, id=f"{case['cron']}|{case['tz']}|{case['start']}") for case in cases]


@pytest.mark.parametrize("case", load_cases())
def test_a_real_expression_fires_when_the_libraries_agree(case):
    cron, zone = parse_cron(case["cron"]), ZoneInfo(case["tz"])
    at, found = datetime.fromisoformat(case["start"]).replace(tzinfo=zone), []

    for _ in case["next_epoch"]:
        at = next_slot(cron, zone, at)
        found.append(int(at.timestamp()))

    assert found == case["next_epoch"]
