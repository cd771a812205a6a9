"""Leases: who in the installation does something that only one process may do at a time.

Session advisory locks: they are gone the moment their process or its connection is, so nobody waits for a lease to run
out. Their owner looks every few seconds whether it still has the connection it took them on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg2

from automation.store.connection import Connection, Parameters

# One number for each name; two names of one number would only mean that one process must have both.
TAKE = """
select name from unnest(%(names)s::text[]) as name where pg_try_advisory_lock(hashtextextended(name, %(space)s))
"""
GIVE_BACK = "select pg_advisory_unlock(hashtextextended(%(name)s, %(space)s))"
STILL_THERE = "select 1"

SPACE = 0x62_72_61_69_6E  # of the hash, so that other users of advisory locks hash to other numbers


class Leases:
    """The leases of one process, on one connection; for one thread.

    Any psycopg2 error that a method raises means that all of them are lost: `held` is empty then.
    """

    def __init__(self) -> None:
        self._connection = Connection(application_name="brainops-leases")
        self.held: set[str] = set()

    def check(self) -> None:
        """Raise when they are lost."""
        if self.held:
            self._rows(STILL_THERE)

    def take(self, names: Collection[str]) -> None:
        """Take those of these that nobody has; `held` says which."""
        missing = [name for name in names if name not in self.held]
        if missing:
            self.held.update(name for (name,) in self._rows(TAKE, {"names": missing, "space": SPACE}))

    def give_back(self, name: str) -> None:
        """Let another process have it."""
        if name in self.held:
            self._rows(GIVE_BACK, {"name": name, "space": SPACE})
            self.held.discard(name)

    def close(self) -> None:
        """Let go of all."""
        self.held.clear()
        self._connection.close()

    def _rows(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.rows(statement, parameters)
        except psycopg2.Error:
            self.close()
            raise
