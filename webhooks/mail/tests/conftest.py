"""A mail server of the session, a mailbox for each test, and a door that lets workflows call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automation.services import runnable
from brainops.core.egress import http
from brainops.stack.ports import free_port
from webhooks.mail.tests.imap_server import ImapServer, MailUser
from webhooks.mail.tests.smtp_client import Receiver


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    runnable.forget_all()


@pytest.fixture(scope="session")
def imap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    server = ImapServer(Path(tmp_path_factory.mktemp("imap")))
    yield server
    server.stop()


@pytest.fixture
def allowed(settings: Any) -> Iterator[list[str]]:
    """The targets that workflows may call, to be added to."""
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*", "localhost:*"]
    http.client.cache_clear()
    yield settings.BRAINOPS_EGRESS_ALLOW
    http.client.cache_clear()


@pytest.fixture
def user(imap_server: ImapServer, allowed: list[str]) -> MailUser:
    return imap_server.new_user()


@pytest.fixture
def inbound(settings: Any) -> dict[str, Any]:
    """The settings of the receiver, to be changed before it starts."""
    settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS = 10  # rates are exact, however busy the machine is
    settings.BRAINOPS_INBOUND_MAIL = {
        **settings.BRAINOPS_INBOUND_MAIL,
        "domain": "in.example",
        "host": "127.0.0.1",
        "port": free_port(),
    }
    return settings.BRAINOPS_INBOUND_MAIL


@pytest.fixture
def receiver(inbound: dict[str, Any]) -> Iterator[Receiver]:
    receiver = Receiver(inbound["port"])
    receiver.start()
    yield receiver
    receiver.stop()
