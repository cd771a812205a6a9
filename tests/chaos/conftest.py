"""The acceptance fixtures for tests that break processes, and a house of its own for those that break servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import product, receiver, web, workers
from tests.chaos.counting import Tally
from tests.chaos.figures import Figures
from tests.chaos.harness import Faults, play
from tests.chaos.house import House

__all__ = ["product", "receiver", "web", "workers"]


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    house = House()
    yield house
    house.stop()


@pytest.fixture
def chaos(house: House, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Tally]]:
    """Play a scenario; its figures are printed and published when the test is over, whatever came of it."""
    played: list[Tally] = []

    def run(faults: Faults, *, scenario: int, **options: Any) -> Tally:
        tally = asyncio.run(play(house, faults, scenario=scenario, **options))
        played.append(tally)
        return tally

    yield run
    house.stop_workers()
    for tally in played:
        tell(tally.figures(), capsys)


@pytest.fixture
def publish(capsys: pytest.CaptureFixture[str]) -> Callable[[Figures], None]:
    """Print and publish figures that a test counted itself."""
    return lambda figures: tell(figures, capsys)


def tell(figures: Figures, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + figures.line())
    figures.publish()
