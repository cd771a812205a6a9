"""The servers of an embedded installation: PostgreSQL and Valkey in the data folder.

A server that the caller names (DATABASE_URL, REDIS_URL) is used and not started.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from brainops.stack import secret_files
from brainops.stack.binaries import find_postgres, find_redis
from brainops.stack.children import Child, Service
from brainops.stack.place import Place
from brainops.stack.postgres import Postgres
from brainops.stack.privileges import unprivileged
from brainops.stack.relocation import outside, reachable_data, reachable_programs
from brainops.stack.valkey import Valkey

DATABASE = "brainops"

# For one small machine: little memory, full durability. What is accepted survives a power cut.
POSTGRES_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "random_page_cost": "1.1",
    "wal_level": "minimal",  # nobody replicates from it
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "15s",  # the run tables change all the time
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
POSTGRES_18_SETTINGS = {"io_method": "sync"}  # three helper processes less

VALKEY_SETTINGS = {
    "appendonly": "yes",
    "maxmemory": "128mb",
    "maxmemory-policy": "noeviction",  # a queue must never lose a message to make room
}


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """The servers this installation runs itself; None where the caller named one."""

    postgres: Postgres | None
    valkey: Valkey | None
    database_url: str
    redis_url: str

    def create(self) -> None:
        """Make data folders and configuration where they are missing; end what an earlier life left."""
        if self.postgres:
            self.postgres.create()
            self.postgres.stop_leftover()
        if self.valkey:
            self.valkey.create()

    def services(self) -> list[Service]:
        return [server.service() for server in (self.postgres, self.valkey) if server]

    def is_ready(self, child: Child) -> bool:
        """Whether the server that `child` runs answers."""
        server = self.postgres if child.service.name == "postgres" else self.valkey
        return server is not None and server.is_ready()

    def create_database(self) -> None:
        """Make the product's database in our own PostgreSQL."""
        if self.postgres:
            self.postgres.create_database(DATABASE)


def describe_servers(place: Place, ports: Mapping[str, int], given: Mapping[str, str]) -> EmbeddedServers:
    """The servers to run; raises MissingServer when a program for one cannot be found."""
    postgres = None if given.get("DATABASE_URL") else _postgres(place, ports["postgres"], given)
    valkey = None if given.get("REDIS_URL") else _valkey(place, ports["valkey"], given)
    return EmbeddedServers(
        postgres=postgres,
        valkey=valkey,
        database_url=postgres.url(DATABASE) if postgres else given["DATABASE_URL"],
        redis_url=valkey.url() if valkey else given["REDIS_URL"],
    )


def _postgres(place: Place, port: int, given: Mapping[str, str]) -> Postgres:
    account = unprivileged()
    programs = reachable_programs(find_postgres(given), account, outside(place))
    newer = POSTGRES_18_SETTINGS if programs.version >= 18 else {}
    return Postgres(
        programs=programs,
        account=account,
        data=reachable_data(place.postgres, account, outside(place)),
        port=port,
        log=place.log("postgres"),
        password=secret_files.password(place, "postgres_password"),
        settings=POSTGRES_SETTINGS | newer,
    )


def _valkey(place: Place, port: int, given: Mapping[str, str]) -> Valkey:
    return Valkey(
        program=find_redis(given),
        folder=place.valkey,
        port=port,
        log=place.log("valkey"),
        password=secret_files.password(place, "valkey_password"),
        settings=VALKEY_SETTINGS,
    )
