"""A store connection and claimed runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from automation.engine import points
from automation.store.claim import Claimed, claim_runs
from automation.store.commands import Commands
from automation.store.connection import Connection
from automation.store.workers import register
from automation.tests.runtime.held import Crash
from brainops.core.egress import http
from tests.live import Receiver


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A server on loopback that steps may call."""
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    server = Receiver()
    yield server
    server.close()
    http.client.cache_clear()


@pytest.fixture
def store(transactional_db: None) -> Iterator[Connection]:
    store = Connection()
    yield store
    store.close()


@pytest.fixture
def new_worker(store: Connection) -> Callable[..., UUID]:
    """Register a worker; returns its id."""

    def make(*, name: str = "", pid: int = 1) -> UUID:
        worker_id = uuid4()
        register(store, worker_id=worker_id, name=name or f"host/{worker_id}", pid=pid, release="", slots=4)
        return worker_id

    return make


@pytest.fixture
def claim(store: Connection, new_worker: Any, make_workflow: Any, accept: Any) -> Callable[..., Any]:
    """Accept `count` runs and claim them for a fresh worker."""

    def run(count: int = 1) -> tuple[UUID, list[Claimed]]:
        version = make_workflow({"id": "a", "uses": "transform", "with": {"set": {}}})
        for _ in range(count):
            accept(version)
        worker_id = new_worker()
        return worker_id, claim_runs(store, worker_id=worker_id, queue="default", limit=count)

    return run


@pytest.fixture
def held(claim: Any) -> Claimed:
    """A run this process holds."""
    return claim(1)[1][0]


@pytest.fixture
def commands() -> Iterator[Commands]:
    made = Commands()
    yield made
    made.close()


@pytest.fixture
def crash_at() -> Iterator[Callable[[str], None]]:
    """Die at a named point, once."""

    def crash(name: str) -> None:
        def hook(reached: str) -> None:
            if reached == name:
                points.hook = None
                raise Crash

        points.hook = hook

    yield crash
    points.hook = None
