"""A workspace with quotas, and people in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automation.services import quotas, run_quota, runnable
from automation.tests.api.conftest import Api, make_person, make_workspace
from brainops.accounts.models import Workspace


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    quotas.remembered.forget_all()
    run_quota._local.clear()
    runnable.forget_all()


@pytest.fixture
def limited() -> Callable[..., Api]:
    """The owner of a new workspace with quotas of its own."""

    def make(**own: Any) -> Api:
        home = make_workspace()
        for name, value in own.items():
            setattr(home, name, value)
        home.save()
        return make_person(home)

    return make


def quota_of(response: Any) -> tuple[int, str, dict[str, Any]]:
    """What a refusal says."""
    body = response.json()
    return response.status_code, body["code"], body["quota"]


def change(home: Workspace, **own: Any) -> None:
    """Give a workspace other quotas."""
    for name, value in own.items():
        setattr(home, name, value)
    home.save()
