"""A workspace with a workflow, and a rule that watches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from automation.models import NoticeRule, Workflow
from automation.services import runnable
from automation.tests.notices import rows
from automation.tests.notices.servers import Hook, Inbox
from brainops.accounts.models import Workspace
from brainops.core.egress import http


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    runnable.forget_all()


@pytest.fixture(autouse=True)
def _from(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "BrainOps <brainops@example.com>"


@pytest.fixture
def home(db: None) -> Workspace:
    return rows.make_workspace()


@pytest.fixture
def orders(home: Workspace) -> Workflow:
    return rows.make_workflow(home)


@pytest.fixture
def rule(home: Workspace) -> NoticeRule:
    return rows.make_rule(home)


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    """A mail server that the installation uses."""
    box = Inbox()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield box
    box.close()


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    """A receiver of webhooks that may be called."""
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    server = Hook()
    yield server
    server.close()
    http.client.cache_clear()
