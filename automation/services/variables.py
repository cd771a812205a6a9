"""Variables of a workspace: any JSON by name, plain for everybody who may read the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from automation.engine.weight import weight
from automation.models import Variable
from automation.services import mentioned
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, Problem
from brainops.core.redact import redact

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
LARGEST_BYTES = 32 * 1024  # of a value as JSON: each run that reads it keeps a copy
MOST = 500  # of a workspace
SHOWN_BYTES = 2_000  # of a value in the audit log

Check = Callable[[Variable], None]
Json = Any


def find(caller: Caller) -> QuerySet[Variable]:
    """The variables of the caller's workspace."""
    caller.require(Permission.VARIABLES_READ)
    return _rows(caller)


def get(caller: Caller, name: str) -> Variable:
    """One variable. Raises NotFound."""
    caller.require(Permission.VARIABLES_READ)
    return _one(caller, name)


def create(caller: Caller, name: str, *, value: Json, description: str = "") -> Variable:
    """Make a variable. Raises InvalidInput, and Conflict (`name_taken`) when there is one of this name."""
    caller.require(Permission.VARIABLES_WRITE)
    check_name(name)
    check_value(value)
    _check_room(caller)
    row = Variable(
        workspace_id=caller.workspace(), name=name, value=value, description=description, updated_by_id=caller.user_id
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _audit(caller, "create", name, {"value": [None, _shown(name, value)]})
    except IntegrityError as error:
        said = f"There is a variable {name!r} already. Change it with PUT /variables/{name}."
        raise Conflict(said, code="name_taken") from error
    return _one(caller, name)


def put(caller: Caller, name: str, *, check: Check, value: Json, description: str = "") -> tuple[Variable, bool]:
    """Set a variable, whether or not it is there; the second value tells whether it was made. Raises like `create`."""
    caller.require(Permission.VARIABLES_WRITE)
    if not _rows(caller).filter(name=name).exists():
        return create(caller, name, value=value, description=description), True
    return change(caller, name, check=check, value=value, description=description), False


def change(caller: Caller, name: str, *, check: Check, **values: Json) -> Variable:
    """Change `value` or `description`. Runs that begin from now on read it. Raises NotFound and InvalidInput."""
    caller.require(Permission.VARIABLES_WRITE)
    if "value" in values:
        check_value(values["value"])
    with transaction.atomic():
        row = get_scoped(Variable.objects.select_for_update(of=("self",)), caller, name, by="name")
        check(row)
        changed = {key: [getattr(row, key), new] for key, new in values.items() if not _same(getattr(row, key), new)}
        if changed:
            for key, new in values.items():
                setattr(row, key, new)
            row.revision += 1
            row.updated_at, row.updated_by_id = clock.now(), caller.user_id
            row.save()
            _audit(caller, "update", name, {key: [_shown(name, one) for one in pair] for key, pair in changed.items()})
    return _one(caller, name)


def delete(caller: Caller, name: str, *, check: Check, is_forced: bool = False) -> None:
    """Delete a variable. Raises NotFound, and Conflict (`in_use`) while workflows mention it, unless forced."""
    caller.require(Permission.VARIABLES_WRITE)
    with transaction.atomic():
        row = get_scoped(Variable.objects.select_for_update(of=("self",)), caller, name, by="name")
        check(row)
        if not is_forced:
            refuse_while_used(caller, mentioned.VARS, name)
        row.delete()
        _audit(caller, "delete", name, {"value": [_shown(name, row.value), None]})


def refuse_while_used(caller: Caller, sort: str, name: str) -> None:
    """Raise Conflict that names the workflows which mention a variable or secret."""
    users = mentioned.used_by(caller.workspace(), sort, name)
    if users:
        some = ", ".join(repr(user.name) for user in users[:3])
        rest = f" and {len(users) - 3} more" if len(users) > 3 else ""
        said = f'"{sort}.{name}" is used by {some}{rest}. Take it out there first, or delete it with `force=true`.'
        named = [{"id": str(user.id), "name": user.name} for user in users]
        raise Conflict(said, code="in_use", details={"used_by": named})


def check_name(name: str) -> None:
    """Raise InvalidInput unless expressions can read the name behind a dot."""
    if not re.fullmatch(NAME_PATTERN, name, re.ASCII):
        said = f"A name has 1 to 64 letters, digits and _, and begins with no digit; got {name[:80]!r}."
        raise InvalidInput(said, problems=[Problem("invalid_name", said, "/name")])


def check_value(value: Json) -> None:
    """Raise InvalidInput unless runs can keep copies of the value."""
    if weight(value, LARGEST_BYTES) > LARGEST_BYTES:
        said = f"A variable has at most {LARGEST_BYTES:,} bytes as JSON. Keep large values in the store (PUT /state/…)."
        raise InvalidInput(said, problems=[Problem("value_too_large", said, "/value")])


def _check_room(caller: Caller) -> None:
    if _rows(caller).count() >= MOST:
        raise Conflict(f"A workspace has at most {MOST} variables. Delete one first.", code="too_many_variables")


def _same(old: Json, new: Json) -> bool:
    """Equal as JSON; Python takes 1 for true."""
    return type(old) is type(new) and old == new and repr(old) == repr(new)


def _shown(name: str, value: Json) -> Json:
    """A value for the audit log: masked where its name sounds like a secret, named by its size when it is large."""
    if weight(value, SHOWN_BYTES) > SHOWN_BYTES:
        return f"more than {SHOWN_BYTES:,} bytes"
    return redact(value, key=name)


def _rows(caller: Caller) -> QuerySet[Variable]:
    return scoped(Variable.objects.select_related("updated_by"), caller)


def _one(caller: Caller, name: str) -> Variable:
    return get_scoped(_rows(caller), caller, name, by="name")


def _audit(caller: Caller, verb: str, name: str, changes: dict[str, Json]) -> None:
    record(
        actor=caller,
        workspace_id=caller.workspace(),
        action=f"variable.{verb}",
        target_kind="variable",
        target_id=name,
        summary=f"{verb.capitalize()}d variable {name!r}.",
        changes=changes,
    )
