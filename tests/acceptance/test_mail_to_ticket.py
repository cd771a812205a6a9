"""Scenario S6, its first half: odd mails become tickets, over a mailbox and over SMTP, whoever is killed meanwhile.

The mails are those of CPython's test suite; the ticket system is a recorder.
"""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automation.models import Secret
from brainops.accounts.models import Workspace
from brainops.stack.ports import free_port
from tests.live import PROCFILE, Receiver, Web, environment, wait_until
from webhooks.mail.tests.cases import case_mails, letter, needs_cases, subject_of
from webhooks.mail.tests.imap_server import PASSWORD, ImapServer, MailUser

# a killed worker that was looking holds the mailbox for its lease of a minute
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

TICKET = "{{ trigger.key }}|{{ trigger.item.subject }}|{{ trigger.item.attachments | length }}"
ATTACHED = (
    0,
    1,
    1,
    3,
    4,
    1,
    0,
    1,
    0,
    0,
    2,
    1,
    2,
    3,
    1,
    1,
)  # of the odd mails in their order: a file for each other part


class Consumer:
    """The Procfile's consumer line, with a port of its own for mail."""

    def __init__(self, allow: str) -> None:
        self.port = free_port()
        own = {"BRAINOPS_INBOUND_MAIL_DOMAIN": "in.example", "BRAINOPS_INBOUND_MAIL_PORT": str(self.port)}
        self._environment = {**environment(allow), **own, "BRAINOPS_INBOUND_MAIL_CONNECTIONS_OF_ONE": "100"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "manage.py", "consume"]
        self._process = subprocess.Popen(command, env=self._environment, cwd=PROCFILE.parent)
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            smtplib.SMTP("127.0.0.1", self.port, timeout=10).quit()
        except (OSError, smtplib.SMTPException):
            return False
        return True

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def send(self, raw: bytes, address: str) -> int:
        """Send a mail, again until it is answered for, as mail servers do; returns the number of tries."""
        for attempt in range(1, 100):
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
                    client.sendmail("ada@shop.example", [address], raw)
            except (OSError, smtplib.SMTPServerDisconnected):
                wait_until(self._answers)
            else:
                return attempt
        raise AssertionError("the mail was never taken")


@pytest.fixture
def web(transactional_db: None) -> Iterator[Web]:
    """The web process of an installation that receives mail and may call mailboxes on loopback."""
    web = Web("127.0.0.1:*", BRAINOPS_INBOUND_MAIL_DOMAIN="in.example")
    yield web
    web.stop()


@pytest.fixture
def consumer(transactional_db: None, receiver: Receiver) -> Iterator[Consumer]:
    consumer = Consumer("127.0.0.1:*")
    yield consumer
    consumer.stop()


@pytest.fixture
def user(tmp_path: Path) -> Iterator[MailUser]:
    server = ImapServer(tmp_path)
    yield server.new_user()
    server.stop()


def ticket_workflow(url: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "steps": [
            {
                "id": "file",
                "uses": "http.request",
                "with": {"method": "POST", "url": url, "json": {"id": TICKET}},
            }
        ],
    }


def trigger_of(product, url: str, config: dict[str, Any]) -> dict[str, Any]:
    workflow = product.workflow("Tickets", ticket_workflow(url))
    return product.call("POST", "/triggers", {"workflow_id": workflow, "kind": "email", "config": config})


def tickets(receiver: Receiver) -> Counter[tuple[str, str]]:
    """Subject and number of files of every ticket that was filed."""
    found: Counter[tuple[str, str]] = Counter()
    for key, seen in receiver.keys.items():
        _, subject, files = key.rsplit("|", 2)
        found[subject, files] += len(seen)  # requests with one idempotency key are one ticket
    return found


def wanted(letters: list[bytes]) -> Counter[tuple[str, str]]:
    subjects = ["" if subject_of(raw) is None else str(subject_of(raw)) for raw in letters]
    return Counter(zip(subjects, map(str, ATTACHED), strict=True))


def mailbox_of(user: MailUser, **more: Any) -> dict[str, Any]:
    Secret.objects.create(workspace=Workspace.objects.get(slug="shop"), name="mailbox", value=PASSWORD)
    where = {"host": "127.0.0.1", "port": user.server.port, "security": "none", "username": user.name}
    return {**where, "password_secret": "mailbox", "first": "all", "idle": True, **more}


@needs_cases
def test_sixteen_mails_of_a_mailbox_become_sixteen_tickets(product, workers, consumer, receiver, user):
    letters = list(case_mails().values())
    workers.allow(f"127.0.0.1:{user.server.port}")
    doomed, _ = workers.start(2)
    consumer.start()
    trigger_of(product, receiver.url, {"mailbox": mailbox_of(user), "ignore": "replies"})

    user.deliver(*letters[:5])
    wait_until(lambda: len(receiver.keys) == 5, seconds=250)
    user.renumber()
    user.deliver(*letters[5:10])
    os.kill(doomed.pid, signal.SIGKILL)
    consumer.kill()
    user.deliver(*letters[10:])
    consumer.start()
    wait_until(lambda: len(receiver.keys) >= 16, seconds=250)

    assert tickets(receiver) == wanted(letters)


@needs_cases
def test_sixteen_mails_to_an_address_become_sixteen_tickets(product, workers, consumer, receiver):
    letters = list(case_mails().values())
    workers.start(1)
    consumer.start()
    trigger = trigger_of(product, receiver.url, {"address": True, "ignore": "replies"})
    address = trigger["email"]["address"]

    for raw in letters[:8]:
        consumer.send(raw, address)
    consumer.kill()
    consumer.start()
    for raw in letters:
        consumer.send(raw, address)
    wait_until(lambda: len(receiver.keys) == 16, seconds=250)

    assert tickets(receiver) == wanted(letters)


def test_a_mail_to_an_address_becomes_a_ticket(product, workers, consumer, receiver):
    workers.start(1)
    consumer.start()
    trigger = trigger_of(product, receiver.url, {"address": True})
    address = trigger["email"]["address"]

    consumer.send(letter(1), address)
    consumer.send(letter(1), address)
    wait_until(lambda: len(receiver.keys) == 1, seconds=250)

    assert tickets(receiver) == Counter({("Letter 1", "0"): 1})
