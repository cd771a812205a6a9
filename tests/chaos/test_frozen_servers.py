"""Servers that stand still instead of going away: connections stay open, answers do not come."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.house import DEAD_SECONDS

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(240)]


def test_postgresql_frozen_beyond_the_dead_time_kills_nobody(house, chaos):
    async def faults(scene):
        for _ in range(2):
            await asyncio.sleep(4)
            with house.frozen_postgres():
                scene.tally.faults += 1
                await asyncio.sleep(DEAD_SECONDS + 2)
        await asyncio.sleep(DEAD_SECONDS + 1)

    dead_before = house.rows("select count(*) from automation_worker where state = 3")
    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed, tally.repeated) == (0, 0, 0, 0)
    assert house.rows("select count(*) from automation_worker where state = 3") == dead_before
    assert house.count("crashes > 0 and created_at > now() - interval '30 seconds'") == 0


def test_redis_frozen_holds_no_delivery_up(house, chaos):
    async def faults(scene):
        await asyncio.sleep(3)
        with house.frozen_valkey():
            scene.tally.faults += 1
            await asyncio.sleep(10)
        await asyncio.sleep(4)

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed, tally.repeated) == (0, 0, 0, 0)
    assert tally.statuses() == {202}
    assert tally.slowest(0.99) < 1.0
