"""A workspace, and people in it."""

from __future__ import annotations

import pytest

from automation.tests.approvals.rows import member
from brainops.accounts.caller import Caller
from brainops.accounts.models import Role, Workspace


@pytest.fixture
def home(db: None) -> Workspace:
    return Workspace.objects.create(name="Acme", slug="acme")


@pytest.fixture
def ada(home: Workspace) -> Caller:
    return member(home, "ada")


@pytest.fixture
def bob(home: Workspace) -> Caller:
    return member(home, "bob")


@pytest.fixture
def admin(home: Workspace) -> Caller:
    return member(home, "root", Role.ADMIN)


@pytest.fixture
def stranger(db: None) -> Caller:
    other = Workspace.objects.create(name="Other", slug="other")
    return member(other, "mallory", Role.OWNER)
