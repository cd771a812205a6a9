"""Requests to addresses that nobody has: one answer for all, some of them stored, and never the whole disk."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from webhooks.models import UnmatchedRequest, WebhookEvent
from webhooks.services import unmatched
from webhooks.tests.make import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_left_out(monkeypatch):
    monkeypatch.setattr(unmatched, "omitted", unmatched.Omitted())
    monkeypatch.setattr(unmatched, "MINUTE", 3.6e6)  # nothing comes back while a test runs


def send(address="", ip="192.0.2.1", method="POST", body=b"{}", **headers):
    client = Client(REMOTE_ADDR=ip, raise_request_exception=False)
    path = address or f"{ROOT}/{uuid4()}/receive"
    return client.generic(method, path, body, "application/json", headers=headers)


def test_one_is_stored_before_it_is_answered_with_its_secrets_masked():
    address = f"{ROOT}/{uuid4()}/receive/orders"

    response = send(address, body=b"x" * 5000, **{"X-Hub-Signature-256": "sha256=abc", "X-A": "b"})

    kept = UnmatchedRequest.objects.get()
    assert (response.status_code, kept.reason, kept.method, kept.address) == (404, "unknown_webhook", "POST", address)
    assert (kept.headers["x-hub-signature-256"], kept.headers["x-a"]) == ("•••", "b")
    assert (len(kept.body), kept.size_bytes, kept.remote_addr, kept.omitted) == (1024, 5000, "192.0.2.1", 0)
    assert WebhookEvent.objects.count() == 0


def test_the_answer_is_the_same_whatever_the_method_and_the_path():
    answers = [
        send(),
        send(method="GET"),
        send(method="OPTIONS", Origin="https://a.example", **{"Access-Control-Request-Method": "POST"}),
        send(f"{ROOT}/{uuid4()}/receive/a/b"),
        send(f"{ROOT}/test/{uuid4()}"),
        send(f"{ROOT}/test/{uuid4()}/a"),
    ]

    bodies = {answer.content.replace(answer.headers["X-Request-Id"].encode(), b"") for answer in answers}
    named = [{name for name in answer.headers if not name.startswith("X-Request")} for answer in answers]
    assert ({answer.status_code for answer in answers}, len(bodies)) == ({404}, 1)
    assert all(names == named[0] for names in named)


def test_a_network_fills_only_a_few_rows_and_the_next_one_tells_how_many_were_left_out():
    for _ in range(unmatched.OF_NETWORK + 3):
        send()

    send(ip="198.51.100.1")

    kept = UnmatchedRequest.objects.order_by("received_at")
    assert (kept.count(), kept.last().omitted) == (unmatched.OF_NETWORK + 1, 3)


def test_many_networks_fill_only_some_rows():
    for number in range(unmatched.OF_ALL + 10):
        send(ip=f"198.51.100.{number}")

    assert UnmatchedRequest.objects.count() == unmatched.OF_ALL


def test_the_newest_stay(monkeypatch):
    monkeypatch.setattr(unmatched, "KEPT", 2)

    for _ in range(4):
        send()

    assert UnmatchedRequest.objects.count() == 2


def test_hostile_bytes_are_stored_readable():
    response = send(f"{ROOT}/{uuid4()}/receive/a%00b%ff", **{"X-A": "\x01\xe9"})

    kept = UnmatchedRequest.objects.get()
    assert (response.status_code, "\0" in kept.address, "\x01" in str(kept.headers)) == (404, False, False)


@pytest.mark.django_db(transaction=True)
def test_with_the_database_away_it_is_a_503(monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")

    statuses = [send(address).status_code for address in ("", f"{ROOT}/test/{uuid4()}")]

    monkeypatch.undo()
    connection.close()
    assert statuses == [503, 503]
