"""Deliveries over real HTTP, through the Procfile's own web server: chunks, sizes, broken requests."""

import http.client
import socket
import time
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from automation.models import Run
from tests.live import Web
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def _web(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        web = Web(allow="")
    yield web
    web.stop()


@pytest.fixture
def port(_web):
    return urlsplit(_web.url).port


def post(port, endpoint, body, headers, *, chunked=False):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        with suppress(ConnectionError):  # the server may answer before it has read all of a body it refuses
            connection.request("POST", endpoint.path, body, headers, encode_chunked=chunked)
        with closing(connection.getresponse()) as response:
            return response.status, dict(response.headers), response.read()


def signed(endpoint, raw, delivery):
    return JSON | Sender(endpoint).signature(raw, delivery)


def test_a_delivery_is_taken_and_its_repeat_known(port):
    endpoint = make.endpoint()
    headers = signed(endpoint, b'{"a": 1}', "d-1")

    first, second = (post(port, endpoint, b'{"a": 1}', headers) for _ in range(2))

    assert (first[0], second[0], first[2]) == (202, 200, second[2])
    assert first[1]["location"] == f"/api/v1/automation/runs/{Run.objects.get().uid}"
    assert first[1]["content-type"] == "application/json"


def test_a_chunked_delivery_is_read_to_its_end(port):
    endpoint = make.endpoint()
    raw = b'{"pad": "' + b"x" * 100_000 + b'"}'
    headers = signed(endpoint, raw, "d-1") | {"Transfer-Encoding": "chunked"}

    status, _, _ = post(port, endpoint, iter([raw[:10], raw[10:70_000], raw[70_000:]]), headers, chunked=True)

    assert status == 202
    assert bytes(WebhookEvent.objects.get().body) == raw


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_refused_at_once(port, is_chunked):
    endpoint = make.endpoint()
    raw = b"x" * (3 << 20)
    headers = dict(JSON) | ({"Transfer-Encoding": "chunked"} if is_chunked else {})

    started = time.monotonic()
    status, answer_headers, _ = post(port, endpoint, iter([raw]) if is_chunked else raw, headers, chunked=is_chunked)

    assert (status, answer_headers["content-type"]) == (413, "application/problem+json")
    assert time.monotonic() - started < 2
    assert WebhookEvent.objects.get().reason == "too_large"


def test_a_sender_that_hangs_up_in_the_middle_starts_nothing(port):
    endpoint = make.endpoint()
    head = f"POST {endpoint.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode() + b'{"a":')
    after = post(port, endpoint, b"{}", signed(endpoint, b"{}", "d-1"))

    assert after[0] == 202
    assert Run.objects.count() == 1


def test_an_unknown_address_and_a_slash_at_the_end(port):
    endpoint = make.endpoint()
    headers = signed(endpoint, b"{}", "d-1")
    endpoint_path = type(endpoint).path.fget(endpoint)

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", f"{endpoint_path}/", b"{}", headers)
    with_slash = connection.getresponse()
    with_slash.read()
    connection.request("POST", endpoint_path.replace(str(endpoint.id)[:4], "0000"), b"{}", headers)
    unknown = connection.getresponse()
    unknown.read()
    connection.close()

    assert (with_slash.status, unknown.status) == (202, 404)
