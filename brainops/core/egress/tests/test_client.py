"""Sending requests and reading answers, over real sockets."""

import threading

import pytest

from brainops.core.egress.client import Client
from brainops.core.egress.errors import (
    BlockedTarget,
    ConnectFailed,
    ConnectionLost,
    DnsFailed,
    EgressError,
    InvalidRequest,
    ProtocolError,
)
from brainops.core.egress.message import Answer, Request
from brainops.core.egress.tests.servers import echo, say_raw


def test_a_request_goes_out_as_it_is_described(client, serve):
    server = serve(echo)

    client.send(Request("POST", server.url("/a?b=c"), {"Content-Type": "text/plain", "X-Key": "k"}, b"hello"))

    heard = server.heard[0]
    assert heard.body == b"hello"
    assert heard.head == (
        f"POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUser-Agent: BrainOps\r\nAccept: */*\r\n"
        "Accept-Encoding: gzip, deflate\r\nContent-Type: text/plain\r\nX-Key: k\r\nContent-Length: 5"
    )


def test_an_answer_comes_back_whole(client, serve):
    server = serve(say_raw(b"HTTP/1.1 404 Not here\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nno"))

    answer = client.send(Request("GET", server.url("/x?key=secret")))

    assert answer == Answer(404, {"x-a": "1, 2", "content-length": "2"}, b"no", f"http://127.0.0.1:{server.port}/x")


def test_a_get_has_no_length_and_an_empty_post_has_one(client, serve):
    server = serve(echo)

    client.send(Request("GET", server.url()))
    client.send(Request("POST", server.url()))

    assert "content-length" not in server.heard[0].headers
    assert server.heard[1].headers["content-length"] == "0"


def test_own_user_agent_and_accept_replace_the_default(client, serve):
    server = serve(echo)

    client.send(Request("GET", server.url(), {"user-agent": "mine", "ACCEPT": "text/html"}))

    assert server.heard[0].head.lower().count("user-agent: ") == 1
    assert server.heard[0].headers["accept"] == "text/html"


def test_a_large_body_arrives_whole_in_both_directions(client, serve):
    server = serve(echo)
    body = bytes(range(256)) * 12_000  # 3 MB

    assert client.send(Request("POST", server.url(), body=body)).body == body


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            b"hi",
        ),
    ],
    ids=["chunked", "until the end", "HTTP/1.0", "no content", "interim answers"],
)
def test_bodies_are_framed_as_the_rfc_says(client, serve, raw, body):
    server = serve(say_raw(raw))

    assert client.send(Request("GET", server.url())).body == body


def test_the_answer_to_head_has_no_body_whatever_its_length_says(client, serve):
    def script(talk):
        while talk.hear():
            talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")

    server = serve(script)

    assert client.send(Request("HEAD", server.url())).body == b""
    assert client.send(Request("HEAD", server.url())).headers == {"content-length": "100"}
    assert server.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"-ERR unknown command\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi3",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiXX0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\x00c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rX: c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
def test_an_answer_that_readers_could_take_differently_is_refused(client, serve, raw):
    server = serve(say_raw(raw))

    with pytest.raises(ProtocolError) as refused:
        client.send(Request("GET", server.url()))

    assert (refused.value.was_sent, refused.value.has_heard) == (True, True)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", None),
        (b"HTTP/1.1 201 Made\r\nContent-Length: 9\r\n\r\nhalf", 201),
        (b"HTTP/1.1 500 No\r\nContent-Length: 900\r\n\r\n" + b"x" * 900, 500),
    ],
    ids=["nothing", "half a head", "an interim answer", "half a body", "too much"],
)
def test_an_error_tells_the_status_when_the_head_was_complete(client, serve, raw, status):
    server = serve(say_raw(raw))

    with pytest.raises(EgressError) as broken:
        client.send(Request("GET", server.url(), max_bytes=100))

    assert broken.value.status == status


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "127.0.0.1 closed the connection without an answer."),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "127.0.0.1 closed the connection in the middle of its answer."),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            "127.0.0.1 closed the connection in the middle of its answer.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
            "127.0.0.1 closed the connection in the middle of its answer.",
        ),
    ],
)
def test_an_answer_cut_short_is_a_lost_connection(client, serve, raw, message):
    server = serve(say_raw(raw))

    with pytest.raises(ConnectionLost) as lost:
        client.send(Request("POST", server.url(), body=b"x"))

    assert lost.value.message == message
    assert lost.value.was_sent


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X-A": "a\r\nX-B: b"}, "The header 'X-A' cannot be sent"),
        ({"X-A": "a\r\n\r\nGET / HTTP/1.1\r\nHost: evil"}, "The header 'X-A' cannot be sent"),
        ({"X-A": "a\nb"}, "The header 'X-A' cannot be sent"),
        ({"X-A": "a\x00b"}, "The header 'X-A' cannot be sent"),
        ({"X-A": "a\x7f"}, "The header 'X-A' cannot be sent"),
        ({"X-A": "€"}, "The header 'X-A' cannot be sent"),
        ({"X-A": "\u010a\u010d"}, "The header 'X-A' cannot be sent"),
        ({"X A": "a"}, "The header 'X A' cannot be sent"),
        ({"X-A: b\r\nX-B": "a"}, "cannot be sent"),
        ({"": "a"}, "The header '' cannot be sent"),
        ({"Host": "evil.example"}, "The header host is set by BrainOps itself"),
        ({"content-length": "0"}, "The header content-length is set by BrainOps itself"),
        ({"Transfer-Encoding": "chunked"}, "The header transfer-encoding is set by BrainOps itself"),
        ({"Accept-Encoding": "br"}, "The header accept-encoding is set by BrainOps itself"),
        ({"X-A": "1", "x-a": "2"}, "A header is given twice"),
        ({f"X-{n}": "1" for n in range(129)}, "The request has 129 headers"),
        ({"X-A": "a" * 65_536}, "The URL and the headers have 65"),
    ],
)
def test_headers_that_would_break_the_message_are_refused_before_a_connection(client, serve, headers, message):
    server = serve(echo)

    with pytest.raises(InvalidRequest, match=message) as refused:
        client.send(Request("GET", server.url(), headers))

    assert not refused.value.was_sent
    assert server.connections == 0


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX: y\r\n\r\nGET"])
def test_only_known_methods_are_sent(client, serve, method):
    with pytest.raises(InvalidRequest):
        client.send(Request(method, serve(echo).url()))


def test_nobody_listening_is_a_failed_connection(client, serve):
    stopped = serve(echo)
    stopped.stop()

    with pytest.raises(ConnectFailed) as failed:
        client.send(Request("GET", stopped.url()))

    assert failed.value.message == f"127.0.0.1:{stopped.port} took no connection: Connection refused."
    assert not failed.value.was_sent


def test_loopback_is_closed_by_default(make_client, serve):
    server = serve(echo)

    with pytest.raises(BlockedTarget):
        make_client("").send(Request("GET", server.url()))

    assert server.connections == 0


def test_a_name_that_does_not_exist_is_a_dns_failure(make_client):
    def resolver(name, port):
        raise OSError(-2, "Name or service not known")

    with pytest.raises(DnsFailed, match="has no address: Name or service not known"):
        make_client("", resolver=resolver).send(Request("GET", "http://gone.example/"))


def test_proxies_and_netrc_of_the_environment_are_not_used(client, serve, monkeypatch, tmp_path):
    proxy, server = serve(echo), serve(echo)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password pw\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())
    monkeypatch.delenv("NO_PROXY", raising=False)

    client.send(Request("GET", server.url()))

    assert proxy.connections == 0
    assert "authorization" not in server.heard[0].headers


def test_a_server_that_refuses_a_body_without_reading_it_is_understood(client, serve):
    def script(talk):
        talk.socket.recv(1000)
        talk.answer(b"too much", status="413 Content Too Large", headers="Connection: close\r\n")
        talk.socket.shutdown(1)
        talk.wait()

    server = serve(script)

    answer = client.send(Request("POST", server.url(), body=b"x" * 5_000_000))

    assert (answer.status, answer.body) == (413, b"too much")


def test_many_threads_share_one_client(client, serve):
    server = serve(echo)
    wrong = []

    def work(number):
        for turn in range(50):
            body = f"{number}-{turn}".encode()
            if client.send(Request("POST", server.url(), body=body)).body != body:
                wrong.append(body)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert len(server.heard) == 1600
    assert server.connections <= 32


def test_a_form_can_check_a_url_without_a_lookup(make_client):
    def resolver(name, port):
        raise AssertionError("no lookup while checking")

    client = make_client("", resolver=resolver)

    assert client.check("https://example.com/") is None
    with pytest.raises(BlockedTarget):
        client.check("http://10.0.0.1/")


def test_two_clients_share_no_connections(make_client, serve):
    server = serve(echo)

    for _ in range(2):
        client = make_client()
        assert isinstance(client, Client)
        client.send(Request("GET", server.url()))

    assert server.connections == 2
