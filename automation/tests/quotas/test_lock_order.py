"""Whoever changes people, triggers and workflows at once waits for the others; nobody waits for each other in a circle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from automation.models import Workflow
from automation.services import quotas
from automation.tests.api.conftest import make_person
from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, Workspace
from brainops.accounts.services import api_keys, departures

pytestmark = pytest.mark.django_db(transaction=True)
LOW, HIGH = UUID(int=1), UUID(int=2)


@pytest.fixture
def owner(limited: Callable[..., Any]) -> Caller:
    return api_keys.recognise(limited(max_active_triggers=5).key.text)


@pytest.fixture
def leaver(owner: Caller) -> Caller:
    """A member with two workflows, the one with the higher id made last."""
    home = Workspace.objects.get(id=owner.workspace_id)
    found = api_keys.recognise(make_person(home, Role.BUILDER).key.text)
    for id_ in (LOW, HIGH):
        Workflow.objects.create(id=id_, workspace=home, owner_id=found.user_id, name=str(id_.int), definition={})
    return found


@pytest.fixture
def removal(owner: Caller, leaver: Caller) -> Iterator[Callable[[], Future[Any]]]:
    """Begin to remove the member on another connection; returns once that waits for us."""
    member = Membership.objects.get(user=leaver.user_id)
    with ThreadPoolExecutor(1) as pool:

        def remove() -> Any:
            try:
                return departures.remove(owner, member.id)
            finally:
                connections.close_all()

        def begin() -> Future[Any]:
            begun = pool.submit(remove)
            while not begun.done() and not _waits_for_us():
                time.sleep(0.01)
            return begun

        yield begin


def _waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def _lock(id_: UUID) -> None:
    Workflow.objects.select_for_update(no_key=True).get(id=id_)


def test_who_adds_a_trigger_while_its_owner_is_removed_goes_first(owner: Caller, removal: Any):
    with transaction.atomic():
        _lock(LOW)
        begun = removal()
        quotas.require_active_triggers_locked(owner.workspace(), more=1)

    assert begun.result(timeout=30).handed_over["workflows"] == 2


def test_a_removal_locks_workflows_in_the_order_of_bulk_requests(removal: Any):
    with transaction.atomic():
        _lock(LOW)
        begun = removal()
        _lock(HIGH)

    assert begun.result(timeout=30).handed_over["workflows"] == 2
