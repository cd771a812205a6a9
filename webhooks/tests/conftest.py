"""Each test starts without what earlier ones left in this process's memory."""

import pytest

from webhooks.services import quota, states
from webhooks.tests import make


@pytest.fixture(autouse=True)
def _fresh_memory(monkeypatch):
    states.known.forget_all()
    monkeypatch.setattr(quota, "rejected", quota.Quota())


@pytest.fixture
def endpoint(db):
    return make.endpoint()


@pytest.fixture
def owner(endpoint):
    home = endpoint.workspace
    return make.api(make.person(home), home)
