"""The acceptance fixtures for tests that break processes, and a house of its own for those that break servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.conftest import product, receiver, web, workers
from tests.chaos.harness import Faults, Tally, play
from tests.chaos.house import House

__all__ = ["product", "receiver", "web", "workers"]


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    house = House()
    yield house
    house.stop()


@pytest.fixture
def chaos(
    house: House, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Tally]]:
    """Play a scenario and print its tally."""

    def run(faults: Faults, *, workers: int = 2) -> Tally:
        tally = asyncio.run(play(house, faults, workers=workers))
        with capsys.disabled():
            print("\n" + tally.line(request.node.name))
        return tally

    yield run
    house.stop_workers()
