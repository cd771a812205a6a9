"""`http.request`: from a step's `with` to a request, from an answer to an output."""

from datetime import UTC, datetime

import jsonschema_rs
import pytest

from integrations.connectors.http.bodies import UnreadableBody, read_body
from integrations.connectors.http.request import ACTION, build_request, is_expected
from integrations.contract import Effect, Idempotency, LogLine
from integrations.messages import Request, Response

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
URL = "https://api.example/"


def answered(body, content_type=""):
    return Response(200, NOON, {"content-type": content_type} if content_type else {}, body, URL)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"url": URL}, Request("GET", URL)),
        ({"url": URL, "json": None, "method": "POST"}, Request("POST", URL, json=None)),
        ({"url": URL, "body": "é", "method": "PUT"}, Request("PUT", URL, content=b"\xc3\xa9")),
        ({"url": URL, "form": {"a": [1, 2]}, "method": "POST"}, Request("POST", URL, form={"a": [1, 2]})),
        (
            {"url": URL, "headers": {"X-N": 7, "X-B": True, "Authorization": "Bearer k\n"}},
            Request("GET", URL, headers={"X-N": "7", "X-B": "true", "Authorization": "Bearer k"}),
        ),
        (
            {"url": URL, "timeout": 5, "max_bytes": 10, "follow_redirects": True, "params": {"a": 1}},
            Request("GET", URL, {"a": 1}, timeout_seconds=5, max_bytes=10, max_redirects=3),
        ),
    ],
)
def test_a_config_becomes_the_request_it_describes(config, expected):
    jsonschema_rs.validate(ACTION.config_schema, config)

    assert build_request(config) == expected


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"url": ""},
        {"url": 7},
        {"url": URL, "method": "TRACE"},
        {"url": URL, "method": "get"},
        {"url": URL, "verify": False},
        {"url": URL, "json": {}, "form": {}},
        {"url": URL, "json": {}, "body": ""},
        {"url": URL, "form": {}, "body": ""},
        {"url": URL, "headers": {"X": None}},
        {"url": URL, "headers": {"X": ["a"]}},
        {"url": URL, "params": {"a": {"b": 1}}},
        {"url": URL, "timeout": 0},
        {"url": URL, "timeout": 301},
        {"url": URL, "max_bytes": 10_485_761},
        {"url": URL, "expect": "ok"},
        {"url": URL, "expect": []},
        {"url": URL, "expect": 42},
        {"url": URL, "response": "xml"},
    ],
)
def test_a_config_that_means_nothing_is_refused_by_the_schema(config):
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(ACTION.config_schema, config)


@pytest.mark.parametrize(
    ("expect", "statuses"),
    [
        ("2xx", {200, 201, 204, 299}),
        (404, {404}),
        ("404", {404}),
        ("200-204", {200, 201, 204}),
        (["2xx", 404], {200, 201, 204, 299, 404}),
    ],
)
def test_expect_names_the_statuses_that_count_as_success(expect, statuses):
    tried = {200, 201, 204, 299, 300, 302, 404, 500}

    assert {status for status in tried if is_expected(status, expect)} == statuses


@pytest.mark.parametrize(
    ("method", "effect", "idempotency"),
    [
        ("GET", Effect.READ, Idempotency.NATURAL),
        ("HEAD", Effect.READ, Idempotency.NATURAL),
        ("OPTIONS", Effect.READ, Idempotency.NATURAL),
        ("POST", Effect.CREATE, Idempotency.KEY),
        ("PUT", Effect.UPDATE, Idempotency.NATURAL),
        ("PATCH", Effect.UPDATE, Idempotency.KEY),
        ("DELETE", Effect.DELETE, Idempotency.NATURAL),
    ],
)
def test_the_method_decides_effect_and_idempotency(method, effect, idempotency):
    config = {"url": URL, "method": method}

    assert (ACTION.effect_for(config), ACTION.idempotency_for(config)) == (effect, idempotency)


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/problem+json; charset=utf-8", b"[]", []),
        ("application/json", b"", None),
        ("text/plain", b"hi", "hi"),
        ("text/plain; charset=iso-8859-1", b"\xe9", "é"),
        ("text/html; charset=bz2_codec", b"hi", "hi"),
        ("text/plain", b"\xff", "�"),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        ("", b"hi", "hi"),
        ("", b"\x00\x01", "AAE="),
        ("text/plain", b"a\x00b", "YQBi"),
        ("image/png", b"\x89PNG", "iVBORw=="),
    ],
)
def test_a_body_is_read_by_its_type(content_type, body, expected):
    assert read_body(answered(body, content_type), "auto") == (expected, ())


@pytest.mark.parametrize(
    "body",
    [b"{not json", b'{"a": NaN}', b'["\\ud800"]', b'["\\u0000"]', b'{"a": 1, "a": 2}', b"[" * 100 + b"]" * 100],
    ids=["broken", "NaN", "lone surrogate", "NUL", "duplicate keys", "too deep"],
)
def test_json_that_cannot_be_stored_is_given_as_text_with_a_warning(body):
    value, logs = read_body(answered(body, "application/json"), "auto")

    assert value == body.decode()
    assert [(line.level, type(line)) for line in logs] == [("warning", LogLine)]


def test_json_that_was_asked_for_and_cannot_be_read_is_refused():
    with pytest.raises(UnreadableBody):
        read_body(answered(b"{not json"), "json")


@pytest.mark.parametrize(
    ("reading", "body", "expected"),
    [("json", b"7", 7), ("text", b'{"a": 1}', '{"a": 1}'), ("base64", b'{"a": 1}', "eyJhIjogMX0=")],
)
def test_the_reading_that_was_asked_for_wins(reading, body, expected):
    assert read_body(answered(body, "application/json"), reading) == (expected, ())


def test_text_with_a_nul_is_refused_when_text_was_asked_for():
    with pytest.raises(UnreadableBody, match="NUL"):
        read_body(answered(b"a\x00"), "text")
