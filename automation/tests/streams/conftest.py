"""One broker of each kind for all tests of this folder, and a source of its own for each test."""

import pytest

from automation.services import runnable, streams
from automation.tests.streams.brokers import BROKERS, missing
from integrations.runner.brokers import kafka_topic


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Brokers by kind, started when they are first asked for."""
    started = {}

    def broker_of(kind):
        if kind not in started:
            started[kind] = BROKERS[kind](tmp_path_factory.mktemp(kind))
        started[kind].start()
        return started[kind]

    yield broker_of
    for broker in started.values():
        broker.stop()


@pytest.fixture
def broker_of(running, settings, monkeypatch):
    """A running broker with a new source, which workflows may call. Skips where it cannot be had."""
    runnable.forget_all()
    monkeypatch.setattr(streams, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(streams, "FIRST_REST_SECONDS", 0.2)
    monkeypatch.setattr(kafka_topic, "LOOK_SECONDS", 1.0)
    settings.BRAINOPS_EGRESS_ALLOW = "127.0.0.1:*"

    def make(kind):
        if reason := missing(kind):
            pytest.skip(reason)
        broker = running(kind)
        broker.new_source()
        return broker

    return make


@pytest.fixture(params=sorted(BROKERS))
def broker(request, broker_of):
    return broker_of(request.param)
