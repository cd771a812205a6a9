"""Secrets of a workspace: texts that steps send to services. They go in and never come out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from automation.models import Secret
from automation.services import mentioned
from automation.services.variables import check_name, refuse_while_used
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.egress.bound import read_pattern
from brainops.core.errors import Conflict, InvalidInput, Problem
from brainops.core.redact import MASK

SHORTEST = 6  # characters: a shorter text cannot be told from others, so nobody could take it out of an answer
LONGEST = 16 * 1024
MOST = 500  # of a workspace
MOST_HOSTS = 20

Check = Callable[[Secret], None]
Json = Any


def find(caller: Caller) -> QuerySet[Secret]:
    """The secrets of the caller's workspace, without their values."""
    caller.require(Permission.SECRETS_READ)
    return _rows(caller)


def get(caller: Caller, name: str) -> Secret:
    """One secret, without its value. Raises NotFound."""
    caller.require(Permission.SECRETS_READ)
    return _one(caller, name)


def create(
    caller: Caller,
    name: str,
    *,
    value: str,
    description: str = "",
    hosts: Sequence[str] = (),
    expires_on: date | None = None,
) -> Secret:
    """Make a secret. Raises InvalidInput, and Conflict (`name_taken`) when there is one of this name."""
    caller.require(Permission.SECRETS_WRITE)
    check_name(name)
    check_value(value)
    if _rows(caller).count() >= MOST:
        raise Conflict(f"A workspace has at most {MOST} secrets. Delete one first.", code="too_many_secrets")
    row = Secret(
        workspace_id=caller.workspace(),
        name=name,
        value=value,
        description=description,
        hosts=read_hosts(hosts),
        expires_on=expires_on,
        updated_by_id=caller.user_id,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _audit(caller, "create", name, {"value": [None, MASK], "hosts": [None, row.hosts]})
    except IntegrityError as error:
        said = f"There is a secret {name!r} already. Replace it with PUT /secrets/{name}."
        raise Conflict(said, code="name_taken") from error
    return _one(caller, name)


def put(caller: Caller, name: str, *, check: Check, **values: Json) -> tuple[Secret, bool]:
    """Set a secret, whether or not it is there; the second value tells whether it was made. Raises like `create`."""
    caller.require(Permission.SECRETS_WRITE)
    if not _rows(caller).filter(name=name).exists():
        return create(caller, name, **values), True
    return change(caller, name, check=check, **{"description": "", "hosts": (), "expires_on": None, **values}), False


def change(caller: Caller, name: str, *, check: Check, **values: Json) -> Secret:
    """Change `value`, `description`, `hosts` or `expires_on`; the next step of any run sends the new value.

    Raises NotFound and InvalidInput; `value_required` when more hosts would get a value that was not sent along.
    """
    caller.require(Permission.SECRETS_WRITE)
    if "value" in values:
        check_value(values["value"])
    if "hosts" in values:
        values["hosts"] = read_hosts(values["hosts"])
    with transaction.atomic():
        row = get_scoped(Secret.objects.select_for_update(of=("self",)), caller, name, by="name")
        check(row)
        if "value" not in values and "hosts" in values:
            refuse_wider(row.hosts, values["hosts"])
        plain = {key: new for key, new in values.items() if key != "value" and getattr(row, key) != new}
        changes = {key: [_json(getattr(row, key)), _json(new)] for key, new in plain.items()}
        if "value" in values:
            plain |= {"value": values["value"], "value_set_at": clock.now()}
            changes["value"] = [MASK, MASK]
        if changes:
            _write(caller, row, plain)
            _audit(caller, "update", name, changes)
    return _one(caller, name)


def delete(caller: Caller, name: str, *, check: Check, is_forced: bool = False) -> None:
    """Delete a secret. Raises NotFound, and Conflict (`in_use`) while workflows mention it, unless forced."""
    caller.require(Permission.SECRETS_WRITE)
    with transaction.atomic():
        row = get_scoped(Secret.objects.select_for_update(of=("self",)), caller, name, by="name")
        check(row)
        if not is_forced:
            refuse_while_used(caller, mentioned.SECRETS, name)
        row.delete()
        _audit(caller, "delete", name, {"value": [MASK, None]})


def check_value(value: Json, *, pointer: str = "/value") -> None:
    """Raise InvalidInput unless the value can be kept and hidden. What was sent is not repeated."""
    if not isinstance(value, str) or len(value.strip()) < SHORTEST or len(value) > LONGEST or "\0" in value:
        said = (
            f"A secret is a text of {SHORTEST} to {LONGEST:,} characters without NUL. A shorter one could not be taken "
            "out of logs and answers."
        )
        raise InvalidInput(said, problems=[Problem("invalid_secret", said, pointer)])


def read_hosts(hosts: Iterable[str]) -> list[str]:
    """The host patterns as they are compared. Raises InvalidInput with every one that cannot be read."""
    read: dict[str, None] = {}
    problems = []
    for index, written in enumerate(hosts):
        try:
            read[read_pattern(written)] = None
        except ValueError as error:
            problems.append(Problem("invalid_host", str(error), f"/hosts/{index}"))
    if problems:
        raise InvalidInput.from_problems(problems)
    return list(read)


def refuse_wider(before: Sequence[str], after: Sequence[str]) -> None:
    """Who may change secrets does not know them: a new host would be told the value by this very change."""
    if before and (not after or set(after) - set(before)):
        said = "More hosts than before would be sent the secret. Send its `value` along, to show that you know it."
        raise InvalidInput(said, problems=[Problem("value_required", said, "/value")])


def _write(caller: Caller, row: Secret, values: dict[str, Json]) -> None:
    for key, new in values.items():
        setattr(row, key, new)
    row.revision += 1
    row.updated_at, row.updated_by_id = clock.now(), caller.user_id
    # not the last use: a step may be noting it at this moment
    row.save(update_fields=[*values, "revision", "updated_at", "updated_by"])


def _json(value: Json) -> Json:
    return value.isoformat() if isinstance(value, date) else value


def _rows(caller: Caller) -> QuerySet[Secret]:
    return scoped(Secret.objects.select_related("last_used_by", "updated_by").defer("value"), caller)


def _one(caller: Caller, name: str) -> Secret:
    return get_scoped(_rows(caller), caller, name, by="name")


def _audit(caller: Caller, verb: str, name: str, changes: dict[str, Json]) -> None:
    record(
        actor=caller,
        workspace_id=caller.workspace(),
        action=f"secret.{verb}",
        target_kind="secret",
        target_id=name,
        summary=f"{verb.capitalize()}d secret {name!r}.",
        changes=changes,
    )
