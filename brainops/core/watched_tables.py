"""The trigger of the database on each watched table: it comes with the first watch and goes after the last one.

It is dropped in a transaction of its own: that locks the table for readers, too, and who ends a watch may be busy for
long with what goes along.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from django.db import NotSupportedError, OperationalError, ProgrammingError, connection, transaction

from brainops.core.errors import AppError, Conflict, Unavailable
from brainops.core.models import ModelWatch

LOCK_SECONDS = 3  # that anybody waits for a table, or for another one who makes or drops its trigger
TRIGGER = "brainops_note_change"

log = structlog.get_logger(__name__)


def begin(table: str) -> None:
    """Give a table its trigger, in the caller's transaction. Raises Unavailable when it is busy, Conflict for a view.

    `table` is the name as Django knows it: with quotes where it names a schema.
    """
    with _patient(table) as cursor:
        if not _has(cursor, table):
            name = table.replace("'", "''")
            cursor.execute(
                f"create or replace trigger {TRIGGER} after insert or update or delete on {_quoted(table)} "
                f"for each row execute function core_note_change('{name}')"
            )


def is_ready(table: str) -> bool:
    """True when the table has its trigger."""
    with connection.cursor() as cursor:
        return _has(cursor, table)


def end(table: str) -> None:
    """Drop the trigger of a table that nobody watches any more, after the commit; a busy table is swept later."""
    transaction.on_commit(partial(_drop, table), robust=True)


def sweep() -> int:
    """Drop the triggers of tables that nobody watches; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select t.tgrelid::regclass::text, t.tgargs, c.relname from pg_trigger t "
            "join pg_class c on c.oid = t.tgrelid "
            "where t.tgname = %s and t.tgparentid = 0",  # those of partitions go with that of their table
            [TRIGGER],
        )
        found = cursor.fetchall()
    named = [(table, bytes(args).split(b"\0")[0].decode() or relation) for table, args, relation in found]
    return sum(_drop(name, table) for table, name in named)


def _drop(name: str, table: str = "") -> bool:
    """`name` is what its watches call it, `table` what the database does, where that is known."""
    try:
        with _patient(name) as cursor:
            place = table or _quoted(name)
            cursor.execute("select to_regclass(%s) is not null", (place,))
            if ModelWatch.objects.filter(table=name).exists() or not cursor.fetchone()[0]:
                return False
            cursor.execute(f"drop trigger if exists {TRIGGER} on {place}")
    except AppError as refusal:
        log.info("watched_table_is_kept", table=name, reason=refusal.message)
        return False
    return True


@contextmanager
def _patient(table: str) -> Iterator[Any]:
    """A cursor for statements about a table's trigger, alone with it until the end of the transaction."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select current_setting('lock_timeout')")
            usual = cursor.fetchone()[0]
            cursor.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
            cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{TRIGGER}:{table}",))
            yield cursor
            cursor.execute("select set_config('lock_timeout', %s, true)", (usual,))
    except OperationalError as error:
        raise Unavailable("The table is being used by a long transaction. Try again in a moment.") from error
    except (ProgrammingError, NotSupportedError) as error:
        said = "The database makes no trigger on this table: it is a view, is not there, or belongs to somebody else."
        raise Conflict(said, code="table_not_watchable") from error


def _has(cursor: Any, table: str) -> bool:
    """Whether it is there and tells of this name: a table that was renamed has one that tells of the former."""
    sql = "select exists (select from pg_trigger where tgrelid = to_regclass(%s) and tgname = %s and tgargs = %s)"
    cursor.execute(sql, (_quoted(table), TRIGGER, table.encode() + b"\0"))
    return bool(cursor.fetchone()[0])


def _quoted(table: str) -> str:
    return str(connection.ops.quote_name(table))
