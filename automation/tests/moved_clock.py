"""A database clock that tests move: the statements of a connection see another time, without any pause.

`now()` and its like are looked up along the search path, and a schema before `pg_catalog` comes first. What the columns'
own defaults say (`created_at`) stays real time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

FUNCTIONS = ("now", "statement_timestamp", "clock_timestamp", "transaction_timestamp")


def move_clock(by: timedelta) -> None:
    """Let this connection's clock be so much ahead (or behind) from now on, until the transaction is rolled back.

    It stands still, as `now()` does within a transaction: a slow machine changes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("create schema if not exists moved_clock")
        for name in FUNCTIONS:
            cursor.execute(
                f"create or replace function moved_clock.{name}() returns timestamptz language sql stable as "
                f"$$ select pg_catalog.now() + interval '{by.total_seconds()} seconds' $$"
            )
        cursor.execute("set local search_path to moved_clock, pg_catalog, public")


def set_clock(to: datetime) -> None:
    """Let this connection's clock show an instant."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_catalog.now()")
        move_clock(to - cursor.fetchone()[0])


def database_now() -> datetime:
    """The instant that the statements of this connection go by; within a test's transaction it stands still."""
    with connection.cursor() as cursor:
        cursor.execute("select now()")
        instant: datetime = cursor.fetchone()[0]
    return instant
