"""One caller starts runs at a finite pace; others do not notice."""

from __future__ import annotations

from typing import Any

import pytest

from automation.api.start_limit import StartLimit
from automation.models import Run
from automation.tests.api.conftest import Api, make_person
from brainops.core import clock


def test_a_burst_is_granted_and_what_goes_beyond_is_told_when_to_come_back(owner: Api, settings: Any):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "starts_per_second": 1}
    id_ = owner.make()["id"]

    responses = [owner.post(f"/workflows/{id_}/execute") for _ in range(7)]

    assert [response.status_code for response in responses] == [202] * 5 + [429] * 2
    assert responses[-1].json()["code"] == "too_many_requests"
    assert int(responses[-1].headers["Retry-After"]) == 1
    assert Run.objects.count() == 5
    assert make_person(owner.workspace).post(f"/workflows/{id_}/execute").status_code == 202


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that stands still until told otherwise."""
    times = {"now": 1000.0}
    monkeypatch.setattr(clock, "monotonic", lambda: times["now"])
    return times


def test_the_pace_is_exact(monotonic: dict[str, float]):
    limit = StartLimit()

    # at 10 a second five seconds' worth are 50 at once
    assert [limit.take("ada", per_second=10) for _ in range(50)] == [0.0] * 50
    assert limit.take("ada", per_second=10) == pytest.approx(0.1)
    monotonic["now"] += 0.1
    assert limit.take("ada", per_second=10) == 0.0
    assert limit.take("ada", per_second=10) == pytest.approx(0.1)
    assert limit.take("bob", per_second=10) == 0.0
