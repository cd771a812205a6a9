"""A workspace, and a receiver that may be called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from automation.services import runnable
from automation.tests.api.conftest import Api, make_person, make_workspace
from brainops.accounts.models import Workspace
from brainops.core.egress import http
from webhooks.tests import make
from webhooks.tests.outbound.receiver import Receiver


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    runnable.forget_all()


@pytest.fixture
def home(db: None) -> Workspace:
    return make.workspace()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    server = Receiver()
    yield server
    server.close()
    http.client.cache_clear()


@pytest.fixture
def owner(home: Workspace) -> Api:
    return make_person(home)


@pytest.fixture
def stranger(db: None) -> Api:
    """The owner of another workspace."""
    return make_person(make_workspace())
