"""The key-value store of a workspace, for people and programs: look up, set, delete; forget old events, too.

What runs do with them goes through `store/commands/state.py`; both end in the same statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from automation.engine.commands import CommandRefused
from automation.models import StateValue
from automation.store import events, state_values
from automation.store.state_values import Key
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import scoped
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem, VersionMismatch

MOST_FORGOTTEN = 5_000  # rows a sweep deletes at most of each kind

Json = Any


def find(caller: Caller, *, prefix: str = "") -> QuerySet[StateValue]:
    """The values whose keys begin with `prefix`, without those that expired."""
    caller.require(Permission.STATE_READ)
    rows = scoped(StateValue.objects.all(), caller).filter(Q(expires_at=None) | Q(expires_at__gt=Now()))
    return rows.filter(key__startswith=prefix) if prefix else rows


def get(caller: Caller, key: str) -> StateValue:
    """What a key holds. Raises NotFound when it holds nothing."""
    found = find(caller).filter(key=key).first() if "\0" not in key else None
    if found is None:
        raise NotFound
    return found


def put(
    caller: Caller,
    key: str,
    *,
    value: Json,
    expires_seconds: float | None = None,
    if_version: int | None = None,
    check: Callable[[int], None] | None = None,
) -> StateValue:
    """Set a key; with `if_version` only if it has that version (0: holds nothing).

    `check` sees the present version and may raise; then that version must still be there. Raises InvalidInput,
    Conflict (`version_conflict`), VersionMismatch.
    """
    caller.require(Permission.STATE_WRITE)
    with _refusals("/value"), transaction.atomic(), connection.cursor() as cursor:
        named = Key(caller.workspace(), key)
        before = state_values.get_value(cursor, named)
        version = before.version if before else 0
        if check is not None:
            check(version)
        if if_version is not None and if_version != version:
            raise _conflict(key, if_version, version)
        expected = version if check is not None or if_version is not None else None
        written = state_values.set_value(
            cursor, named, value, expected_version=expected, expires_seconds=expires_seconds
        )
        if written is None:
            raise VersionMismatch("Somebody else changed the key at the same moment. Read it again, then repeat.")
        _audit(caller, "set", key, f"Set the key {key!r} of the store.")
        return get(caller, key)


def delete(caller: Caller, key: str) -> None:
    """Forget a key. Raises NotFound when it holds nothing."""
    caller.require(Permission.STATE_WRITE)
    with transaction.atomic():
        get(caller, key)
        with connection.cursor() as cursor:
            state_values.delete_value(cursor, Key(caller.workspace(), key))
        _audit(caller, "delete", key, f"Deleted the key {key!r} of the store.")


def forget_expired() -> int:
    """Delete values that expired and events that are old, a bounded number at a time; return how many."""
    with connection.cursor() as cursor:
        values = state_values.forget_expired(cursor, limit=MOST_FORGOTTEN)
        old = events.forget_old_events(cursor, days=settings.BRAINOPS_EVENT_DAYS, limit=MOST_FORGOTTEN)
    return values + old


def _audit(caller: Caller, verb: str, key: str, summary: str) -> None:
    record(
        actor=caller,
        workspace_id=caller.workspace(),
        action=f"state.{verb}",
        target_kind="state_value",
        target_id=key,
        summary=summary,
    )


def _conflict(key: str, wanted: int, version: int) -> Conflict:
    said = f"The key {key!r} has version {version}, not {wanted}. Read it again, then repeat your change on it."
    return Conflict(said, code="version_conflict", details={"version": version})


@contextmanager
def _refusals(pointer: str) -> Iterator[None]:
    """Tell what the store refuses as the API does."""
    try:
        yield
    except CommandRefused as refused:
        place = "" if refused.code == "invalid_key" else pointer
        raise InvalidInput(str(refused), problems=[Problem(refused.code, str(refused), place)]) from refused
    except DataError as error:
        said = f"The value cannot be stored: {str(error).partition(chr(10))[0]}."
        raise InvalidInput(said, problems=[Problem("unstorable_value", said, pointer)]) from error
