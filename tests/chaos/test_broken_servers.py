"""Redis emptied, Redis killed, PostgreSQL crashed, all under load: nothing accepted is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.chaos.harness import HELD
from tests.live import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(240)]


def test_redis_emptied_every_two_seconds(house, chaos):
    async def faults(scene):
        for _ in range(8):
            await asyncio.sleep(2)
            house.valkey().flushall()
            scene.tally.faults += 1

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed, tally.repeated) == (0, 0, 0, 0)
    assert tally.statuses() == {202}


def test_redis_killed_and_started_again_later(house, chaos):
    away = {}

    async def faults(scene):
        await asyncio.sleep(3)
        away["since"] = time.monotonic()
        house.kill_valkey()
        scene.tally.faults += 1
        await asyncio.sleep(2)
        before = house.count("status = 50")
        await asyncio.sleep(8)
        away["finished"] = house.count("status = 50") - before
        away["until"] = time.monotonic()
        house.start_valkey()
        await asyncio.sleep(5)

    def listening():
        return sum(client["cmd"].lower() == "brpop" for client in house.valkey().client_list())

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed, tally.repeated) == (0, 0, 0, 0)
    assert tally.statuses() == {202}
    assert tally.slowest(0.99, since=away["since"], until=away["until"]) < 1.0
    assert away["finished"] > 50  # runs went on without any bell
    wait_until(lambda: listening() >= 2, seconds=20)  # both workers hear bells again by themselves


def test_postgresql_crashed_twice(house, chaos):
    async def faults(scene):
        for _ in range(2):
            await asyncio.sleep(scene.random.uniform(3, 5))
            house.crash_postgres()
            scene.tally.faults += 1
            await asyncio.sleep(scene.random.uniform(0.2, 2))
            house.start_postgres()
        await asyncio.sleep(6)

    tally = chaos(faults)

    assert (tally.lost, tally.doubled, tally.failed, tally.repeated) == (0, 0, 0, 0)
    assert tally.statuses() <= {*HELD, 0, 503}  # refused or unanswered, never promised falsely
    assert [process.poll() for process in (house.web, *house.workers)] == [None, None, None]  # nobody was restarted
