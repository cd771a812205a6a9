"""What reaches the log of a run: never a secret, never without bounds, and what the run says of itself."""

from __future__ import annotations

from automation.engine.kinds import LogLine
from automation.engine.status import RunStatus
from automation.models import RunLog
from automation.runtime.lines import keepable
from brainops.core import redact

HEADERS = {"authorization": "Bearer sk_live_abcdef", "x-api-key": "k-123456", "accept": "text/plain"}


def test_credentials_never_reach_the_log_rows(make_workflow, accept, runtime, ended):
    redact.register("registered-secret")
    version = make_workflow(
        {"id": "text", "uses": "log", "with": {"message": "Sent {{ inputs.headers }}, then registered-secret."}},
        {"id": "plain", "uses": "log", "with": {"message": "Authorization: Bearer abcdefgh password=hunter2"}},
        {"id": "fields", "uses": "log", "with": {"message": "x", "fields": "{{ inputs }}"}},
        {"id": "fails", "uses": "fail", "with": {"message": "no: token=abcdef"}, "on_error": "continue"},
        inputs={"type": "object", "properties": {"headers": {"type": "object"}, "url": {"type": "string"}}},
    )

    run = accept(version, inputs={"headers": HEADERS, "url": "https://ada:pa55word@example.com"})
    ended(run.uid)
    redact.forget_all()

    lines = {line.path: (line.message, line.fields) for line in RunLog.objects.filter(run_id=run.id)}
    text = str(lines)
    secrets = ("sk_live", "k-123456", "registered-secret", "abcdef", "hunter2", "pa55word")
    assert [secret for secret in secrets if secret in text] == []
    assert lines["plain"][0] == "Authorization: ••• password=•••"
    assert lines["fields"][1] == {
        "headers": {"authorization": "•••", "x-api-key": "•••", "accept": "text/plain"},
        "url": "https://ada:•••@example.com",
    }


def test_a_line_that_is_too_long_is_cut_and_says_so():
    line = keepable(LogLine("info", "x" * 20_000, {"list": ["y" * 100] * 1000}))

    assert line.message == "x" * 10_000 + "… (20,000 characters)"
    assert line.fields == {"dropped": "The fields have 103,010 bytes; 16,384 are kept."}


def test_a_run_tells_when_it_waits_and_when_it_goes_on(make_workflow, accept, runtime, ended):
    version = make_workflow({"id": "pause", "uses": "delay", "with": {"for": "2.1s"}})

    run = ended(accept(version).uid)

    lines = RunLog.objects.filter(run=run).order_by("seq")
    assert run.status == RunStatus.SUCCEEDED
    assert [(line.level, line.path, line.message) for line in lines] == [
        ("info", "", "The run waits for its time."),
        ("info", "", "The run goes on."),
    ]


def test_a_run_that_neither_waits_nor_speaks_costs_no_line(make_workflow, accept, runtime, ended):
    version = make_workflow({"id": "a", "uses": "transform", "with": {"set": {}}})

    run = ended(accept(version).uid)

    assert not RunLog.objects.filter(run=run).exists()
