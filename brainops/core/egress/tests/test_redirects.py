"""Redirects are answers, unless a request opts in; then each hop is checked like the first."""

import time

import pytest

from brainops.core.egress.errors import BlockedTarget, DeadlineExceeded, InvalidRequest, TooManyRedirects
from brainops.core.egress.message import Request
from brainops.core.egress.tests.servers import echo


def to(location, status="302 Found"):
    """Redirect every request there."""

    def script(talk):
        while talk.hear():
            talk.answer(b"moved", status=status, headers=f"Location: {location}\r\n")

    return script


def to_end(turns, status="302 Found"):
    """Redirect to /1, /2, … and answer at /<turns>."""

    def script(talk):
        while (heard := talk.hear()) is not None:
            turn = int(heard.line.split(" ")[1].strip("/") or 0)
            if turn == turns:
                talk.answer(b"end")
            else:
                talk.answer(status=status, headers=f"Location: /{turn + 1}\r\n")

    return script


def test_a_redirect_is_an_answer_like_any_other(client, serve):
    server = serve(to("http://169.254.169.254/"))

    answer = client.send(Request("GET", server.url()))

    assert (answer.status, answer.headers["location"], answer.body) == (302, "http://169.254.169.254/", b"moved")


def test_three_redirects_are_followed_on_request(client, serve):
    server = serve(to_end(3))

    answer = client.send(Request("GET", server.url(), max_redirects=3))

    assert (answer.status, answer.body, answer.url) == (200, b"end", server.url("/3"))


@pytest.mark.parametrize("max_redirects", [3, 50])
def test_a_fourth_redirect_is_not_followed(client, serve, max_redirects):
    server = serve(to_end(4))

    with pytest.raises(TooManyRedirects):
        client.send(Request("GET", server.url(), max_redirects=max_redirects))

    assert len(server.heard) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "//169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/",
        "http://2852039166/",
        "http://metadata.google.internal/",
        "http://127.0.0.2:80/",
    ],
)
def test_a_redirect_to_a_closed_address_is_blocked(client, serve, location):
    server = serve(to(location))

    with pytest.raises(BlockedTarget):
        client.send(Request("GET", server.url(), max_redirects=3))


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://u:p@127.0.0.1/", "javascript:1"]
)
def test_a_redirect_to_what_is_no_plain_http_url_is_refused(client, serve, location):
    server = serve(to(location))

    with pytest.raises(InvalidRequest):
        client.send(Request("GET", server.url(), max_redirects=3))


def test_secrets_stay_behind_when_the_origin_changes(client, serve):
    target = serve(echo)
    server = serve(to(target.url("/there")))
    headers = {"Authorization": "Bearer s3cret", "Cookie": "a=b", "X-Api-Key": "k", "Accept": "text/html"}

    client.send(Request("GET", server.url(), headers, max_redirects=1))

    assert target.heard[0].headers == {
        "host": f"127.0.0.1:{target.port}",
        "user-agent": "BrainOps",
        "accept-encoding": "gzip, deflate",
        "accept": "text/html",
    }


def test_headers_go_along_within_the_origin(client, serve):
    server = serve(to_end(1))

    client.send(Request("GET", server.url(), {"Authorization": "Bearer s3cret"}, max_redirects=1))

    assert server.heard[1].headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("POST", "301 Moved", "GET"),
        ("POST", "302 Found", "GET"),
        ("POST", "303 See Other", "GET"),
        ("PUT", "302 Found", "PUT"),
        ("PUT", "303 See Other", "GET"),
        ("HEAD", "303 See Other", "HEAD"),
        ("POST", "307 Temporary", "POST"),
        ("POST", "308 Permanent", "POST"),
    ],
)
def test_the_method_after_a_redirect_follows_the_rfc(client, serve, method, status, expected):
    server = serve(to_end(1, status))
    body = b"" if method == "HEAD" else b"data"
    headers = {"Content-Type": "text/plain", "Idempotency-Key": "k"}

    client.send(Request(method, server.url(), headers, body, max_redirects=1))

    second = server.heard[1]
    assert second.line == f"{expected} /1 HTTP/1.1"
    assert second.body == (body if expected == method else b"")
    assert ("content-type" in second.headers, "idempotency-key" in second.headers) == (expected == method,) * 2


def test_a_body_is_not_sent_to_another_host(client, serve):
    target = serve(echo)
    server = serve(to(target.url(host="localhost"), status="307 Temporary"))

    with pytest.raises(TooManyRedirects, match="the body is not sent to another host"):
        client.send(Request("POST", server.url(), body=b"data", max_redirects=1))

    assert target.connections == 0


def test_a_redirect_without_a_place_is_an_answer(client, serve):
    def script(talk):
        talk.hear()
        talk.answer(status="302 Found")

    assert client.send(Request("GET", serve(script).url(), max_redirects=3)).status == 302


def test_the_deadline_spans_all_hops(client, serve):
    def script(talk):
        while talk.hear():
            time.sleep(0.3)
            talk.answer(status="302 Found", headers="Location: /\r\n")

    with pytest.raises(DeadlineExceeded):
        client.send(Request("GET", serve(script).url(), total_seconds=0.7, max_redirects=3))
