"""Whose turn it is: periodic work is done by whoever moves its row forward."""

from __future__ import annotations

from automation.store.connection import Connection

# many processes may ask at once: the row lock and the second look at next_at leave one winner
TAKE_TURN = """
insert into automation_tick (name, next_at, ran_at) values (%(name)s, now() + make_interval(secs => %(every)s), now())
on conflict (name) do update set next_at = excluded.next_at, ran_at = excluded.ran_at
where automation_tick.next_at <= now()
returning name
"""


def take_turn(connection: Connection, name: str, *, every_seconds: float) -> bool:
    """True for exactly one caller per `every_seconds`, in whichever process."""
    return bool(connection.rows(TAKE_TURN, {"name": name, "every": every_seconds}))
