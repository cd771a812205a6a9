"""Give every test run a real PostgreSQL and a real Valkey of its own.

Loaded with `-p` from pytest.ini and not from a conftest: pytest-django reads the
settings before the first conftest, and would quietly take another database.
The controller starts the servers, xdist's workers inherit their addresses.
TEST_DATABASE_URL and TEST_REDIS_URL name servers to use instead (the user needs CREATEDB).
"""

import base64
import os
from collections.abc import Generator
from urllib.parse import urlsplit, urlunsplit

import pytest

from brainops.stack.binaries import MissingServer
from brainops.stack.children import StartError
from brainops.stack.throwaway import ThrowawayServers, start_throwaway

# What stays of the caller's own variables: where the programs are, not how a product is set up.
KEPT = ("BRAINOPS_PG_BIN", "BRAINOPS_REDIS_BIN")
OWN_SERVERS = "BRAINOPS_TEST_OWN_REDIS"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Set the environment before any other plugin reads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _prepare(early_config)
    else:
        _give_worker_its_own(worker)
    return (yield)


def _prepare(config: pytest.Config) -> None:
    database, broker = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    own_redis = not broker
    if not (database and broker):
        servers = _start(config)
        database = database or servers.postgres.url("brainops")
        broker = broker or servers.valkey.url()
    for name in [name for name in os.environ if name.startswith("BRAINOPS_") and name not in KEPT]:
        del os.environ[name]
    os.environ.update(_environment(database, broker))
    if own_redis:
        os.environ[OWN_SERVERS] = "1"


def _start(config: pytest.Config) -> ThrowawayServers:
    try:
        servers = start_throwaway(os.environ)
    except (MissingServer, StartError, OSError) as error:
        raise pytest.UsageError(f"The test servers did not start. {error}") from error
    config.add_cleanup(servers.stop)
    return servers


def _environment(database: str, broker: str) -> dict[str, str]:
    """The same settings on every machine; the secrets are no secrets."""
    key = base64.urlsafe_b64encode(b"brainops-test-key-of-32-bytes-00").decode()
    return {
        "DATABASE_URL": database,
        "REDIS_URL": broker,
        "BRAINOPS_SECRET_KEY": "the-secret-key-of-the-tests-is-no-secret-at-all-0123456789",
        "BRAINOPS_ENCRYPTION_KEYS": f"test:{key}",
        "BRAINOPS_ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        "BRAINOPS_PUBLIC_URL": "http://testserver",
        "BRAINOPS_REDIS_PREFIX": f"brainops-test-{os.getpid()}",
    }


def _give_worker_its_own(worker: str) -> None:
    """Keep parallel workers apart in Redis; pytest-django does it for the database.

    The prefix is always the worker's own. So is the database number on our own
    server, which has enough of them: a FLUSHDB then harms nobody.
    """
    os.environ["BRAINOPS_REDIS_PREFIX"] += f"-{worker}"
    number = worker.removeprefix("gw")
    if OWN_SERVERS in os.environ and number.isdigit():
        parts = urlsplit(os.environ["REDIS_URL"])
        os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{int(number) + 1}"))
