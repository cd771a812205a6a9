"""Scenarios 6 and 7: PostgreSQL crashed and frozen under load. Nothing can be promised then, and nothing is."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.harness import HELD
from tests.chaos.house import SLOTS

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

NOTHING = (0, 0, 0, 0, 0)
FROZEN_SECONDS = 15


def test_postgresql_crashed_three_times(house, chaos):
    async def faults(scene):
        for _ in range(3):
            await asyncio.sleep(scene.random.uniform(3, 5))
            house.crash_postgres()
            scene.tally.faults += 1
            await asyncio.sleep(scene.random.uniform(0.2, 2))
            house.start_postgres()
        await asyncio.sleep(6)

    tally = chaos(faults, scenario=6)

    refused = sum(status not in HELD for _, _, status in tally.answers)
    tally.more["refused or unanswered"] = refused
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert tally.statuses() <= {*HELD, 0, 503}  # refused or unanswered, never promised falsely
    assert [process.poll() for process in (house.web, *house.workers)] == [None, None, None]  # nobody was restarted


def test_postgresql_frozen_beyond_the_dead_time_kills_nobody(house, chaos):
    async def faults(scene):
        await asyncio.sleep(4)
        with house.frozen_postgres():
            scene.tally.faults += 1
            await asyncio.sleep(FROZEN_SECONDS)
        await asyncio.sleep(6)

    dead_before = house.rows("select count(*) from automation_worker where state = 3")
    tally = chaos(faults, scenario=7)

    assert tally.errors == NOTHING
    assert tally.repeated <= SLOTS
    assert house.rows("select count(*) from automation_worker where state = 3") == dead_before
    assert house.count("crashes > 0 and created_at > now() - interval '40 seconds'") == 0
