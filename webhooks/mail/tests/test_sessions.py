"""Sessions with the receiver: encrypted, bounded in number and time, there when they are wanted."""

import os
import smtplib
import socket
import ssl
import time
from contextlib import suppress

import pytest

from automation.models import Run
from automation.services.listeners import wanted
from automation.services.triggers import described
from brainops.core.egress.tests.certificates import Authority
from brainops.core.egress.tls import client_context
from webhooks.mail.services.addresses import NOT_RECEIVED
from webhooks.mail.smtp import session
from webhooks.mail.tests.cases import letter
from webhooks.mail.tests.rows import items_of, receive

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_dialogue_is_encrypted_where_there_is_a_certificate(receiver, inbound, tmp_path):
    authority = Authority()
    authority.server_context(tmp_path, name="in.example")
    (file,) = tmp_path.glob("*.pem")
    receiver.stop()
    inbound.update(certificate=str(file), key=str(file))
    receiver.start()
    trigger, address = receive()

    with receiver.client() as client:
        client._host = "in.example"  # the name that the certificate is for
        client.starttls(context=authority.trusting(client_context()))
        client.sendmail("ada@shop.example", [address], letter(1))

    (run,) = Run.objects.filter(trigger_id=trigger.id)
    assert run.data.input["trigger"]["envelope"]["is_encrypted"] is True


def test_what_was_said_before_starttls_does_not_count(receiver, inbound, tmp_path):
    Authority().server_context(tmp_path, name="in.example")
    (file,) = tmp_path.glob("*.pem")
    receiver.stop()
    inbound.update(certificate=str(file), key=str(file))
    receiver.start()
    _, address = receive()

    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as line:
        line.recv(1000)
        line.sendall(b"EHLO c.example\r\n")
        while b"250 HELP" not in line.recv(1000):
            pass
        line.sendall(b"STARTTLS\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<%s>\r\n" % address.encode())
        assert line.recv(1000).startswith(b"220")
        context = client_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(line) as secured:
            secured.sendall(b"DATA\r\n")
            assert secured.recv(1000).startswith(b"503")


def test_the_receiver_starts_anew_when_its_certificate_is_renewed(inbound, tmp_path):
    file = tmp_path / "mail.pem"
    file.write_text("one")
    inbound.update(certificate=str(file), key=str(file))

    before = wanted()["smtp"].fingerprint
    os.utime(file, (1, 1))

    assert wanted()["smtp"].fingerprint != before


def test_without_a_domain_nobody_listens(settings):
    settings.BRAINOPS_INBOUND_MAIL = {**settings.BRAINOPS_INBOUND_MAIL, "domain": ""}

    assert "smtp" not in wanted()


def test_an_address_without_a_domain_says_what_is_missing(settings):
    settings.BRAINOPS_INBOUND_MAIL = {**settings.BRAINOPS_INBOUND_MAIL, "domain": ""}
    trigger, address = receive()

    assert described([trigger]) == {trigger.id: {"email": {"address": address, "problem": NOT_RECEIVED}}}


@pytest.mark.parametrize(
    "said", [b"", b"EHLO c.example\r\n", b"DATA"], ids=["silent", "after the greeting", "within a command"]
)
def test_whoever_falls_silent_is_hung_up_on(receiver, monkeypatch, said):
    monkeypatch.setattr(session, "COMMAND_SECONDS", 0.5)

    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as line:
        line.sendall(said)
        while line.recv(1000):
            pass


def test_whoever_drips_a_mail_is_hung_up_on(receiver, monkeypatch):
    monkeypatch.setattr(session, "DATA_SECONDS", 0.5)
    trigger, address = receive()
    head = b"EHLO c.example\r\nMAIL FROM:<ada@shop.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % address.encode()

    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as line:
        line.sendall(head)
        with suppress(OSError):
            for _ in range(3000):
                line.sendall(b"x")
                time.sleep(0.02)
            pytest.fail("it listened for a minute")

    assert items_of(trigger) == []


def test_clients_of_one_network_share_their_connections(receiver, inbound):
    inbound["connections_of_one"] = 2
    held = [receiver.client() for _ in range(2)]

    with pytest.raises(smtplib.SMTPException, match="421"):
        receiver.client()
    held.pop().quit()

    for client in held:
        client.close()
