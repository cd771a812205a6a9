"""respond: an answer that cannot harm the caller's browser or our framing."""

import pytest

from automation.steps.respond import GUARD
from automation.tests.steps.run_step import run_step


def answer(**config):
    return run_step("respond", config, inputs={"id": 7})


def test_the_plainest_answer_is_200_with_json_null():
    outcome = answer()

    assert outcome.response == {"status": 200, "headers": {**GUARD, "Content-Type": "application/json"}, "body": None}
    assert outcome.output == outcome.response


def test_an_answer_has_status_headers_and_body():
    outcome = answer(status=404, headers={"X-Id": "{{ inputs.id }}", "X-Ok": True}, body={"id": "{{ inputs.id }}"})

    assert outcome.response == {
        "status": 404,
        "headers": {"X-Id": "7", "X-Ok": "true", **GUARD, "Content-Type": "application/json"},
        "body": {"id": 7},
    }


def test_the_guard_cannot_be_taken_away():
    assert answer(body="x").response["headers"]["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer(headers={"content-security-policy": "*"}).error.type == "config"


@pytest.mark.parametrize(
    "name",
    ["Set-Cookie", "set-cookie", "Transfer-Encoding", "Content-Length", "Connection", "Location", "Access-Control-Allow-Origin",
     "Strict-Transport-Security", "Content-Type", "X-Accel-Redirect", "Proxy-Authenticate", "", "a b", "a:b", "é", "x\r\ny"],
)  # fmt: skip
def test_headers_that_are_not_the_workflows_own_are_refused(name):
    assert answer(headers={name: "x"}).error.type == "config"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "a\x00b", "x" * 4001, "😀", None, [1]])
def test_header_values_are_one_line_of_latin_text(value):
    assert answer(headers={"X-A": value}).error.type == "config"


@pytest.mark.parametrize("status", [100, 199, 301, 304, 399, 600, "200", 200.5, True])
def test_a_status_is_a_final_one_and_no_redirect(status):
    assert answer(status=status).error.type == "config"


@pytest.mark.parametrize("content_type", ["text/html", "application/xhtml+xml", "image/svg+xml", "text/javascript", ""])
def test_types_a_browser_would_run_are_refused(content_type):
    assert answer(content_type=content_type, body="x").error.type == "config"


def test_text_types_take_a_text():
    assert answer(content_type="text/xml; charset=utf-8", body="<Response/>").response["body"] == "<Response/>"
    assert answer(content_type="text/plain; charset=utf-8", body={"a": 1}).error.message == (
        '"body" must be a text for text/plain; charset=utf-8, got an object with 1 field. '
        "Write it as text or use application/json."
    )
