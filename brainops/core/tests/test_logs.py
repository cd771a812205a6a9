"""Logs: one event, one line, no secret, nothing forged."""

import io
import json
import logging

import pytest
import structlog

from brainops.core import logs, redact


@pytest.fixture
def written(settings):
    """Configure as in production and collect what is written."""
    stream = io.StringIO()
    logs.configure({"format": "json", "level": "INFO"})
    logging.getLogger().handlers[0].stream = stream
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logs.configure(settings.LOGGING)


@pytest.fixture
def raw(settings):
    """The text as it is written, lines and all."""
    stream = io.StringIO()
    logs.configure({"format": "json", "level": "INFO"})
    logging.getLogger().handlers[0].stream = stream
    yield stream.getvalue
    structlog.reset_defaults()
    logs.configure(settings.LOGGING)


def test_an_event_is_one_json_line_with_its_fields_and_the_request(written):
    token = logs.request_id.set("request-42")

    logs.get_logger("test.room").info("run_started", run_id="7", attempt=2)
    logs.request_id.reset(token)

    (line,) = written()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "run_started",
        "level": "info",
        "logger": "test.room",
        "run_id": "7",
        "attempt": 2,
        "request_id": "request-42",
    }


def test_lines_of_other_libraries_have_the_same_form(written):
    logging.getLogger("some.library").warning("lost %s of %d", "one", 3)

    assert [(line["event"], line["level"], line["logger"]) for line in written()] == [
        ("lost one of 3", "warning", "some.library")
    ]


def test_a_value_cannot_forge_a_line(written):
    logs.get_logger("x").info("request", path="/x\r\nERROR all is lost\x1b[31m\u2028")

    assert [line["path"] for line in written()] == ["/x\r\nERROR all is lost\x1b[31m\u2028"]


# What readers of logs take for the end of a line, or a terminal for an order (security.md, threat 37; CWE-117).
FORGERIES = (
    "\n",
    "\r\n",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
    "\x1b[2J\x1b[31m",
    "\x00",
    "\x7f",
)


@pytest.mark.parametrize("character", FORGERIES)
@pytest.mark.parametrize("place", ["event", "field", "key", "nested", "foreign", "exception"])
def test_whatever_is_logged_one_event_is_one_line_of_printable_text(raw, character, place):
    forged = f'x{character}{{"event":"admin_logged_in"}}'
    log = logs.get_logger("x")
    match place:
        case "event":
            log.info(forged)
        case "field":
            log.info("said", path=forged)
        case "key":
            log.info("said", **{forged: 1})
        case "nested":
            log.info("said", body={"a": [{forged: forged}]})
        case "foreign":
            logging.getLogger("some.library").warning("got %s", forged)
        case "exception":
            try:
                {}[forged]
            except KeyError:
                log.exception("failed")

    lines = raw().splitlines(keepends=True)  # of Python, which knows all of these as line ends

    assert len(lines) == 1
    assert lines[0].endswith("}\n")
    assert lines[0].removesuffix("\n").isprintable()
    json.loads(lines[0])


@pytest.mark.parametrize("value", ["x" * 300_000, {"a": ["y" * 90_000] * 9}, ["z"] * 200_000, b"w" * 300_000])
def test_no_line_is_longer_than_collectors_take(raw, value):
    logs.get_logger("x").info("big", body=value, why="kept")

    line = raw()
    assert len(line.encode()) <= logs.LONGEST_LINE_BYTES
    assert json.loads(line)["event"] == "big"


def test_many_fields_do_not_make_a_long_line_either(raw):
    logs.get_logger("x").info("big", **{f"field_{n}": "x" * 3000 for n in range(50)})

    line = raw()
    assert len(line.encode()) <= logs.LONGEST_LINE_BYTES
    assert json.loads(line)["cut"] > logs.LONGEST_LINE_BYTES


def test_secrets_are_masked_in_events_fields_and_traces(written):
    redact.register("correct-horse-battery")
    log = logs.get_logger("x")

    log.info("sent correct-horse-battery", password="x", nested={"token": "y", "list": ["correct-horse-battery"]})
    try:
        int("correct-horse-battery")
    except ValueError:
        log.exception("failed")

    text = json.dumps(written())
    assert "correct-horse-battery" not in text
    assert written()[0]["nested"] == {"token": "•••", "list": ["•••"]}
    assert "invalid literal for int() with base 10: '•••'" in written()[1]["exception"]


def test_a_long_text_is_cut_with_its_length(written):
    logs.get_logger("x").info("big", body="x" * 10_000)

    assert written()[0]["body"] == "x" * 4000 + "… (10000 characters)"


def test_what_is_no_json_is_written_as_its_repr(written):
    logs.get_logger("x").info("odd", value={1: {2, 3}.__class__}, other=b"\xff")

    assert (written()[0]["value"], written()[0]["other"]) == ({"1": "<class 'set'>"}, "b'\\xff'")


def test_refused_requests_write_nothing_since_visitors_must_not_fill_the_log(written, client):
    client.get("/api/v1/automation/nowhere")
    client.get("/api/v1/automation/health", headers={"Host": "evil.example"})

    assert [line["event"] for line in written() if line["event"] != "slow_request"] == []


def test_people_get_lines_they_can_read(settings, capsys):
    logs.configure({"format": "console", "level": "INFO"})
    logs.get_logger("x").warning("something happened", run_id="7")
    structlog.reset_defaults()
    logs.configure(settings.LOGGING)

    assert "something happened" in capsys.readouterr().err
