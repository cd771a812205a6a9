"""A whole product on servers of its own that a test may break: PostgreSQL, Valkey, web and workers as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.request import urlopen

import psycopg2
import redis

from benchmarks.product import Product
from brainops.stack.children import start
from brainops.stack.ports import free_port
from brainops.stack.throwaway import start_throwaway
from tests.live import PROCFILE, wait_until

DATABASE = "chaos"
HEARTBEAT_SECONDS, DEAD_SECONDS = 0.5, 3.0
SLOTS = 16  # of each worker
POSTGRES, VALKEY = 0, 1  # places in the list of the servers' processes
KINDS = Path(__file__).resolve().parent / "kinds"  # of steps that only these tests have

HELD = """
select r.id from automation_run r join automation_worker w on w.id = r.worker_id
where r.status = 20 and w.pid = any(%s) and w.state in (1, 2, 3)
"""
STORED = """
select r.uid::text, s.path from automation_steprun s join automation_run r on r.id = s.run_id
where s.run_id = any(%s) and s.status = 50
"""

Process = subprocess.Popen[bytes]


class Place(Protocol):
    """Where a worker may run instead of beside us."""

    def command(self, command: list[str]) -> list[str]:
        """The command that runs `command` there, in the same process."""

    def addresses(self, environment: dict[str, str]) -> dict[str, str]:
        """What the servers' addresses are from there."""


class House:
    """Started once; each scenario brings its own workers."""

    def __init__(self) -> None:
        self.workers: list[Process] = []
        self.others: list[Process] = []  # beats
        self.web: Process | None = None
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.servers = start_throwaway(os.environ)
        try:
            self.product = self._furnish()
        except BaseException:
            self.stop()
            raise

    def _furnish(self) -> Product:
        """A migrated database, a builder's key, and a web server."""
        self.servers.postgres.create_database(DATABASE)
        # throw-away servers forget the last moments of a crash; this one must keep what it said
        self.servers.postgres.execute(f"alter database {DATABASE} set synchronous_commit = on")
        self._manage("migrate", "--noinput", "-v0")
        key = self._manage("create_api_key", "--user=ada", "--workspace=shop", "--role=builder")
        self.web = self._serve()
        return Product(self.address, key.strip())

    # what is there

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the product's database. Raises psycopg2.OperationalError while it is away."""
        connection = psycopg2.connect(self.servers.postgres.url(DATABASE), connect_timeout=5)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def change(self, statement: str, *values: Any) -> None:
        """Change the product's database behind its back."""
        connection = psycopg2.connect(self.servers.postgres.url(DATABASE), connect_timeout=5)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
        finally:
            connection.close()

    def count(self, where: str, *values: Any) -> int:
        return int(self.rows(f"select count(*) from automation_run where {where}", *values)[0][0])

    def held_by(self, pids: list[int]) -> list[int]:
        """The runs that these processes hold."""
        return [row[0] for row in self.rows(HELD, pids)]

    def stored_steps(self, runs: list[int]) -> list[tuple[Any, ...]]:
        """`(run uid, path)` of every result of some runs that is stored."""
        return self.rows(STORED, runs)

    def valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.servers.valkey.url(), socket_timeout=2)

    # processes

    def start_worker(
        self, allow: str, *, inside: Place | None = None, log: Path | None = None, **environment: str
    ) -> Process:
        """Start one more worker as the Procfile does, and wait until it breathes.

        `inside` is another host's network and name; what it says goes to the file `log`; `environment` goes over the
        usual one.
        """
        own = {**self._environment(), "BRAINOPS_EGRESS_ALLOW": allow, **environment}
        worker = self._procfile("worker", own, inside, log)
        self.workers.append(worker)
        alive = "select 1 from automation_worker where state = 1 and pid = %s"
        wait_until(lambda: self.rows(alive, worker.pid), seconds=60)
        return worker

    def start_beat(self) -> Process:
        """Start a beat as the Procfile does."""
        beat = self._procfile("beat", self._environment())
        self.others.append(beat)
        return beat

    def stop_workers(self) -> None:
        """Warm stop of all, by force after a while."""
        everybody = [*self.workers, *self.others]
        for process in everybody:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in everybody:
            _end(process)
        self.workers.clear()
        self.others.clear()

    def stop(self) -> None:
        self.stop_workers()
        if self.web is not None:
            self.web.terminate()
            _end(self.web)
        self.servers.stop()

    # faults

    def kill_valkey(self) -> None:
        self.servers.children[VALKEY].kill()

    def start_valkey(self) -> None:
        self.servers.children[VALKEY] = start(self.servers.valkey.service())

    def crash_postgres(self) -> None:
        """An immediate shutdown: every backend is gone at once, recovery from the log follows."""
        child = self.servers.children[POSTGRES]
        child.process.send_signal(signal.SIGQUIT)
        child.process.wait(10)

    def start_postgres(self) -> None:
        self.servers.children[POSTGRES] = start(self.servers.postgres.service())

    def frozen_postgres(self) -> AbstractContextManager[None]:
        """Stop the server and each of its backends where they stand; let them go on afterwards."""
        server = self.servers.children[POSTGRES].pid
        return _frozen(lambda: [server, *_children(server)])

    def frozen_valkey(self) -> AbstractContextManager[None]:
        return _frozen(lambda: [self.servers.children[VALKEY].pid])

    # how

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.servers.postgres.url(DATABASE),
            "REDIS_URL": self.servers.valkey.url(),
            "BRAINOPS_REDIS_PREFIX": "chaos",
            "BRAINOPS_PUBLIC_URL": self.address,
            "PORT": str(self.port),
            "BRAINOPS_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
            "BRAINOPS_DEAD_SECONDS": str(DEAD_SECONDS),
            "BRAINOPS_TICK_SECONDS": "0.5",
            "BRAINOPS_WORKER_SLOTS": str(SLOTS),
            "BRAINOPS_LOG_LEVEL": "ERROR",
            "CHAOS_ROOT": str(PROCFILE.parent),
            "PYTHONPATH": str(KINDS),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, env=self._environment(), cwd=PROCFILE.parent, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def _procfile(
        self, name: str, environment: dict[str, str], inside: Place | None = None, log: Path | None = None
    ) -> Process:
        line = next(line for line in PROCFILE.read_text().splitlines() if line.startswith(f"{name}:"))
        command = ["sh", "-c", f"exec {line.removeprefix(f'{name}:').strip()}"]
        if inside is not None:
            command = inside.command(command)
            environment = environment | inside.addresses(environment)
        if log is None:
            return subprocess.Popen(command, env=environment, cwd=PROCFILE.parent, stdout=subprocess.DEVNULL)
        with log.open("ab") as said:
            return subprocess.Popen(command, env=environment, cwd=PROCFILE.parent, stdout=said, stderr=said)

    def _serve(self) -> Process:
        web = self._procfile("web", self._environment())
        wait_until(self._answers, seconds=40)
        return web

    def _answers(self) -> bool:
        with suppress(OSError), urlopen(f"{self.address}/api/v1/automation/health", timeout=2) as answer:
            return bool(answer.status == 200)
        return False


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def _frozen(pids: Callable[[], list[int]]) -> Iterator[None]:
    stopped: list[int] = []
    try:
        while fresh := [pid for pid in pids() if pid not in stopped]:  # the first one stopped starts no more of them
            for pid in fresh:
                stopped.append(pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(stopped):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _end(process: Process) -> None:
    deadline = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.poll() is None:
        process.kill()
        process.wait()
