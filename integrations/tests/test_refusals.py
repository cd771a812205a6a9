"""How unwanted answers become failures."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from brainops.core import redact
from integrations.contract import ErrorClass, Failure
from integrations.messages import Request, Response
from integrations.refusals import error_class_of, refusal, retry_after_seconds

URL = "https://api.example/things"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def answered(status=429, body=b"", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, NOON, names, body, URL)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, ErrorClass.USER),
        (400, ErrorClass.USER),
        (401, ErrorClass.AUTH),
        (403, ErrorClass.AUTH),
        (404, ErrorClass.USER),
        (407, ErrorClass.AUTH),
        (408, ErrorClass.TRANSIENT),
        (409, ErrorClass.USER),
        (422, ErrorClass.USER),
        (425, ErrorClass.TRANSIENT),
        (429, ErrorClass.RATE_LIMIT),
        (500, ErrorClass.TRANSIENT),
        (501, ErrorClass.USER),
        (502, ErrorClass.TRANSIENT),
        (503, ErrorClass.TRANSIENT),
        (504, ErrorClass.TRANSIENT),
        (505, ErrorClass.USER),
        (599, ErrorClass.TRANSIENT),
        (999, ErrorClass.USER),
    ],
)
def test_a_status_has_one_class(status, expected):
    assert error_class_of(status) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sunday, 22-Nov-26 12:00:30 GMT", 30.0),  # RFC 850
        ("Sun Nov 22 12:00:30 2026", 30.0),  # asctime
        ("Sun, 22 Nov 2026 13:00:30 +0100", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),  # past
        ("Tue, 22 Nov 2033 12:00:00 GMT", 86_400.0),  # more than a day
        ("999999999", 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("12345678901", None),
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, expected):
    assert retry_after_seconds(answered(retry_after=value)) == expected


def test_a_date_counts_from_the_services_own_clock():
    answer = answered(retry_after="Sun, 22 Nov 2026 18:00:10 GMT", date="Sun, 22 Nov 2026 18:00:00 GMT")

    assert retry_after_seconds(answer) == 10.0


def test_a_refusal_tells_status_body_and_when_to_come_back():
    failure = refusal(answered(503, b"<h1>Down</h1>\n<p>back soon", retry_after="5"), Request("POST", URL))

    assert failure == Failure(
        type="http_status",
        message="POST https://api.example/things answered 503: <h1>Down</h1> <p>back soon",
        error_class=ErrorClass.TRANSIENT,
        retry_after_seconds=5.0,
        details={
            "status": 503,
            "method": "POST",
            "url": "https://api.example/things",
            "body": "<h1>Down</h1> <p>back soon",
        },
        is_outcome_unknown=False,
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b"x" * 500, "x" * 200 + "…"),
        (b"\x00\x1b[31mred\r\nforged line", "[31mred  forged line"),
        (b"\xff\xfe", "��"),
        (b'{"error": "no", "token": "abc"}', '{"error":"no","token":"•••"}'),
        (b'{"headers": {"Authorization": "Bearer abc"}}', '{"headers":{"Authorization":"•••"}}'),
    ],
)
def test_the_body_is_shown_as_one_short_line_without_secrets(body, shown):
    assert refusal(answered(400, body), Request("GET", URL)).details["body"] == shown


def test_a_secret_is_masked_before_the_body_is_cut():
    redact.register("s3cret-value-of-a-key")
    body = b"x" * 190 + b" s3cret-value-of-a-key"

    shown = refusal(answered(400, body), Request("GET", URL)).details["body"]

    redact.forget_all()
    assert shown == "x" * 190 + " •••"


@pytest.mark.parametrize(("status", "unknown"), [(500, False), (408, True), (502, True), (503, False), (504, True)])
def test_a_gateway_that_gave_up_leaves_a_write_unknown(status, unknown):
    assert refusal(answered(status), Request("POST", URL)).is_outcome_unknown is unknown


def test_a_403_with_a_time_to_come_back_is_a_limit():
    failure = refusal(answered(403, retry_after="60"), Request("GET", URL))

    assert (failure.error_class, failure.retry_after_seconds) == (ErrorClass.RATE_LIMIT, 60.0)


def test_a_read_is_never_unknown():
    assert refusal(answered(504), Request("GET", URL)).is_outcome_unknown is False


def test_what_a_call_sent_is_masked_before_the_body_is_cut():
    known = redact.SecretValues()
    known.register("s3cret-of-this-call")
    bodies = [b"x" * 190 + b" s3cret-of-this-call", b'{"a": "' + b"x" * 180 + b' s3cret-of-this-call"}']

    answers = [replace(answered(400, body), mask=known.without) for body in bodies]

    said = [refusal(answer, Request("GET", URL)).details["body"] for answer in answers]
    assert said == ["x" * 190 + " •••", '{"a":"' + "x" * 180 + ' •••"}']
