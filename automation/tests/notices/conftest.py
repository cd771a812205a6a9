"""A workspace with a workflow, and a rule that watches it."""

from __future__ import annotations

from typing import Any

import pytest

from automation.models import NoticeRule, Workflow
from automation.services import runnable
from automation.tests.notices import rows
from brainops.accounts.models import Workspace


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
