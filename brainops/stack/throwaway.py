"""Throw-away PostgreSQL and Valkey for tests: quick, volatile, gone with the test run."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainops.stack.binaries import find_postgres, find_redis
from brainops.stack.children import Child, StartError, start, wait_until
from brainops.stack.ports import free_port
from brainops.stack.postgres import Postgres
from brainops.stack.privileges import Account, unprivileged
from brainops.stack.processes import is_alive
from brainops.stack.relocation import reachable_programs
from brainops.stack.valkey import Valkey

PREFIX = "brainops-test-"
ATTEMPTS = 3
START_SECONDS = 60.0
REDIS_DATABASES = 256  # one for each xdist worker

# Nothing here survives a crash of the machine, and nothing has to.
VOLATILE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}


@dataclass(slots=True)
class ThrowawayServers:
    """Both servers, running, in a temporary folder."""

    folder: Path
    postgres: Postgres
    valkey: Valkey
    children: list[Child]

    def stop(self) -> None:
        """Stop both and remove every trace. Calling it twice does no harm."""
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_throwaway(environment: Mapping[str, str]) -> ThrowawayServers:
    """Start both servers on free ports; try again when somebody takes a port first."""
    _remove_leftovers()
    for attempt in range(1, ATTEMPTS + 1):
        servers = _describe(environment)
        try:
            _start(servers)
        except StartError:
            servers.stop()
            if attempt == ATTEMPTS:
                raise
        else:
            return servers
    raise AssertionError("unreachable")


def _describe(environment: Mapping[str, str]) -> ThrowawayServers:
    account = unprivileged()
    folder = _new_folder(account)
    postgres = Postgres(
        programs=reachable_programs(find_postgres(environment), account, folder),
        account=account,
        data=folder / "postgres",
        port=free_port(),
        log=folder / "postgres.log",
        settings=VOLATILE,
    )
    valkey = Valkey(
        program=find_redis(environment),
        folder=folder / "valkey",
        port=free_port(),
        log=folder / "valkey.log",
        settings={"databases": str(REDIS_DATABASES)},
    )
    return ThrowawayServers(folder, postgres, valkey, [])


def _start(servers: ThrowawayServers) -> None:
    servers.postgres.create()
    servers.valkey.create()
    postgres, valkey = start(servers.postgres.service()), start(servers.valkey.service())
    servers.children += [postgres, valkey]
    wait_until(servers.postgres.is_ready, postgres, seconds=START_SECONDS)
    wait_until(servers.valkey.is_ready, valkey, seconds=START_SECONDS)


def _new_folder(account: Account) -> Path:
    """A folder named after us, so that a later run knows whether we still live."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    if account.way == "user":
        folder.chmod(0o711)  # the servers' user must get through to its own folder
    return folder


def _remove_leftovers() -> None:
    """Remove the folders of test runs that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).split("-", 1)[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and not is_alive(int(owner)) and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
