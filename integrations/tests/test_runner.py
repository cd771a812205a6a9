"""Running actions against real servers on loopback."""

import contextlib
import time

import pytest

from brainops.core import redact
from brainops.core.egress import http
from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.tests.servers import ScriptedServer, echo, say_raw
from integrations.contract import Action, Effect, ErrorClass, Failure, Result
from integrations.messages import Request
from integrations.registry import all_actions
from integrations.runner import run_action
from integrations.runner.requests import with_params

HTTP = all_actions()["http.request"]


@pytest.fixture
def client():
    made = http.Client(parse_allow_list("127.0.0.1:*"))
    yield made
    made.pool.clear()


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:
        yield lambda script: stack.enter_context(ScriptedServer(script))


@pytest.fixture
def run(client):
    def run_it(config, *, action=HTTP, remaining_seconds=lambda: 10.0, is_cancelled=lambda: False, key="bo_1"):
        return run_action(
            action,
            config,
            path="order",
            attempt=1,
            idempotency_key=key,
            remaining_seconds=remaining_seconds,
            is_cancelled=is_cancelled,
            client=client,
        )

    return run_it


def action_of(run):
    return Action("act", "Act", "Acts.", Effect.CREATE, {}, {}, run)


def test_a_request_is_sent_and_its_answer_given_back(run, serve):
    server = serve(
        say_raw(b'HTTP/1.1 201 Made\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"id": 7}')
    )

    outcome = run(
        {"method": "POST", "url": server.url("/things?a=1"), "params": {"b": [2, None, True]}, "json": {"n": 1}}
    )

    assert outcome == Result(
        {"status": 201, "headers": {"content-type": "application/json", "content-length": "9"}, "body": {"id": 7}}
    )
    heard = server.heard[0]
    assert (heard.line, heard.body) == ("POST /things?a=1&b=2&b=true HTTP/1.1", b'{"n":1}')
    assert heard.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        ({"json": "é"}, "application/json", '"é"'.encode()),
        ({"form": {"a": "x y", "b": [1, 2], "c": None}}, "application/x-www-form-urlencoded", b"a=x+y&b=1&b=2"),
        ({"body": "é"}, "text/plain; charset=utf-8", b"\xc3\xa9"),
    ],
)
def test_a_body_has_its_content_type(run, serve, body, content_type, sent):
    server = serve(echo)

    run({"method": "POST", "url": server.url(), **body})

    assert (server.heard[0].headers["content-type"], server.heard[0].body) == (content_type, sent)


def test_a_content_type_of_ones_own_wins(run, serve):
    server = serve(echo)

    run({"method": "POST", "url": server.url(), "body": "<a/>", "headers": {"content-type": "text/xml"}})

    assert server.heard[0].headers["content-type"] == "text/xml"


@pytest.mark.parametrize(("method", "key"), [("POST", "bo_1"), ("PUT", "bo_1"), ("PATCH", "bo_1"), ("DELETE", "bo_1")])
def test_a_write_carries_the_idempotency_key(run, serve, method, key):
    server = serve(echo)

    run({"method": method, "url": server.url()})

    assert server.heard[0].headers["idempotency-key"] == key


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "HEAD"])
def test_a_read_carries_no_idempotency_key(run, serve, method):
    server = serve(echo)

    run({"method": method, "url": server.url()})

    assert "idempotency-key" not in server.heard[0].headers


def test_an_idempotency_key_of_ones_own_wins(run, serve):
    server = serve(echo)

    run({"method": "POST", "url": server.url(), "headers": {"idempotency-KEY": "mine"}})

    assert server.heard[0].headers["idempotency-key"] == "mine"


def test_each_write_of_an_action_has_a_key_of_its_own(run, serve):
    server = serve(echo)

    def two_writes(call):
        yield Request("POST", server.url("/one"))
        yield Request("GET", server.url("/look"))
        yield Request("POST", server.url("/two"))
        return Result("done")

    assert run({}, action=action_of(two_writes)) == Result("done")
    assert [heard.headers.get("idempotency-key") for heard in server.heard] == ["bo_1", None, "bo_1-2"]


def test_an_action_that_never_ends_is_ended(run, serve):
    server = serve(echo)

    def endless(call):
        while True:
            yield Request("GET", server.url())

    assert run({}, action=action_of(endless)).type == "too_many_requests"
    assert len(server.heard) == 100


def test_an_action_may_answer_without_a_request(run):
    def nothing_to_do(call):
        return Result(call.config["a"])
        yield

    assert run({"a": 1}, action=action_of(nothing_to_do)) == Result(1)


def test_the_steps_time_bounds_the_request(run, serve):
    server = serve(lambda talk: talk.wait())
    started = time.monotonic()

    failure = run({"method": "POST", "url": server.url(), "timeout": 60}, remaining_seconds=lambda: 0.4)

    assert time.monotonic() - started < 0.8
    assert failure == Failure(
        type="deadline",
        message="POST failed: No complete answer within 0.4 s, the time for the whole request.",
        error_class=ErrorClass.TIMEOUT,
        details={"method": "POST"},
        is_outcome_unknown=True,
    )


def test_the_requests_own_timeout_bounds_it_too(run, serve):
    failure = run({"url": serve(lambda talk: talk.wait()).url(), "timeout": 0.3})

    assert (failure.type, failure.error_class, failure.is_outcome_unknown) == ("deadline", ErrorClass.TIMEOUT, False)


def test_nothing_is_sent_when_no_time_is_left(run, serve):
    server = serve(echo)

    assert run({"url": server.url()}, remaining_seconds=lambda: 0.0).type == "deadline"
    assert server.connections == 0


def test_a_cancelled_run_ends_its_request(run, serve):
    started = time.monotonic()
    server = serve(lambda talk: talk.wait())

    failure = run({"method": "POST", "url": server.url()}, is_cancelled=lambda: time.monotonic() > started + 0.2)

    assert (failure.type, failure.error_class, failure.is_outcome_unknown) == ("cancelled", ErrorClass.CANCELLED, True)
    assert time.monotonic() - started < 0.7


@pytest.mark.parametrize(
    ("url", "type_", "error_class"),
    [
        ("http://10.0.0.1/", "blocked_target", ErrorClass.USER),
        ("http://169.254.169.254/", "blocked_target", ErrorClass.USER),
        ("ftp://127.0.0.1/", "invalid_request", ErrorClass.USER),
        ("https://127.0.0.1:{port}/", "tls_failed", ErrorClass.USER),
    ],
)
def test_what_is_wrong_with_the_target_is_not_tried_again(run, serve, url, type_, error_class):
    server = serve(lambda talk: talk.say(b"this is no TLS"))

    failure = run({"method": "POST", "url": url.format(port=server.port)})

    assert (failure.type, failure.error_class, failure.is_outcome_unknown) == (type_, error_class, False)


def test_a_connection_lost_after_a_write_leaves_its_outcome_unknown(run, serve):
    server = serve(lambda talk: talk.hear())

    failure = run({"method": "POST", "url": server.url(), "json": {}})

    assert failure == Failure(
        type="connection_lost",
        message="POST failed: 127.0.0.1 closed the connection without an answer.",
        error_class=ErrorClass.TRANSIENT,
        details={"method": "POST"},
        is_outcome_unknown=True,
    )


def test_a_refused_connection_leaves_nothing_unknown(run, serve):
    server = serve(echo)
    server.stop()

    failure = run({"method": "POST", "url": server.url()})

    assert (failure.type, failure.error_class, failure.is_outcome_unknown) == (
        "connect_failed",
        ErrorClass.TRANSIENT,
        False,
    )


def test_an_answer_that_is_too_large_says_so(run, serve):
    server = serve(echo)

    failure = run({"method": "POST", "url": server.url(), "body": "x" * 100, "max_bytes": 99})

    assert (failure.type, failure.is_outcome_unknown) == ("too_large", False)


def test_a_value_that_is_no_json_is_not_sent(run, serve):
    server = serve(echo)

    assert run({"method": "POST", "url": server.url(), "json": "\ud800"}).type == "invalid_request"
    assert server.connections == 0


def test_known_secrets_do_not_reach_the_failure(run, serve):
    redact.register("tok_live_1234567890")
    server = serve(say_raw(b"HTTP/1.1 400 Bad\r\nContent-Length: 28\r\n\r\nbad key: tok_live_1234567890."))

    failure = run({"url": server.url("/tok_live_1234567890")})

    redact.forget_all()
    assert "tok_live" not in repr(failure)
    assert failure.details["body"] == "bad key: •••"


def test_redirects_are_followed_on_request_only(run, serve):
    def script(talk):
        while (heard := talk.hear()) is not None:
            if heard.line.startswith("GET /end"):
                talk.answer(b"end")
            else:
                talk.answer(status="302 Found", headers="Location: /end\r\n")

    server = serve(script)

    assert run({"url": server.url(), "follow_redirects": True}).output["body"] == "end"
    assert run({"url": server.url()}).details["status"] == 302
    assert run({"url": server.url(), "expect": 302}).output["headers"]["location"] == "/end"


def test_one_connection_serves_many_runs(run, serve):
    server = serve(echo)

    for _ in range(5):
        run({"method": "POST", "url": server.url(), "json": {}})

    assert server.connections == 1


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("http://h/", {}, "http://h/"),
        ("http://h/", {"a": "1 2"}, "http://h/?a=1+2"),
        ("http://h/?", {"a": 1}, "http://h/?a=1"),
        ("http://h/?b=2", {"a": 1}, "http://h/?b=2&a=1"),
        ("http://h/#x", {"a": 1}, "http://h/?a=1#x"),
        ("http://h/", {"a": None, "b": [None]}, "http://h/"),
        ("http://h/", {"a": "&=\r\n"}, "http://h/?a=%26%3D%0D%0A"),
    ],
)
def test_params_join_the_urls_own_query(url, params, expected):
    assert with_params(url, params) == expected
