"""The front over real HTTP, through the Procfile's own web server: what a test client would tidy up."""

import re
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from automation.models import Run, RunData
from tests.live import Web
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture(scope="module")
def _web(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        web = Web(allow="")
    yield web
    web.stop()


@pytest.fixture
def say(_web):
    """Send a request as it is written; returns the status and everything that was answered."""
    port = urlsplit(_web.url).port

    def say(head, body=b""):
        raw = head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body
        with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as line:
            line.sendall(raw)
            answer = b""
            while piece := line.recv(65536):
                answer += piece
        found = re.match(rb"HTTP/1\.1 (\d+)", answer)
        return (int(found[1]) if found else 0), answer

    return say


def request(endpoint, body, *headers, method="POST", behind="", length=True):
    lines = [f"{method} {endpoint.path}{behind} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return "\n".join([*lines, f"Content-Length: {len(body)}"] if length else lines), body


def signed(endpoint, body, delivery="d-1"):
    return [f"{name}: {value}" for name, value in Sender(endpoint).signature(body, delivery).items()]


def test_a_second_content_type_never_makes_an_error(say):
    endpoint = make.endpoint()
    body = b'{"a": 1}'
    types = ["Content-Type: application/json", "Content-Type: multipart/form-data; boundary=x"]

    statuses = [
        say(*request(endpoint, body, *signed(endpoint, body, f"d-{number}"), *order))[0]
        for number, order in enumerate((types, types[::-1]))
    ]

    assert all(status in (202, 400, 415) for status in statuses)
    assert WebhookEvent.objects.count() == 2


def test_two_signatures_are_not_one_that_is_right(say):
    endpoint = make.endpoint()
    wrong = "x-hub-signature-256: sha256=" + "0" * 64

    status, _ = say(*request(endpoint, b"{}", wrong, wrong, "Content-Type: application/json"))

    assert (status, Run.objects.count()) == (401, 0)


def test_a_request_of_two_lengths_smuggles_no_second_one(say):
    endpoint = make.endpoint(scheme="none")
    inner = f"POST {endpoint.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{{}}"
    smuggled = f"0\r\n\r\n{inner}".encode()

    status, answer = say(*request(endpoint, smuggled, "Transfer-Encoding: chunked", "Content-Type: application/json"))

    assert answer.count(b"HTTP/1.1 ") <= 1
    assert (status in (202, 400), Run.objects.count() <= 1) == (True, True)


@pytest.mark.parametrize(
    ("behind", "status", "path"),
    [
        ("/orders/7", 202, {"id": "7"}),
        ("/orders/%C3%BC", 202, {"id": "ü"}),
        ("/orders/a%2fb", 404, None),
        ("/orders/%ff", 404, None),
        ("/orders/%00", 404, None),
        ("/orders/..%2f7", 404, None),
        ("/orders/%2e%2e", 404, None),
        ("/orders/7/", 202, {"id": "7"}),
        ("/orders/7//", 404, None),
    ],
)
def test_a_path_over_http(say, behind, status, path):
    endpoint = make.endpoint(scheme="none", config={"path": "orders/{id}"})

    got, _ = say(*request(endpoint, b"{}", "Content-Type: application/json", behind=behind))

    seen = RunData.objects.first()
    assert (got, seen.input["trigger"]["path"] if seen else None) == (status, path)


def test_a_head_is_answered_without_a_body(say):
    endpoint = make.endpoint(scheme="none", config={"methods": ["HEAD"]})

    status, answer = say(*request(endpoint, b"", method="HEAD"))

    assert (status, answer.partition(b"\r\n\r\n")[2], Run.objects.count()) == (202, b"", 1)


def test_a_stream_comes_in_pieces_and_ends(say):
    flow = make.workflow(definition={"schema": 1, "steps": [{"id": "a", "uses": "delay", "with": {"for": "1h"}}]})
    endpoint = make.endpoint(flow, scheme="none", answer="stream", wait_seconds=1)

    status, answer = say(*request(endpoint, b"{}", "Content-Type: application/json"))

    assert (status, b'"status":"queued"' in answer, b'"status_url"' in answer) == (200, True, True)
