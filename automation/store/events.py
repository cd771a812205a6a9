"""Events that runs emit: kept for a while, so that people and programs can look them up."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.conf import settings

from automation.engine.commands import CommandRefused

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_.:-]{0,199}$"

EMIT = """
insert into automation_event (id, workspace_id, name, payload, run_id, path)
values (%(id)s, %(workspace)s, %(name)s, %(payload)s::jsonb, %(run)s, %(path)s)
"""

FORGET = """
delete from automation_event where id in (
  select id from automation_event where created_at < now() - make_interval(days => %s) limit %s for update skip locked)
returning 1
"""


def emit_event(cursor: Any, workspace_id: UUID, name: str, payload: Any, *, run_id: int, path: str) -> UUID:
    """Record an event; returns its id. Raises CommandRefused for a name or a payload that cannot be one."""
    if not re.fullmatch(NAME_PATTERN, name):
        said = "The name of an event is a letter and up to 199 letters, digits, dots, colons, dashes or underscores"
        raise CommandRefused("invalid_event_name", f"{said}, got {name[:60]!r}.")
    encoded = orjson.dumps(payload)
    most = settings.BRAINOPS_LIMITS["state_bytes"]
    if len(encoded) > most:
        said = (
            f"The payload of event {name!r} takes {len(encoded)} bytes, more than {most} (BRAINOPS_LIMIT_STATE_BYTES)"
        )
        raise CommandRefused("value_too_large", f"{said}. Send a part of it, or a reference.")
    event_id = uuid4()
    cursor.execute(
        EMIT,
        {
            "id": event_id,
            "workspace": workspace_id,
            "name": name,
            "payload": encoded.decode(),
            "run": run_id,
            "path": path,
        },
    )
    return event_id


def forget_old_events(cursor: Any, *, days: int, limit: int) -> int:
    """Delete events older than `days`, at most `limit`; returns how many."""
    cursor.execute(FORGET, (days, limit))
    return len(cursor.fetchall())
