"""No answer takes more time or memory than it was given."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib

import pytest

from brainops.core.egress import lookup
from brainops.core.egress.dial import dial
from brainops.core.egress.errors import (
    Cancelled,
    ConnectTimeout,
    DeadlineExceeded,
    DnsFailed,
    ProtocolError,
    ReadTimeout,
    TooLarge,
)
from brainops.core.egress.hosts import Host
from brainops.core.egress.message import Request
from brainops.core.egress.tests.servers import echo, say_raw
from brainops.core.egress.watch import Watch

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def stopwatch():
    started = time.monotonic()
    return lambda: time.monotonic() - started


def silent(talk):
    talk.hear()
    talk.wait()


def drip(first, piece):
    """Say `first`, then `piece` twenty times a second for ever."""

    def script(talk):
        talk.hear()
        talk.say(first)
        while True:
            talk.say(piece)
            time.sleep(0.05)

    return script


def flood(first, piece):
    """Say `first`, then `piece` as fast as the client takes it."""

    def script(talk):
        talk.hear()
        talk.say(first)
        while True:
            talk.say(piece)

    return script


def after(seconds):
    """Build an `is_cancelled` that turns true after so many seconds."""
    at = time.monotonic() + seconds
    return lambda: time.monotonic() >= at


def test_a_silent_server_costs_no_more_than_the_deadline(client, serve, stopwatch):
    with pytest.raises(DeadlineExceeded) as late:
        client.send(Request("POST", serve(silent).url(), total_seconds=0.6))

    assert late.value.message == "No complete answer within 0.6 s, the time for the whole request."
    assert late.value.was_sent
    assert 0.55 < stopwatch() < 0.9


def test_silence_has_a_bound_of_its_own(client, serve, stopwatch):
    server = serve(silent)

    with pytest.raises(ReadTimeout) as late:
        client.send(Request("GET", server.url(), read_seconds=0.4))

    assert late.value.message == f"127.0.0.1:{server.port} took the request and fell silent."
    assert stopwatch() < 0.8


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (HEAD, b"x"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-T: 1\r\n"),
    ],
    ids=["status line", "header", "body", "chunks", "trailers"],
)
def test_a_dripping_server_costs_no_more_than_the_deadline(client, serve, stopwatch, first, piece):
    with pytest.raises(DeadlineExceeded):
        client.send(Request("GET", serve(drip(first, piece)).url(), total_seconds=0.6))

    assert stopwatch() < 0.9


def test_a_server_that_does_not_read_costs_no_more_than_the_deadline(client, serve, stopwatch):
    server = serve(lambda talk: time.sleep(2))

    with pytest.raises(DeadlineExceeded):
        client.send(Request("POST", server.url(), body=b"x" * 20_000_000, total_seconds=0.6))

    assert stopwatch() < 0.9


@pytest.mark.parametrize(
    "script", [silent, drip(HEAD + b"Content-Length: 100000\r\n\r\n", b"x")], ids=["silent", "dripping"]
)
def test_a_cancelled_request_ends_within_half_a_second(client, serve, stopwatch, script):
    with pytest.raises(Cancelled) as cancelled:
        client.send(Request("POST", serve(script).url(), is_cancelled=after(0.2)))

    assert cancelled.value.was_sent
    assert stopwatch() < 0.7


def test_a_request_cancelled_beforehand_is_not_sent(client, serve):
    server = serve(echo)

    with pytest.raises(Cancelled) as cancelled:
        client.send(Request("POST", server.url(), is_cancelled=lambda: True))

    assert not cancelled.value.was_sent
    assert server.heard == []


def test_the_socket_of_a_cancelled_request_is_closed(client, serve):
    ended = []

    def script(talk):
        silent(talk)
        ended.append(talk.number)

    server = serve(script)
    with pytest.raises(Cancelled):
        client.send(Request("GET", server.url(), is_cancelled=after(0.1)))
    server.stop()

    assert ended == [1]
    assert client.pool.take(("http", "127.0.0.1", server.port)) is None


def test_a_silent_name_server_costs_no_more_than_the_deadline(make_client, stopwatch):
    def resolver(name, port):
        time.sleep(2)
        return ["1.1.1.1"]

    with pytest.raises(DeadlineExceeded):
        make_client("", resolver=resolver).send(Request("GET", "http://slow.example/", total_seconds=0.5))

    assert stopwatch() < 0.8


def test_a_cancelled_lookup_ends_within_half_a_second(make_client, stopwatch):
    def resolver(name, port):
        time.sleep(2)
        return ["1.1.1.1"]

    request = Request("GET", "http://slow.example/", is_cancelled=after(0.1))
    with pytest.raises(Cancelled):
        make_client("", resolver=resolver).send(request)

    assert stopwatch() < 0.6


def test_a_body_of_just_the_cap_is_read(client, serve):
    server = serve(echo)

    assert len(client.send(Request("POST", server.url(), body=b"x" * 1000, max_bytes=1000)).body) == 1000
    with pytest.raises(TooLarge, match=r"The answer's body is larger than 999 bytes\."):
        client.send(Request("POST", server.url(), body=b"x" * 1000, max_bytes=999))


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (HEAD + b"\r\n", b"x" * 65_536),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        (HEAD, b"X-Header: value\r\n"),
        (HEAD + b"X-Header: ", b"x" * 1000),
        (b"HTTP/1.1 200 ", b"OK" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"ext" * 1000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-Trailer: value\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-T: ", b"x" * 1000),
    ],
    ids=["body", "chunks", "headers", "header", "reason", "interim", "extension", "trailers", "trailer"],
)
def test_an_endless_answer_is_cut_without_filling_the_memory(client, serve, first, piece):
    server = serve(flood(first, piece))
    tracemalloc.start()

    with pytest.raises(TooLarge):
        client.send(Request("GET", server.url(), max_bytes=1_000_000))

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 6_000_000


def test_many_small_headers_are_refused(client, serve):
    raw = HEAD + b"A: b\r\n" * 300 + b"Content-Length: 2\r\n\r\nhi"

    with pytest.raises(TooLarge, match="The answer has 301 headers"):
        client.send(Request("GET", serve(say_raw(raw)).url()))


def zeros_gzipped(megabytes):
    """Compress that many megabytes of zeros, without holding them."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(squeezer.compress(b"\0" * 1_000_000) for _ in range(megabytes)) + squeezer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_decompression_bomb_is_cut_at_the_cap(client, serve, encoding, stopwatch):
    bomb = zeros_gzipped(200) if encoding == "gzip" else zlib.compress(b"\0" * 50_000_000)
    raw = HEAD + f"Content-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode() + bomb
    server = serve(say_raw(raw))
    tracemalloc.start()

    with pytest.raises(TooLarge):
        client.send(Request("GET", server.url(), max_bytes=5_000_000))

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20_000_000
    assert stopwatch() < 5


def test_endless_empty_gzip_members_are_cut(client, serve):
    first = HEAD + b"Content-Encoding: gzip\r\n\r\n"

    with pytest.raises(TooLarge):
        client.send(Request("GET", serve(flood(first, gzip.compress(b"") * 100)).url(), max_bytes=100_000))


def squeeze_raw(data):
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("x-gzip", gzip.compress(b"hello")),
        ("GZIP", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", squeeze_raw(b"hello")),
        ("identity", b"hello"),
    ],
    ids=["gzip", "x-gzip", "two members", "deflate", "raw deflate", "identity"],
)
def test_compressed_bodies_are_decoded(client, serve, encoding, body):
    raw = HEAD + f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    assert client.send(Request("GET", serve(say_raw(raw)).url())).body == b"hello"


@pytest.mark.parametrize("body", [gzip.compress(b"hello")[:-4], gzip.compress(b"hello") + b"junk"], ids=["cut", "junk"])
def test_a_broken_compressed_body_is_refused(client, serve, body):
    raw = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    with pytest.raises(ProtocolError):
        client.send(Request("GET", serve(say_raw(raw)).url()))


def test_lookups_that_hang_do_not_pile_up():
    over = threading.Event()
    hanging = []

    def resolver(name, port):
        over.wait()
        return []

    def look_up_for_ever():
        while True:
            hanging.append(lookup.ask_aside("slow.example", 80, resolver))

    with pytest.raises(DnsFailed, match="128 lookups are already waiting"):
        look_up_for_ever()

    over.set()
    assert all(answer.is_there.wait(10) for answer in hanging)


def test_a_host_that_takes_no_connection_costs_no_more_than_its_time(make_client, stopwatch):
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    waiting = []
    for _ in range(4):  # fill the queue of connections nobody accepts
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        waiting.append(one)

    host, allow = Host("127.0.0.1", is_address=True), make_client().allow
    with pytest.raises(ConnectTimeout):
        dial(host, port, allow=allow, watch=Watch(5), connect_seconds=0.5)

    for one in [listener, *waiting]:
        one.close()
    assert stopwatch() < 1
