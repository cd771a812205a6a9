"""What steps take from outside: signals, each taken once, and the one-time URLs that send them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

from automation.engine.commands import MakeCallback, TakeSignal
from automation.store import callback_tokens
from automation.store.commands import CommandContext

Json = Any

# A step that asks again finds the signal it took; another step of the run never gets it.
TAKE = """
with mine as (select id from automation_signal where run_id = %(run)s and taken_by = %(path)s),
oldest as (
  select id from automation_signal
  where run_id = %(run)s and name = %(name)s and taken_by is null and not exists (select 1 from mine)
  order by id limit 1),
taken as (
  update automation_signal set taken_by = %(path)s where id = (select id from oldest)
  returning payload, key)
select payload::text, key from taken
union all select payload::text, key from automation_signal where id = (select id from mine)
"""

# When the wait began, kept beside the memos of commands, which count from 1.
BEGIN = """
insert into automation_localeffect (run_id, path, number, result)
values (%(run)s, %(path)s, 0, jsonb_build_object('until', now() + make_interval(secs => %(seconds)s)))
on conflict do nothing
"""
NOW = "select now()"
UNTIL = """
select (result ->> 'until')::timestamptz, (result ->> 'until')::timestamptz <= now()
from automation_localeffect where run_id = %(run)s and path = %(path)s and number = 0
"""


def _take(cursor: Any, context: CommandContext, command: TakeSignal) -> Json:
    place = {"run": context.run_id, "path": context.path}
    until, is_over = _until(cursor, place, command.timeout_seconds)
    url = callback_tokens.url_for(cursor, context, command.name, expires_at=until)[0] if command.with_url else None
    cursor.execute(TAKE, {**place, "name": command.name})
    row = cursor.fetchone()
    if row is not None:
        payload, key = row
        return {"state": "received", "payload": _json(payload), "key": key, "url": url}
    if is_over:
        return {"state": "timed_out", "url": url}
    return {"state": "waiting", "until": until.isoformat() if until else None, "url": url}


def _until(cursor: Any, place: dict[str, Any], seconds: float | None) -> tuple[datetime | None, bool]:
    """The end of the wait, the same whenever it is asked for, and whether it has come."""
    if seconds is None:
        return None, False
    cursor.execute(BEGIN, {**place, "seconds": seconds})
    cursor.execute(UNTIL, place)
    until, is_over = cursor.fetchone()
    return until, is_over


def _make_callback(cursor: Any, context: CommandContext, command: MakeCallback) -> Json:
    expires_at = None
    if command.expires_seconds is not None:
        cursor.execute(NOW)
        expires_at = cursor.fetchone()[0] + timedelta(seconds=command.expires_seconds)
    url, expires_at = callback_tokens.url_for(cursor, context, command.name, expires_at=expires_at)
    return {"url": url, "expires_at": expires_at.isoformat() if expires_at else None}


def _json(text: str | None) -> Json:
    return orjson.loads(text) if text is not None else None


HANDLERS = {TakeSignal: _take, MakeCallback: _make_callback}
POLLS = frozenset({TakeSignal, MakeCallback})
