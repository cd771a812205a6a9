"""TLS: the certificate is checked against the host of the URL, while the connection goes to the checked address."""

import socket
import ssl
import time

import pytest

from brainops.core.egress.errors import (
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    TlsFailed,
    TooManyRedirects,
)
from brainops.core.egress.message import Request
from brainops.core.egress.tests.certificates import Authority
from brainops.core.egress.tests.servers import echo, say_raw
from brainops.core.egress.tls import client_context


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def tls_client(make_client, authority):
    """A client that trusts the test authority and finds every name at loopback."""
    return make_client(
        "service.test:*,other.test:*,127.0.0.1:*",
        resolver=lambda name, port: ["127.0.0.1"],
        tls=authority.trusting(client_context()),
    )


def test_a_valid_certificate_carries_requests_on_one_connection(tls_client, serve, authority, tmp_path):
    server = serve(echo, tls=authority.server_context(tmp_path))

    bodies = [tls_client.send(Request("POST", server.url(host="service.test"), body=b)).body for b in (b"1", b"2")]

    assert bodies == [b"1", b"2"]
    assert server.connections == 1


def test_a_large_body_passes_through_tls(tls_client, serve, authority, tmp_path):
    server = serve(echo, tls=authority.server_context(tmp_path))
    body = bytes(range(256)) * 8_000

    assert tls_client.send(Request("POST", server.url(host="service.test"), body=body)).body == body


def test_a_certificate_for_an_address_is_good_for_that_address(tls_client, serve, authority, tmp_path):
    server = serve(echo, tls=authority.server_context(tmp_path, address="127.0.0.1"))

    assert tls_client.send(Request("GET", server.url())).status == 200


def test_a_certificate_of_another_name_is_refused(tls_client, serve, authority, tmp_path):
    server = serve(echo, tls=authority.server_context(tmp_path))

    with pytest.raises(TlsFailed, match=r"The certificate of other\.test is not valid: .*Hostname mismatch") as failed:
        tls_client.send(Request("POST", server.url(host="other.test"), body=b"secret"))

    assert not failed.value.was_sent


def test_an_expired_certificate_is_refused(tls_client, serve, authority, tmp_path):
    server = serve(echo, tls=authority.server_context(tmp_path, days=-1))

    with pytest.raises(TlsFailed, match="certificate has expired"):
        tls_client.send(Request("GET", server.url(host="service.test")))


def test_an_unknown_authority_is_refused(make_client, serve, authority, tmp_path):
    server = serve(echo, tls=authority.server_context(tmp_path, address="127.0.0.1"))

    with pytest.raises(TlsFailed, match="is not valid"):
        make_client().send(Request("GET", server.url()))


def test_a_server_that_hangs_up_during_the_handshake_may_be_tried_again(tls_client, serve):
    server = serve(lambda talk: None)

    with pytest.raises(ConnectFailed):
        tls_client.send(Request("GET", f"https://service.test:{server.port}/"))


def test_old_protocol_versions_are_not_spoken():
    assert client_context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_server_without_tls_is_a_tls_failure(tls_client, serve):
    def script(talk):
        talk.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        talk.wait()

    server = serve(script)

    with pytest.raises(TlsFailed):
        tls_client.send(Request("GET", f"https://service.test:{server.port}/"))


def test_a_body_that_ends_without_a_farewell_may_have_been_cut(tls_client, serve, authority, tmp_path):
    def script(talk):
        talk.hear()
        talk.say(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        socket.socket.shutdown(talk.socket, socket.SHUT_RDWR)

    server = serve(script, tls=authority.server_context(tmp_path))

    with pytest.raises(ConnectionLost):
        tls_client.send(Request("GET", server.url(host="service.test")))


def test_a_body_that_ends_with_a_farewell_is_whole(tls_client, serve, authority, tmp_path):
    def script(talk):
        talk.hear()
        talk.say(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        talk.socket.unwrap()

    server = serve(script, tls=authority.server_context(tmp_path))

    assert tls_client.send(Request("GET", server.url(host="service.test"))).body == b"all of it"


def test_a_kept_connection_closed_by_the_server_is_not_used(tls_client, serve, authority, tmp_path):
    server = serve(say_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), tls=authority.server_context(tmp_path))

    for _ in range(2):
        tls_client.send(Request("POST", server.url(host="service.test"), body=b"x"))
        time.sleep(0.1)

    assert server.connections == 2


def test_a_handshake_that_never_ends_costs_no_more_than_the_deadline(tls_client, serve):
    server = serve(lambda talk: talk.wait())
    started = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        tls_client.send(Request("GET", f"https://service.test:{server.port}/", total_seconds=0.5))

    assert time.monotonic() - started < 0.9


def test_a_cancelled_tls_request_ends_within_half_a_second(tls_client, serve, authority, tmp_path):
    def script(talk):
        talk.hear()
        talk.wait()

    server = serve(script, tls=authority.server_context(tmp_path))
    started = time.monotonic()

    with pytest.raises(Cancelled) as cancelled:
        tls_client.send(
            Request("POST", server.url(host="service.test"), is_cancelled=lambda: time.monotonic() > started + 0.2)
        )

    assert cancelled.value.was_sent
    assert time.monotonic() - started < 0.7


def test_plain_http_is_not_followed_to_from_https(tls_client, serve, authority, tmp_path):
    target = serve(echo)

    def script(talk):
        talk.hear()
        talk.answer(status="302 Found", headers=f"Location: {target.url()}\r\n")

    server = serve(script, tls=authority.server_context(tmp_path))

    with pytest.raises(TooManyRedirects, match="redirects to plain http"):
        tls_client.send(Request("GET", server.url(host="service.test"), max_redirects=1))
    assert target.connections == 0
