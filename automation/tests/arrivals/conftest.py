"""A source in this process, and the memory of versions without what other tests left there."""

import pytest

from automation import triggers
from automation.services import runnable
from automation.tests.arrivals.inbox import Inbox


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()


@pytest.fixture
def inbox(monkeypatch):
    """A kind "inbox" beside those of the installation."""
    box, found = Inbox(), triggers._modules
    monkeypatch.setattr(triggers, "_modules", lambda: [*found(), box.module()])
    triggers.all_trigger_kinds.cache_clear()
    yield box
    triggers.all_trigger_kinds.cache_clear()
