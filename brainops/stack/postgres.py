"""One PostgreSQL server in a folder of ours."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2 import sql

from brainops.stack.binaries import PostgresPrograms
from brainops.stack.children import Service, StartError, before_exec
from brainops.stack.ports import LOOPBACK
from brainops.stack.privileges import Account
from brainops.stack.processes import command_line

USER = "brainops"
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where it lives and how it is reached. Without a password it trusts every local caller."""

    programs: PostgresPrograms
    account: Account
    data: Path
    port: int
    log: Path
    password: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def create(self) -> bool:
        """Make the data folder when there is none yet; says whether it did."""
        if (self.data / "PG_VERSION").exists():
            return False
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.account.own(self.data)
        with open(self.log, "ab") as log:
            done = subprocess.run(
                self._initdb(),
                env=_environment(),
                input=f"{self.password}\n".encode() if self.password else b"",
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=before_exec(self.account, death_signal=signal.SIGKILL),
                check=False,
            )
        if done.returncode != 0:
            raise StartError(f"initdb ended with code {done.returncode}: see {self.log}.")
        return True

    def service(self) -> Service:
        """The server process. SIGINT is PostgreSQL's fast, clean shutdown."""
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        return Service(
            name="postgres",
            command=[
                self.programs.program("postgres"),
                *("-D", str(self.data), "-h", LOOPBACK, "-p", str(self.port), "-k", ""),
                *options,
            ],
            environment=_environment(),
            log=self.log,
            stop_signal=signal.SIGINT,
            stop_seconds=STOP_SECONDS,
            account=self.account,
        )

    def is_ready(self) -> bool:
        """Whether it answers a query."""
        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def execute(self, statement: str | sql.Composable, *values: object) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction; its rows, if it returns rows."""
        return self.execute_in("postgres", statement, *values)

    def execute_in(self, database: str, statement: str | sql.Composable, *values: object) -> list[tuple[object, ...]]:
        """Run one statement in a database, outside any transaction; its rows, if it returns rows."""
        connection = psycopg2.connect(self.url(database), connect_timeout=5)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def create_database(self, name: str) -> None:
        """Make database `name` unless it exists."""
        if not self.execute("SELECT 1 FROM pg_database WHERE datname = %s", name):
            self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        secret = f":{self.password}" if self.password else ""
        return f"postgresql://{USER}{secret}@{LOOPBACK}:{self.port}/{database}"

    def stop_leftover(self, seconds: float = 15.0) -> int | None:
        """End a server that outlived its supervisor, and remove the lock of a dead one.

        Returns the pid that was stopped. A pid in postmaster.pid may belong to a
        stranger after a reboot: only a process whose command line names this very
        folder is signalled, and otherwise the lock is stale.
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return None
        pid = int(lock.read_text(encoding="ascii").split("\n", 1)[0])
        if str(self.data) not in command_line(pid):
            lock.unlink(missing_ok=True)
            return None
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + seconds
        while lock.exists() and command_line(pid):
            if time.monotonic() > deadline:
                raise StartError(f"An older PostgreSQL (pid {pid}) on {self.data} does not stop. End it and try again.")
            time.sleep(0.05)
        return pid

    def _initdb(self) -> list[str]:
        """The initdb command: C.UTF-8 everywhere, so that an order of rows never depends on the machine."""
        locale = ["--locale=C"]
        if self.programs.version >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        safety = ["--auth=trust", "--no-sync"]
        if self.password:
            safety = ["--auth=scram-sha-256", "--pwfile=/dev/stdin"]
        return [
            self.programs.program("initdb"),
            *("-D", str(self.data), "-U", USER, "--encoding=UTF8"),
            *locale,
            *safety,
        ]


def _environment() -> dict[str, str]:
    """Ours without PG* variables, with the locale PostgreSQL needs to start on macOS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
