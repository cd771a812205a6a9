"""Connections are kept, and a dead one never doubles a write."""

import socket
import threading
import time

import pytest

from brainops.core.egress import pool as pools
from brainops.core.egress.errors import ConnectionLost
from brainops.core.egress.message import Request
from brainops.core.egress.tests.servers import echo


def answer_once_then(last_act):
    """Answer the first request of the first connection, then do `last_act`; serve later connections well."""

    def script(talk):
        if talk.number > 1:
            return echo(talk)
        talk.answer(talk.hear().body)
        return last_act(talk)

    return script


def hang_up_unheard(talk):
    """Reset the connection when the next request comes, without reading it."""
    talk.socket.recv(1, socket.MSG_PEEK)
    talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def hear_and_die(talk):
    """Take the next request and hang up without an answer, as a crashing server does."""
    talk.hear()


def test_requests_in_a_row_share_one_connection(client, serve):
    server = serve(echo)

    for _ in range(5):
        client.send(Request("POST", server.url(), body=b"x"))

    assert server.connections == 1


def test_a_connection_is_not_kept_when_the_server_says_so(client, serve):
    def script(talk):
        while talk.hear():
            talk.answer(headers="Connection: close\r\n")

    server = serve(script)

    for _ in range(2):
        client.send(Request("GET", server.url()))

    assert server.connections == 2


@pytest.mark.parametrize(
    "surplus",
    [b"junk", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"],
    ids=["junk", "an answer nobody asked for"],
)
@pytest.mark.parametrize("pause_seconds", [0, 0.1], ids=["at once", "later"])
def test_bytes_after_an_answer_never_become_the_next_answer(client, serve, surplus, pause_seconds):
    def script(talk):
        while (heard := talk.hear()) is not None:
            raw = f"HTTP/1.1 200 OK\r\nContent-Length: {len(heard.body)}\r\n\r\n".encode() + heard.body
            if pause_seconds:
                talk.say(raw)
                time.sleep(pause_seconds)
                talk.say(surplus)
            else:
                talk.say(raw + surplus)

    server = serve(script)

    bodies = []
    for body in (b"one", b"two"):
        bodies.append(client.send(Request("POST", server.url(), body=body)).body)
        time.sleep(pause_seconds * 2)

    assert bodies == [b"one", b"two"]
    assert server.connections == 2


def test_a_connection_that_the_server_closed_while_idle_is_not_used(client, serve):
    server = serve(answer_once_then(lambda talk: None))

    client.send(Request("POST", server.url(), body=b"one"))
    time.sleep(0.1)
    answer = client.send(Request("POST", server.url(), body=b"two"))

    assert answer.body == b"two"
    assert [heard.body for heard in server.heard] == [b"one", b"two"]


@pytest.mark.parametrize("last_act", [hang_up_unheard, hear_and_die])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_idempotent_request_on_a_dying_connection_is_sent_once_more(client, serve, last_act, method):
    server = serve(answer_once_then(last_act))

    client.send(Request(method, server.url()))
    assert client.send(Request(method, server.url())).status == 200

    assert server.connections == 2


@pytest.mark.parametrize("last_act", [hang_up_unheard, hear_and_die])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_on_a_dying_connection_is_not_sent_again(client, serve, last_act, method):
    server = serve(answer_once_then(last_act))

    client.send(Request(method, server.url(), body=b"one"))
    with pytest.raises(ConnectionLost) as lost:
        client.send(Request(method, server.url(), body=b"two"))

    assert (lost.value.was_sent, lost.value.has_heard) == (True, False)
    assert server.connections == 1


def test_a_write_that_its_sender_calls_repeatable_is_sent_once_more(client, serve):
    server = serve(answer_once_then(hear_and_die))

    client.send(Request("POST", server.url(), body=b"one"))
    answer = client.send(Request("POST", server.url(), body=b"two", is_repeatable=True))

    assert answer.body == b"two"
    assert [heard.body for heard in server.heard] == [b"one", b"two", b"two"]


def test_a_request_is_sent_twice_at_most(client, serve):
    server = serve(lambda talk: talk.number == 1 and answer_once_then(hear_and_die)(talk))

    client.send(Request("GET", server.url()))
    with pytest.raises(ConnectionLost):
        client.send(Request("GET", server.url()))

    assert server.connections == 2


def test_an_answer_that_has_begun_is_not_asked_for_again(client, serve):
    def half_an_answer(talk):
        talk.hear()
        talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    server = serve(answer_once_then(half_an_answer))

    client.send(Request("GET", server.url()))
    with pytest.raises(ConnectionLost):
        client.send(Request("GET", server.url()))

    assert server.connections == 1


def test_a_fresh_connection_that_dies_is_not_tried_again(client, serve):
    server = serve(hear_and_die)

    with pytest.raises(ConnectionLost):
        client.send(Request("GET", server.url()))

    assert server.connections == 1


class Lead:
    """A wire that only counts."""

    def __init__(self, *, is_stale=False, age_seconds=0.0):
        self.opened_at = self.idle_since = time.monotonic() - age_seconds
        self.is_closed = False
        self._is_stale = is_stale

    def is_stale(self):
        return self._is_stale

    def close(self):
        self.is_closed = True


ORIGIN = ("http", "h", 80)


def test_the_wire_used_last_is_taken_first():
    pool, old, new = pools.Pool(), Lead(), Lead()
    pool.give(ORIGIN, old)
    pool.give(ORIGIN, new)

    assert [pool.take(ORIGIN), pool.take(ORIGIN), pool.take(ORIGIN)] == [new, old, None]


def test_stale_and_old_wires_are_closed_not_given():
    pool = pools.Pool()
    wires = [Lead(is_stale=True), Lead(age_seconds=pools.MAX_AGE_SECONDS + 1)]
    for wire in wires:
        pool.give(ORIGIN, wire)

    assert pool.take(ORIGIN) is None
    assert [wire.is_closed for wire in wires] == [True, True]


def test_wires_of_other_origins_are_never_given():
    pool = pools.Pool()
    pool.give(ORIGIN, Lead())

    assert [pool.take(("https", "h", 80)), pool.take(("http", "g", 80)), pool.take(("http", "h", 81))] == [None] * 3


def test_no_more_wires_are_kept_than_the_caps():
    pool = pools.Pool()
    wires = [Lead() for _ in range(pools.MAX_IDLE_PER_ORIGIN + 1)]
    for wire in wires:
        pool.give(ORIGIN, wire)

    assert [wire.is_closed for wire in wires] == [False] * pools.MAX_IDLE_PER_ORIGIN + [True]


def test_wires_that_nobody_uses_are_swept_away():
    pool, forgotten = pools.Pool(), Lead()
    pool.give(ORIGIN, forgotten)
    forgotten.idle_since -= pools.MAX_IDLE_SECONDS + 1
    pool._swept_at -= 10

    pool.give(("http", "other", 80), Lead())

    assert forgotten.is_closed


def test_a_forked_process_does_not_speak_on_its_parents_connections(client, serve):
    server = serve(echo)
    client.send(Request("GET", server.url()))

    client.pool.forget()  # what the fork hook of `http.client` calls in the child
    client.send(Request("GET", server.url()))

    assert server.connections == 2


def test_a_pool_survives_a_fork_while_a_thread_holds_its_lock():
    pool = pools.Pool()
    held, done = threading.Event(), threading.Event()

    def hold():
        with pool._lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    pool.forget()
    pool.give(ORIGIN, Lead())
    done.set()
    holder.join()

    assert pool.take(ORIGIN) is not None
