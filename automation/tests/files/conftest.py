"""A folder that is open to file triggers, and a door that lets workflows call this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation.services import runnable
from brainops.core import clock
from brainops.core.egress import http


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    runnable.forget_all()


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    """The folder of the root "shared"."""
    folder = tmp_path / "shared"
    folder.mkdir()
    settings.BRAINOPS_FILE_ROOTS = [f"shared={folder}"]
    return folder


@pytest.fixture
def open_door(settings: Any) -> Iterator[None]:
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    yield
    http.client.cache_clear()


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass on the clock of Python code."""
    passed = [timedelta()]
    real = clock.now

    def now() -> datetime:
        return real() + passed[0]

    monkeypatch.setattr("brainops.core.clock.now", now)

    def wait(seconds: float) -> None:
        passed[0] += timedelta(seconds=seconds)

    return wait
