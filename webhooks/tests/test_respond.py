"""Endpoints in `respond` mode: the caller gets the workflow's own answer, from a real runtime in this process."""

import pytest

from automation.models import Run, RunMode
from automation.runtime.process import Runtime
from automation.services import waiting
from webhooks.models import WebhookEvent
from webhooks.services.answers import Spoken, speak
from webhooks.tests import make
from webhooks.tests.make import Sender

GUARD = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


def definition(*steps):
    return {"schema": 1, "steps": [{"id": f"step_{number}", **step} for number, step in enumerate(steps)]}


def hook(*steps, **fields):
    return make.endpoint(make.workflow(definition=definition(*steps)), answer="respond", **fields)


RESPOND = {
    "uses": "respond",
    "with": {
        "status": 201,
        "headers": {"X-Order": "{{ trigger.body.id }}"},
        "body": {"order": "{{ trigger.body.id }}"},
    },
}


@pytest.mark.django_db(transaction=True)
class TestWithARuntime:
    @pytest.fixture(autouse=True)
    def _runtime(self, settings):
        settings.BRAINOPS_HEARTBEAT_SECONDS = 0.1
        settings.BRAINOPS_TICK_SECONDS = 0.1
        runtime = Runtime()
        runtime.start()
        yield
        runtime.stop(10)
        waiting.room().close()

    def test_the_caller_gets_the_answer_of_the_respond_step(self):
        response = Sender(hook(RESPOND)).send({"id": 7}, delivery="d-1")

        run = Run.objects.get()
        assert (response.status_code, response.json()) == (201, {"order": 7})
        assert response.headers["Content-Type"] == "application/json"
        assert (response.headers["X-Order"], response.headers["Brainops-Run"]) == ("7", str(run.uid))
        assert {name: response.headers[name] for name in GUARD} == GUARD
        assert (run.mode, WebhookEvent.objects.get().run_uid) == (RunMode.SYNC, run.uid)

    def test_a_repeat_gets_the_same_answer(self):
        sender = Sender(hook(RESPOND))

        first, second = (sender.send({"id": 7}, delivery="d-1") for _ in range(2))

        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second.headers["Brainops-Duplicate"] == "true"
        assert Run.objects.count() == 1

    def test_a_workflow_that_never_answers_names_its_finished_run(self):
        response = Sender(hook({"uses": "log", "with": {"message": "hello"}})).send({})

        assert response.status_code == 200
        assert response.json() == {
            "run": str(Run.objects.get().uid),
            "event": str(WebhookEvent.objects.get().id),
            "status": "succeeded",
        }

    def test_a_failed_run_is_a_500_that_names_it(self):
        response = Sender(hook({"uses": "fail", "with": {"message": "No stock left."}})).send({})

        run = Run.objects.get()
        assert (response.status_code, response.json()["code"]) == (500, "run_failed")
        assert (response.json()["run"], response.json()["run_status"]) == (str(run.uid), "failed")
        assert response.headers["Location"] == f"/api/v1/automation/runs/{run.uid}"
        assert "No stock" not in response.content.decode()

    def test_an_answer_before_the_end_does_not_wait_for_the_end(self):
        later = {"uses": "delay", "needs": ["step_0"], "with": {"for": "30s"}}

        response = Sender(hook(RESPOND, later, wait_seconds=10)).send({"id": 1})

        assert response.status_code == 201
        assert not Run.objects.get().is_final

    def test_a_slow_run_is_answered_with_its_address(self):
        response = Sender(hook({"uses": "delay", "with": {"for": "30s"}}, wait_seconds=1)).send({})

        run = Run.objects.get()
        assert (response.status_code, response.json()["run"]) == (202, str(run.uid))
        assert response.headers["Location"] == f"/api/v1/automation/runs/{run.uid}"


@pytest.mark.django_db
def test_a_repeat_of_an_unfinished_run_gets_its_address():
    sender = Sender(hook(RESPOND, wait_seconds=1))

    first, second = (sender.send({"id": 7}, delivery="d-1") for _ in range(2))

    assert [first.status_code, second.status_code] == [202, 200]
    named = first.json()
    assert {name: second.json()[name] for name in ("run", "event")} == {"run": named["run"], "event": named["event"]}
    assert {"status_url"} == set(named) - {"run", "event"} == set(second.json()) - {"run", "event"}


@pytest.mark.parametrize(
    ("response", "status", "content_type", "body"),
    [
        ({"status": 200, "body": {"a": 1}}, 200, "application/json", b'{"a":1}'),
        ({"status": 200, "body": "plain"}, 200, "application/json", b'"plain"'),
        ({"status": 204}, 204, "application/json", b""),
        ({"headers": {"content-type": "text/plain"}, "body": "hi"}, 200, "text/plain; charset=utf-8", b"hi"),
        ({"headers": {"Content-Type": "text/html"}, "body": "<b>"}, 200, "text/plain; charset=utf-8", b"<b>"),
        ({"headers": {"Content-Type": "image/svg+xml"}, "body": "<svg>"}, 200, "text/plain; charset=utf-8", b"<svg>"),
        ({"headers": {"Content-Type": "text/xml"}, "body": "<a/>"}, 200, "text/xml; charset=utf-8", b"<a/>"),
        ({"status": 302, "body": None}, 200, "application/json", b""),
        ({"status": True, "body": None}, 200, "application/json", b""),
        ({"status": "201", "body": None}, 200, "application/json", b""),
        ({"status": 503, "body": "later"}, 503, "application/json", b'"later"'),
        ({"body": "\ud800", "headers": {"Content-Type": "text/plain"}}, 200, "text/plain; charset=utf-8", b"?"),
    ],
)
def test_what_a_run_says_is_data_and_never_a_page(response, status, content_type, body):
    assert speak(response) == Spoken(status, body, {**GUARD, "Content-Type": content_type})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Set-Cookie", "a=b"),
        ("Location", "https://example.com"),
        ("Content-Security-Policy", "default-src *"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Accel-Redirect", "/etc/passwd"),
        ("X-Sendfile", "/etc/passwd"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "0"),
        ("Brainops-Duplicate", "true"),
        ("X-Split", "a\r\nSet-Cookie: b=c"),
        ("X Space", "a"),
        ("X-Number", 7),
        ("", "a"),
    ],
)
def test_a_header_that_speaks_for_the_server_is_left_out(name, value):
    spoken = speak({"headers": {name: value, "X-Fine": "yes"}, "body": 1})

    assert spoken.headers == {"X-Fine": "yes", **GUARD, "Content-Type": "application/json"}
