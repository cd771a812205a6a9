"""Connection: one plain psycopg2 connection of a runtime thread, reopened when it breaks.

Step threads never touch the ORM; claimer, writer, heartbeat and tick hold one of these each. Autocommit:
every hot statement is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import orjson
import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from django.db import connections

from automation.store.prepared import PreparedStatement

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Any]

# What a broken or restarting server looks like from here: worth waiting for, never the statement's fault.
# A server that only reads for now (failover, full disk) is one of them.
UNREACHABLE = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.ReadOnlySqlTransaction)

# psycopg2 files them under OperationalError, but waiting changes nothing: the value itself is beyond a limit.
TOO_LARGE = (
    psycopg2.errors.ProgramLimitExceeded,
    psycopg2.errors.StatementTooComplex,
    psycopg2.errors.TooManyArguments,
    psycopg2.errors.TooManyColumns,
)

# No statement of the runtime takes this long unless it hangs on somebody's lock: give up, say so, try again.
LONGEST_STATEMENT_SECONDS = 30
LIMIT_STATEMENTS = """
select set_config('statement_timeout', %s, false) where current_setting('statement_timeout') = '0'
"""


class Connection:
    """Runs statements in autocommit on its own connection.

    Not for sharing between threads. Any broken connection is closed and opened again at the next call;
    the error itself is raised to the caller, who knows whether the statement may be repeated.
    """

    def __init__(self, *, alias: str = "default", application_name: str = "brainops") -> None:
        self._alias = alias
        self._application_name = application_name
        self._raw: psycopg2.extensions.connection | None = None

    def rows(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows. Raises psycopg2 errors."""
        return self._with_cursor(lambda cursor: self._fetch(cursor, statement, parameters))

    def prepared(self, statement: PreparedStatement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a prepared statement and return its rows. Raises psycopg2 errors."""

        def run(cursor: Any) -> list[tuple[Any, ...]]:
            statement.run(cursor, parameters)
            return list(cursor.fetchall())

        return self._with_cursor(run)

    def transaction(self, work: Callable[[Any], T]) -> T:
        """Run `work(cursor)` in one transaction."""

        def run(cursor: Any) -> T:
            cursor.execute("begin")
            try:
                result = work(cursor)
            except BaseException:
                cursor.execute("rollback")
                raise
            cursor.execute("commit")
            return result

        return self._with_cursor(run)

    def close(self) -> None:
        """Close it; the next call opens a new one."""
        if self._raw is not None:
            with suppress(psycopg2.Error):  # it may be broken already
                self._raw.close()
            self._raw = None

    @staticmethod
    def _fetch(cursor: Any, statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def _with_cursor(self, work: Callable[[Any], T]) -> T:
        raw = self._open()
        try:
            with raw.cursor() as cursor:
                return work(cursor)
        except UNREACHABLE:
            self.close()
            raise
        except psycopg2.Error as error:
            if not raw.closed:
                raise
            self.close()  # libpq has no better class for some broken connections: it is not the statement's fault
            raise psycopg2.OperationalError(str(error)) from error

    def _open(self) -> psycopg2.extensions.connection:
        if self._raw is None or self._raw.closed:
            self._raw = open_raw(self._alias, self._application_name)
        return self._raw


def open_raw(alias: str, application_name: str) -> psycopg2.extensions.connection:
    """Open an autocommit psycopg2 connection with the settings of the Django database `alias`."""
    wrapper = connections.create_connection(alias)
    parameters = {
        key: value
        for key, value in wrapper.get_connection_params().items()
        if key not in ("cursor_factory", "assume_role", "server_side_binding", "isolation_level", "pool")
    }
    # a cut network must not hang a thread for ever: the kernel gives up after about 10 s of silence
    parameters |= {
        "application_name": application_name,
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    raw = psycopg2.connect(**parameters)
    raw.autocommit = True
    with raw.cursor() as cursor:
        cursor.execute(LIMIT_STATEMENTS, (f"{LONGEST_STATEMENT_SECONDS}s",))
    psycopg2.extras.register_uuid(conn_or_curs=raw)
    psycopg2.extras.register_default_jsonb(raw, loads=orjson.loads)
    return raw
