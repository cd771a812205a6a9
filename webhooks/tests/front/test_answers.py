"""What a sender is answered, by the config's choice: at once, by the run, by its file, line by line, or elsewhere."""

from datetime import timedelta

import orjson
import pytest
from django.test import Client

from automation.models import Run, StoredFile
from automation.services import waiting
from webhooks.services import status_links
from webhooks.tests import make
from webhooks.tests.front.forms import file, form
from webhooks.tests.make import Sender

OUTPUT = {
    "schema": 1,
    "steps": [{"id": "sum", "uses": "transform", "with": {"set": {"total": "{{ trigger.body.n * 2 }}"}}}],
    "output": "{{ steps.sum.output }}",
}
FAILS = {"schema": 1, "steps": [{"id": "no", "uses": "fail", "with": {"message": "no"}}]}
SLOW = {"schema": 1, "steps": [{"id": "nap", "uses": "delay", "with": {"for": "1h"}}]}
ECHO = {**OUTPUT, "steps": [{"id": "sum", "uses": "log", "with": {"message": "x"}}], "output": "{{ trigger.body.f }}"}
GUARD = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


def hook(definition=OUTPUT, answer="last_step", **fields):
    return Sender(make.endpoint(make.workflow(definition=definition), answer=answer, **fields))


def plain(url):
    """Somebody without a key asks."""
    return Client(raise_request_exception=False).get(url.removeprefix("http://testserver"))


@pytest.mark.django_db(transaction=True)
class TestLastStep:
    def test_the_output_of_the_run_is_the_answer_also_of_a_repeat(self, worker):
        sender = hook()

        first, second = (sender.send({"n": 21}, delivery="d-1") for _ in range(2))

        assert (first.status_code, first.json(), first.headers["Brainops-Run"]) == (
            200,
            {"total": 42},
            str(Run.objects.get().uid),
        )
        assert {name: first.headers[name] for name in GUARD} == GUARD
        assert (second.status_code, second.json(), second.headers["Brainops-Duplicate"]) == (200, {"total": 42}, "true")

    def test_a_failed_run_is_a_500_that_names_it(self, worker):
        response = hook(FAILS).send({})

        assert (response.status_code, response.json()["code"]) == (500, "run_failed")
        assert response.json()["run"] == str(Run.objects.get().uid)

    def test_a_slow_run_is_answered_with_an_address_that_needs_no_key(self, worker, all_ended):
        flow = {**OUTPUT, "steps": [*OUTPUT["steps"], {"id": "nap", "uses": "delay", "with": {"for": "3s"}}]}
        response = hook(flow, wait_seconds=1).send({"n": 1})

        address = response.json()["status_url"]
        before = plain(address)
        all_ended()
        after = plain(address)

        assert (response.status_code, before.status_code, before.json()) == (202, 202, {"status": "running"})
        assert (before.headers["Retry-After"], before.headers["Cache-Control"]) == ("2", "no-store")
        assert (after.status_code, after.json()) == (200, {"total": 2})


@pytest.mark.django_db
class TestStatusAddresses:
    @pytest.fixture
    def address(self, settings):
        settings.BRAINOPS_WEB_THREADS = 2
        return hook(SLOW, wait_seconds=1).send({}).json()["status_url"]

    def test_every_change_of_one_makes_it_unknown(self, address):
        head, _, token = address.rpartition("/")
        changed = [token[:-1], token + "A", "A" + token[1:], token.swapcase(), "x", "%00", "A" * 51, "é"]

        assert {plain(f"{head}/{one}").status_code for one in changed} == {404}
        assert plain(address).status_code == 202

    def test_one_ends_after_a_day(self, address, monkeypatch):
        now = status_links.clock.now()
        later = now + timedelta(seconds=status_links.GOOD_SECONDS + status_links.HOUR + 1)
        monkeypatch.setattr(status_links.clock, "now", lambda: later)

        assert plain(address).status_code == 404

    def test_a_run_that_is_gone_tells_nothing(self, address):
        Run.objects.all().delete()

        assert plain(address).status_code in (202, 404)


@pytest.mark.django_db
class TestAtOnce:
    def test_the_answer_may_be_chosen(self):
        reply = {"status": 200, "headers": {"X-Shop": "1"}, "content_type": "text/plain; charset=utf-8", "body": "ok"}
        sender = hook(answer="accepted", config={"reply": reply})

        first, second = (sender.send({"n": 1}, delivery="d-1") for _ in range(2))

        assert (first.status_code, first.content, first.headers["X-Shop"]) == (200, b"ok", "1")
        assert (first.headers["Content-Type"], first.headers["Brainops-Run"]) == (
            "text/plain; charset=utf-8",
            str(Run.objects.get().uid),
        )
        assert {name: first.headers[name] for name in GUARD} == GUARD
        assert (second.status_code, second.content, second.headers["Brainops-Duplicate"]) == (200, b"ok", "true")

    @pytest.mark.parametrize("status", [302, 303, 307, 308])
    def test_a_redirect_leads_where_the_config_says_whatever_was_sent(self, status):
        config = {"redirect": {"url": "https://shop.example/thanks", "status": status}, "methods": ["GET", "POST"]}
        sender = hook(answer="redirect", config=config, scheme="none")

        response = sender.post(
            b"", {"Location": "https://evil.example"}, method="GET", query="url=https://evil.example&next=//evil"
        )

        assert (response.status_code, response.headers["Location"]) == (status, "https://shop.example/thanks")
        assert Run.objects.count() == 1

    def test_a_redirect_that_starts_no_run_is_none(self):
        config = {"redirect": {"url": "https://shop.example/thanks"}}

        response = hook(answer="redirect", config=config).post(b"{}", {})

        assert (response.status_code, "Location" in response.headers) == (401, False)


@pytest.mark.django_db(transaction=True)
class TestFiles:
    def test_the_file_that_is_the_output_is_downloaded_and_never_a_page(self, worker):
        body = form(file("f", "page.html", b"<script>alert(1)</script>", "text/html"))

        response = hook(ECHO, "file").send(body, content_type="multipart/form-data; boundary=XX")

        assert (response.status_code, b"".join(response.streaming_content)) == (200, b"<script>alert(1)</script>")
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"] == 'attachment; filename="page.html"'
        assert {name: response.headers[name] for name in GUARD} == GUARD

    @pytest.mark.parametrize("body", [{"f": "text"}, {"f": {"name": "x"}}, {"f": None}], ids=str)
    def test_an_output_that_is_no_file_is_a_500_with_the_reason(self, worker, body):
        response = hook(ECHO, "file").send(body)

        assert (response.status_code, response.json()["code"]) == (500, "run_failed")
        assert "no file" in response.json()["detail"]

    def test_a_file_of_another_workspace_is_none(self, worker):
        other = hook(ECHO, "file")
        other.send(form(file("f", "a.txt", b"secret")), content_type="multipart/form-data; boundary=XX")
        foreign = str(StoredFile.objects.get().id)
        flow = {**ECHO, "output": {"$file": foreign}}

        response = hook(flow, "file").send({"f": 1})

        assert (response.status_code, b"secret" in response.content) == (500, False)


@pytest.mark.django_db(transaction=True)
class TestStreams:
    def lines(self, response):
        return [orjson.loads(line) for line in b"".join(response.streaming_content).splitlines()]

    def test_the_progress_of_the_run_comes_line_by_line_and_ends_with_its_output(self, worker):
        response = hook(answer="stream").send({"n": 4})

        lines = self.lines(response)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/x-ndjson")
        assert {"step": "sum", "status": "succeeded"} in lines
        assert lines[-1] == {"run": str(Run.objects.get().uid), "status": "succeeded", "output": {"total": 8}}

    def test_a_run_that_outlasts_the_caller_ends_with_an_address(self):
        response = hook(SLOW, "stream", wait_seconds=1).send({})

        lines = self.lines(response)
        assert (lines[0]["status"], set(lines[-1])) == ("queued", {"run", "status", "status_url"})
        assert plain(lines[-1]["status_url"]).json() == {"status": "running"}

    def test_a_place_is_given_back_at_the_end_and_when_nobody_listens(self, monkeypatch):
        monkeypatch.setattr(waiting.room(), "places", 5)
        free = waiting.room()._seats

        read, left = (hook(SLOW, "stream", wait_seconds=1).send({}) for _ in range(2))
        taken = waiting.room()._seats
        self.lines(read)
        read.close()
        left.close()
        left.close()

        assert (taken - free, waiting.room()._seats) == (2, free)

    def test_without_a_free_place_it_is_a_202_with_an_address(self, monkeypatch):
        monkeypatch.setattr(waiting.room(), "places", 0)

        response = hook(SLOW, "stream", wait_seconds=1).send({})

        assert (response.status_code, "status_url" in response.json()) == (202, True)
