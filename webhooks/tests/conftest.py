"""Each test starts without what earlier ones left in this process's memory."""

import pytest

from webhooks.services import quota, states


@pytest.fixture(autouse=True)
def _fresh_memory(monkeypatch):
    states.known.forget_all()
    monkeypatch.setattr(quota, "rejected", quota.Quota())
