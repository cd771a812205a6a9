"""Steps of a start that run to an end: migrations and management commands."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2

from brainops.stack.children import Child, Service, StartError, start, tail
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.procfile import shell_command

# Any fixed number: the same in every launcher, so that two of them never migrate at once.
MIGRATION_LOCK = 0x6272_6169
PHASE_SECONDS = 300.0


class Stopped(Exception):
    """The person pressed Ctrl-C while something was being prepared."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Runs commands in the product's environment, until they end or a stop is asked for."""

    place: Place
    environment: Mapping[str, str]
    is_stopping: Callable[[], bool]

    def manage(self, *commands: Sequence[str]) -> list[str]:
        """Run management commands one after the other; what each printed on standard output."""
        answer = self.run("manage", [sys.executable, "-m", "brainops.stack.inside", json.dumps(commands)])
        return [str(output) for output in json.loads(answer)]

    def migrate(self, release: str) -> None:
        """Run the Procfile's release line, one launcher at a time."""
        with database_lock(self.environment["DATABASE_URL"]):
            self.run("release", shell_command(release))

    def run(self, name: str, command: list[str]) -> str:
        """Run to the end; raises StartError with the end of the log when it fails.

        Only the messages go to the log: what a command prints may be a password.
        """
        log = self.place.log(name)
        service = Service(name=name, command=command, environment=self.environment, log=log, folder=CHECKOUT)
        with tempfile.TemporaryFile() as answer:
            child = start(service, answer=answer)
            self._wait(child)
            if child.process.returncode != 0:
                raise StartError(f"{name} failed with code {child.process.returncode}:\n{tail(log)}")
            answer.seek(0)
            return answer.read().decode("utf-8", errors="replace")

    def _wait(self, child: Child) -> None:
        deadline = time.monotonic() + PHASE_SECONDS
        while child.is_alive():
            if self.is_stopping():
                child.stop()
                raise Stopped(f"Stopped during {child.service.name}.")
            if time.monotonic() > deadline:
                child.kill()
                raise StartError(
                    f"{child.service.name} took longer than {PHASE_SECONDS:.0f} s: see {child.service.log}."
                )
            time.sleep(0.01)


def is_paused(url: str) -> bool:
    """True when workers were told to claim nothing (`bin/brainops pause`); what is started now would wait."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('automation_tick')")
            if cursor.fetchone() == (None,):  # not our database
                return False
            cursor.execute("SELECT 1 FROM automation_tick WHERE name = 'pause'")
            return cursor.fetchone() is not None
    finally:
        connection.close()


@contextmanager
def database_lock(url: str) -> Iterator[None]:
    """Hold an advisory lock of the database; it goes with the connection, even when we are killed."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        yield
    finally:
        connection.close()
