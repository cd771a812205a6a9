"""The product's environment for a single command, with the servers running while it lasts."""

import contextlib
import os
import time
from collections.abc import Iterator
from functools import partial

from brainops.stack.children import wait_until
from brainops.stack.embedded import EmbeddedServers, describe_servers
from brainops.stack.leftovers import end_leftovers
from brainops.stack.place import Place
from brainops.stack.ports import LOOPBACK
from brainops.stack.product_environment import (
    Addresses,
    child_environment,
    load_settings,
    product_settings,
    save_settings,
)
from brainops.stack.settled_ports import settle_ports
from brainops.stack.state import Busy, alone, load_state
from brainops.stack.supervisor import Supervisor

WAIT_SECONDS = 120.0
SERVER_SECONDS = 60.0
READY = ("running", "starting")


@contextlib.contextmanager
def product_environment(place: Place) -> Iterator[dict[str, str]]:
    """The environment of a command; starts the embedded servers when nobody runs them already."""
    place.create()
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with alone(place), own_servers(place) as (servers, port):
                yield _own_environment(place, servers, port)
                return
        except Busy:
            if settings := _settings_of_running(place):
                yield child_environment({name: os.environ.get(name, value) for name, value in settings.items()})
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _settings_of_running(place: Place) -> dict[str, str]:
    state = load_state(place.state)
    if state is None or state.state not in READY or not state.addresses:
        return {}
    return load_settings(place.environment)


@contextlib.contextmanager
def own_servers(place: Place) -> Iterator[tuple[EmbeddedServers, int]]:
    """The embedded servers, running while it lasts, and web's port. The caller holds the data folder (`alone`)."""
    end_leftovers(place, lambda _text: None)
    ports = settle_ports(place.ports, wanted_web_port=None)
    servers = describe_servers(place, ports, os.environ)
    supervisor = Supervisor(say=lambda _text: None, changed=lambda _processes: None)
    try:
        servers.create()
        children = [supervisor.start(service) for service in servers.services()]
        for child in children:
            wait_until(partial(servers.is_ready, child), child, seconds=SERVER_SECONDS)
        servers.create_database()
        yield servers, ports["web"]
    finally:
        supervisor.stop_all()


def _own_environment(place: Place, servers: EmbeddedServers, port: int) -> dict[str, str]:
    where = Addresses(servers.database_url, servers.redis_url, f"http://{LOOPBACK}:{port}", port)
    settings = product_settings(place, where, os.environ)
    save_settings(place.environment, settings)
    return child_environment(settings)
