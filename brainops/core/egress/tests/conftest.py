"""Fixtures of the outbound door: a client that may call loopback, and servers to call."""

import contextlib

import pytest

from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.client import Client
from brainops.core.egress.tests.servers import ScriptedServer


@pytest.fixture
def make_client():
    """Make clients whose pools are closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(allow="127.0.0.1:*,localhost:*", **options):
            client = Client(parse_allow_list(allow), **options)
            stack.callback(client.pool.clear)
            return client

        yield make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def serve():
    """Start scripted servers that stop after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda script, **options: stack.enter_context(ScriptedServer(script, **options))
