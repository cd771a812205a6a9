"""The key-value store of a workspace: each change is one statement, so no two of them can lose one another.

A value that expired counts as absent, swept or not. On Django's cursor or a store's; the caller's transaction decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from automation.engine.commands import CommandRefused

Json = Any
KEY_PATTERN = r"^[^\s\x00-\x1f\x7f/](?:[^\s\x00-\x1f\x7f]{0,198}[^\s\x00-\x1f\x7f/])?$"
LARGEST_NUMBER = 2**53 - 1  # the largest that JSON numbers carry exactly everywhere (RFC 8259, 6)

_ROW = "s.value::text, s.version, s.expires_at"
_STANDS = "(s.expires_at is null or s.expires_at > now())"
_EXPIRY = "now() + make_interval(secs => %(expires)s)"
_INSERT = f"""
insert into automation_statevalue as s (workspace_id, key, value, expires_at)
values (%(workspace)s, %(key)s, %(value)s::jsonb, {_EXPIRY})
on conflict (workspace_id, key) do update
set value = excluded.value, expires_at = excluded.expires_at, version = s.version + 1, updated_at = now()
"""
_RETURNING = f" returning {_ROW}, xmax = 0"  # xmax is 0 in a row that was inserted, not updated

GET = f"select {_ROW} from automation_statevalue s where workspace_id = %(workspace)s and key = %(key)s and {_STANDS}"
SET = _INSERT + _RETURNING
SET_IF_ABSENT = _INSERT + f"where not {_STANDS}" + _RETURNING
SET_IF_NULL = _INSERT + f"where not {_STANDS} or s.value = 'null'" + _RETURNING

_UPDATE = f"""
update automation_statevalue s
set value = %(value)s::jsonb, expires_at = {_EXPIRY}, version = s.version + 1, updated_at = now()
where workspace_id = %(workspace)s and key = %(key)s and {_STANDS}
"""
SET_IF_VERSION = _UPDATE + f"and s.version = %(version)s returning {_ROW}, false"
SET_IF_EQUAL = _UPDATE + f"and s.value = %(expected)s::jsonb returning {_ROW}, false"

# in exact decimals: 0.1 + 0.2 is 0.3
INCREMENT = f"""
insert into automation_statevalue as s (workspace_id, key, value)
values (%(workspace)s, %(key)s, to_jsonb(trim_scale(%(by)s::numeric)))
on conflict (workspace_id, key) do update
set value = case when {_STANDS} then to_jsonb(trim_scale((s.value #>> '{{}}')::numeric + %(by)s::numeric))
                 else excluded.value end,
    expires_at = case when {_STANDS} then s.expires_at end, version = s.version + 1, updated_at = now()
where not {_STANDS} or jsonb_typeof(s.value) = 'number'
returning {_ROW}, xmax = 0
"""

DELETE = f"""
delete from automation_statevalue s where workspace_id = %(workspace)s and key = %(key)s returning {_STANDS}
"""

COUNT = """
select count(*) from (select 1 from automation_statevalue where workspace_id = %s limit %s) as counted
"""

FORGET_EXPIRED = """
delete from automation_statevalue where id in (
  select id from automation_statevalue where expires_at < now() order by expires_at limit %s for update skip locked)
returning 1
"""


@dataclass(frozen=True, slots=True)
class Value:
    """What a key holds. `version` counts its changes from 1, `expires_at` is None when it stays."""

    value: Json
    version: int
    expires_at: Any = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a workspace's store. Raises CommandRefused when it cannot be one."""

    workspace_id: UUID
    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(KEY_PATTERN, self.name):
            raise CommandRefused(
                "invalid_key",
                f"A key is 1 to 200 characters without white space, and no slash at its ends, got {self.name[:60]!r}.",
            )

    def parameters(self, **more: Any) -> dict[str, Any]:
        """The parameters of the statements."""
        return {"workspace": self.workspace_id, "key": self.name, **more}


def get_value(cursor: Any, key: Key) -> Value | None:
    """What the key holds; None when it holds nothing."""
    cursor.execute(GET, key.parameters())
    row = cursor.fetchone()
    return _value(row) if row else None


def set_value(
    cursor: Any, key: Key, value: Json, *, expected_version: int | None = None, expires_seconds: float | None = None
) -> Value | None:
    """Set a key; None when it does not have the expected version (0: holds nothing).

    Raises CommandRefused when the value is too large or the workspace has too many keys.
    """
    statement = {None: SET, 0: SET_IF_ABSENT}.get(expected_version, SET_IF_VERSION)
    parameters = key.parameters(value=_encoded(key, value), expires=expires_seconds, version=expected_version)
    return _written(cursor, key, statement, parameters)


def compare_and_set(cursor: Any, key: Key, expected: Json, value: Json) -> Value | None:
    """Set a key if it holds `expected` (None: nothing, or null); None when it holds something else."""
    parameters = key.parameters(value=_encoded(key, value), expires=None, expected=orjson.dumps(expected).decode())
    return _written(cursor, key, SET_IF_NULL if expected is None else SET_IF_EQUAL, parameters)


def increment(cursor: Any, key: Key, by: float) -> Value:
    """Add to the number a key holds, 0 when it holds nothing. Raises CommandRefused when it is no number."""
    if abs(by) > LARGEST_NUMBER:
        raise _too_large_a_number(key)
    written = _written(cursor, key, INCREMENT, key.parameters(by=repr(by)))
    if written is None:
        raise CommandRefused("not_a_number", f"The key {key.name!r} holds no number, so nothing can be added to it.")
    if abs(written.value) > LARGEST_NUMBER:
        raise _too_large_a_number(key)
    return written


def delete_value(cursor: Any, key: Key) -> bool:
    """Forget a key; False when it held nothing."""
    cursor.execute(DELETE, key.parameters())
    row = cursor.fetchone()
    return bool(row and row[0])


def forget_expired(cursor: Any, *, limit: int) -> int:
    """Delete values that expired, at most `limit`; returns how many."""
    cursor.execute(FORGET_EXPIRED, (limit,))
    return len(cursor.fetchall())


def _written(cursor: Any, key: Key, statement: str, parameters: dict[str, Any]) -> Value | None:
    cursor.execute(statement, parameters)
    row = cursor.fetchone()
    if row is None:
        return None
    if row[-1]:
        _refuse_too_many_keys(cursor, key)
    return _value(row)


def _refuse_too_many_keys(cursor: Any, key: Key) -> None:
    """Raise when the key just inserted is one too many. Writers at the same instant may pass by a few."""
    most = settings.BRAINOPS_LIMITS["state_keys"]
    cursor.execute(COUNT, (key.workspace_id, most + 1))
    if cursor.fetchone()[0] > most:
        said = f"The workspace holds {most} keys already (BRAINOPS_LIMIT_STATE_KEYS). Delete some, or let keys expire."
        raise CommandRefused("too_many_keys", said)


def _encoded(key: Key, value: Json) -> str:
    encoded = orjson.dumps(value)
    most = settings.BRAINOPS_LIMITS["state_bytes"]
    if len(encoded) > most:
        said = (
            f"The value for key {key.name!r} takes {len(encoded)} bytes, more than the {most} that a key may hold "
            "(BRAINOPS_LIMIT_STATE_BYTES). Keep a part of it, or a reference."
        )
        raise CommandRefused("value_too_large", said)
    return encoded.decode()


def _too_large_a_number(key: Key) -> CommandRefused:
    said = f"The number in key {key.name!r} would pass ±{LARGEST_NUMBER}, beyond which JSON numbers are not exact."
    return CommandRefused("number_too_large", said)


def _value(row: tuple[Any, ...]) -> Value:
    return Value(orjson.loads(row[0]), row[1], row[2])
