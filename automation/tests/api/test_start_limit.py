"""One caller starts runs at a finite pace; others do not notice."""

from __future__ import annotations

from typing import Any

from automation.models import Run
from automation.tests.api.conftest import Api, make_person


def test_a_burst_is_granted_and_what_goes_beyond_is_told_when_to_come_back(owner: Api, settings: Any):
    settings.BRAINOPS_RATES = {**settings.BRAINOPS_RATES, "key_starts": 0.02}
    settings.BRAINOPS_RATE_BURST_SECONDS = 250  # five at once, then one in 50 s
    id_ = owner.make()["id"]

    responses = [owner.post(f"/workflows/{id_}/execute") for _ in range(7)]

    assert [response.status_code for response in responses] == [202] * 5 + [429] * 2
    assert (responses[-1].json()["code"], responses[-1].json()["limit"]["name"]) == ("rate_limited", "key-starts")
    assert 1 <= int(responses[-1].headers["Retry-After"]) <= 50
    assert Run.objects.count() == 5
    assert owner.get("/runs").status_code == 200  # reads have a limit of their own
    assert make_person(owner.workspace).post(f"/workflows/{id_}/execute").status_code == 202
