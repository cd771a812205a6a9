"""Scenarios 3 to 5: Redis emptied, killed and frozen under load. It carries bells only: nobody has to notice."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.chaos.figures import quantile
from tests.live import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

NOTHING = (0, 0, 0, 0, 0)
LATENCY_SECONDS = 2.0  # more than usual, until a run is over
QUICK_SECONDS = 0.1  # an answer to a delivery
MORE_SECONDS = 0.05  # an answer while Redis is frozen, beyond the usual


class Times:
    """When the fault began and ended, on both clocks, and what was usual before."""

    def __init__(self, tally):
        self.tally = tally
        self.since = self.until = self.since_epoch = self.until_epoch = 0.0

    def begin(self):
        self.since, self.since_epoch = time.monotonic(), time.time()
        self.tally.faults += 1

    def end(self):
        self.until, self.until_epoch = time.monotonic(), time.time()

    def before(self, share):
        return self.tally.quantile(share, until=self.since)

    def during(self, share):
        return self.tally.quantile(share, since=self.since, until=self.until)

    def starts(self):
        """Seconds from creation to the end of the runs that came during the fault."""
        return [seconds for at, seconds in self.tally.lasted if self.since_epoch <= at < self.until_epoch]


def test_redis_emptied_every_two_seconds(house, chaos):
    async def faults(scene):
        await asyncio.sleep(4)
        scene.tally.more["calm since"] = time.time()
        for _ in range(8):
            await asyncio.sleep(2)
            house.valkey().flushall()
            scene.tally.faults += 1

    tally = chaos(faults, scenario=3)

    began = tally.more.pop("calm since")
    usual = quantile([seconds for at, seconds in tally.lasted if at < began], 0.99)
    now = quantile([seconds for at, seconds in tally.lasted if at >= began], 0.99)
    tally.more["run p99"] = f"{now:.2f} s (usual {usual:.2f} s)"
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert tally.statuses() == {202}
    assert now <= usual + LATENCY_SECONDS


def test_redis_killed_and_started_again_later(house, chaos):
    times = None

    async def faults(scene):
        nonlocal times
        times = Times(scene.tally)
        await asyncio.sleep(4)
        times.begin()
        house.kill_valkey()
        await asyncio.sleep(30)
        times.end()
        house.start_valkey()
        await asyncio.sleep(4)

    def listening():
        return sum(client["cmd"].lower() == "brpop" for client in house.valkey().client_list())

    tally = chaos(faults, scenario=4)

    starts = times.starts()
    tally.more["intake p99 while away"] = f"{times.during(0.99) * 1000:.0f} ms (usual {times.before(0.99) * 1000:.0f})"
    tally.more["runs over while away"] = len(starts)
    tally.more["slowest of them"] = f"{max(starts):.2f} s"
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert tally.statuses() == {202}
    assert times.during(0.99) < max(QUICK_SECONDS, 2 * times.before(0.99))
    assert quantile(starts, 0.99) <= LATENCY_SECONDS + 0.5  # runs go on without any bell
    wait_until(lambda: listening() >= 2, seconds=20)  # both workers hear bells again by themselves


def test_redis_frozen_holds_no_delivery_up(house, chaos):
    times = None

    async def faults(scene):
        nonlocal times
        times = Times(scene.tally)
        await asyncio.sleep(4)
        times.begin()
        with house.frozen_valkey():
            await asyncio.sleep(20)
            times.end()
        await asyncio.sleep(2)

    tally = chaos(faults, scenario=5)

    for share, name in ((0.99, "p99"), (1, "p100")):
        during, before = times.during(share) * 1000, times.before(share) * 1000
        tally.more[f"intake {name} while frozen"] = f"{during:.0f} ms (usual {before:.0f})"
    assert (*tally.errors, tally.repeated) == (*NOTHING, 0)
    assert tally.statuses() == {202}
    assert times.during(0.99) <= times.before(0.99) + MORE_SECONDS
