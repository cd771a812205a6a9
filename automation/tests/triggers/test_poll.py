"""Polls against a real HTTP server: what starts runs, what does not, and what happens when the source fails."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection
from django.db.models.functions import Now

from automation.engine import points
from automation.models import Secret, Source
from automation.services import sources, triggers
from automation.services.sources import claim, look
from automation.tests.arrivals.rows import ledger, runs_of
from automation.tests.triggers.rows import DEFINITION, make_workflow
from brainops.accounts.caller import system_caller
from brainops.core.errors import InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)


class Shop:
    """A list of orders behind a URL. `answers` come first, each once: `(status, headers, body)`."""

    def __init__(self):
        self.orders, self.answers, self.asked = [], [], []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                shop.asked.append((self.path, dict(self.headers)))
                status, headers, body = shop.answer(self.headers)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/orders"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, headers):
        if self.answers:
            return self.answers.pop(0)
        tag = f'"{len(self.orders)}"'
        if headers.get("If-None-Match") == tag:
            return 304, {}, b""
        body = json.dumps({"orders": [{"id": number} for number in self.orders]}).encode()
        return 200, {"ETag": tag, "Content-Type": "application/json"}, body

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def shop(settings):
    from automation.services import runnable
    from brainops.core.egress import http

    runnable.forget_all()
    settings.BRAINOPS_EGRESS_ALLOW = "127.0.0.1:*"
    http.client.cache_clear()
    shop = Shop()
    yield shop
    shop.close()
    http.client.cache_clear()


def make_poll(shop, *, definition=DEFINITION, given=None, **config):
    workflow = make_workflow(definition=definition)
    given = {"url": shop.url, "items": "/orders", "key": "/id", **(given or {})}
    caller = system_caller(workflow.workspace_id, "tests")
    config = {"uses": "http.items", "with": given, **config}
    return triggers.create(caller, workflow_id=workflow.id, kind="poll", config=config).trigger


def look_once(trigger):
    Source.objects.filter(trigger=trigger).update(next_at=Now())
    look(claim())
    return Source.objects.get(trigger=trigger)


def test_the_first_look_starts_nothing_and_later_ones_what_is_new(shop):
    shop.orders = [1, 2]
    trigger = make_poll(shop)
    look_once(trigger)
    assert (ledger(trigger), runs_of(trigger)) == ({"1": "skipped first", "2": "skipped first"}, [])

    shop.orders += [3]
    look_once(trigger)
    look_once(trigger)

    assert ledger(trigger) == {"1": "skipped first", "2": "skipped first", "3": "ran"}
    assert [run.data.input["trigger"]["item"] for run in runs_of(trigger)] == [{"id": 3}]


def test_with_first_all_what_is_there_starts_runs(shop):
    shop.orders = [1, 2]
    trigger = make_poll(shop, first="all")

    look_once(trigger)

    assert ledger(trigger) == {"1": "ran", "2": "ran"}


def test_a_source_that_has_not_changed_answers_304(shop):
    shop.orders = [1]
    trigger = make_poll(shop)
    look_once(trigger)

    source = look_once(trigger)

    assert shop.asked[1][1]["If-None-Match"] == '"1"'
    assert (source.failures, source.last_error) == (0, "")


@pytest.mark.parametrize(
    ("answer", "least_seconds"),
    [
        ((500, {}, b"broken"), 5),  # half of the first pause, by jitter
        ((429, {"Retry-After": "1234"}, b"slow down"), 1_200),
        ((200, {}, b"<html>not JSON"), 5),
    ],
    ids=["500", "429", "no JSON"],
)
def test_a_source_that_fails_is_asked_later_and_recovers(shop, answer, least_seconds):
    shop.orders = [1]
    trigger = make_poll(shop, first="all")
    shop.answers = [answer]

    source = look_once(trigger)

    assert (source.failures, bool(source.last_error), ledger(trigger)) == (1, True, {})
    with connection.cursor() as cursor:
        cursor.execute("select extract(epoch from next_at - now()) from automation_source")
        assert cursor.fetchone()[0] > least_seconds

    recovered = look_once(trigger)
    assert (recovered.failures, recovered.last_error, ledger(trigger)) == (0, "", {"1": "ran"})


def test_a_batch_is_one_run_of_all_that_is_new_together(shop):
    shop.orders = [1, 2]
    trigger = make_poll(shop, first="all", run_for="batch")
    look_once(trigger)
    look_once(trigger)
    shop.orders += [3, 4]
    look_once(trigger)

    seen = [run.data.input["trigger"]["item"] for run in runs_of(trigger)]
    assert seen == [
        {"items": [{"id": 1}, {"id": 2}], "count": 2},
        {"items": [{"id": 3}, {"id": 4}], "count": 2},
    ]


def test_very_many_items_are_taken_over_several_looks(shop, monkeypatch):
    from automation.triggers import poll

    monkeypatch.setattr(poll, "MOST_ITEMS", 3)
    shop.orders = list(range(8))
    trigger = make_poll(shop, first="all")

    for _ in range(3):
        look_once(trigger)

    assert sorted(map(int, ledger(trigger))) == list(range(8))
    assert len(runs_of(trigger)) == 8


class Dies(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", ["after_poll", "in_poll", "after_poll_commit"])
def test_killed_in_a_look_each_item_is_taken_once(shop, point, monkeypatch):
    shop.orders = [1, 2]
    trigger = make_poll(shop, first="all")

    def die(name):
        if name == point:
            raise Dies

    monkeypatch.setattr(points, "hook", die)
    with pytest.raises(Dies):
        look_once(trigger)
    monkeypatch.setattr(points, "hook", None)
    look_once(trigger)

    assert ledger(trigger) == {"1": "ran", "2": "ran"}
    assert len(runs_of(trigger)) == 2


def test_while_a_limit_is_full_the_cursor_stays_and_nothing_is_lost(shop):
    shop.orders = [1, 2]
    limited = {**DEFINITION, "settings": {"concurrency": {"limit": 1, "when_full": "fail"}}}
    trigger = make_poll(shop, first="all", definition=limited)

    source = look_once(trigger)

    assert (ledger(trigger), bool(source.waits_for)) == ({"1": "ran", "2": "limit full"}, True)
    with connection.cursor() as cursor:
        cursor.execute("update automation_run set status = 50, finished_at = now(), finishes = 1, limit_key = null")
    look_once(trigger)
    assert ledger(trigger) == {"1": "ran", "2": "ran"}


def test_secrets_are_sent_and_never_said(shop):
    trigger = make_poll(shop, given={"headers": {"Authorization": "Bearer {{ secrets.shop_key }}"}})
    assert look_once(trigger).last_error_code == "secret_missing"
    secret = Secret.objects.create(workspace_id=trigger.workspace_id, name="shop_key", value="k3y-of-the-shop")

    shop.answers = [(403, {}, b"no entry for k3y-of-the-shop")]
    source = look_once(trigger)
    assert shop.asked[-1][1]["Authorization"] == "Bearer k3y-of-the-shop"
    assert ("403" in source.last_error, "k3y-of-the-shop" in source.last_error) == (True, False)

    secret.hosts = ["shop.example"]
    secret.save()
    asked = len(shop.asked)
    assert look_once(trigger).last_error_code == "host_not_allowed"
    assert len(shop.asked) == asked


def test_a_source_that_answers_with_what_it_was_sent_spreads_no_secret(shop):
    given = {"headers": {"Authorization": "Bearer {{ secrets.shop_key }}"}}
    trigger = make_poll(shop, given=given, first="all")
    Secret.objects.create(workspace_id=trigger.workspace_id, name="shop_key", value="hush-hush-hush")
    echo = {"orders": [{"id": "1 hush-hush-hush", "you": {"sent": ["Bearer hush-hush-hush"]}}]}
    shop.answers.append((200, {"Content-Type": "application/json"}, json.dumps(echo).encode()))

    look_once(trigger)

    (run,) = runs_of(trigger)
    assert "hush-hush" not in f"{run.data.input} {list(ledger(trigger))} {run.dedupe_key}"
    assert run.data.input["trigger"]["item"]["you"] == {"sent": ["Bearer •••"]}


def test_a_target_that_workflows_may_not_call_is_not_called(shop, settings):
    from brainops.core.egress import http

    trigger = make_poll(shop)
    settings.BRAINOPS_EGRESS_ALLOW = ""
    http.client.cache_clear()

    source = look_once(trigger)

    assert (source.last_error_code, shop.asked) == ("blocked_target", [])


def test_another_address_is_another_source_and_another_rhythm_is_not(shop):
    shop.orders = [1]
    trigger = make_poll(shop)
    look_once(trigger)
    caller = system_caller(trigger.workspace_id, "tests")
    triggers.change(caller, trigger.id, {"config": {"every": "1h"}})
    assert Source.objects.get(trigger=trigger).is_begun

    triggers.change(caller, trigger.id, {"config": {"with": {"url": f"{shop.url}?all=1"}}})

    assert (Source.objects.get(trigger=trigger).is_begun, Source.objects.get(trigger=trigger).cursor) == (False, None)


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"every": "1s"}, "/config/every"),
        ({"given": {"url": "ftp://shop.example/"}}, "/config/with/url"),
        ({"given": {"headers": {"X": "{{ inputs.a }}"}}}, "/config/with/headers/X"),
        ({"given": {"items": "orders"}}, "/config/with/items"),
        ({"given": {"max_pages": 0}}, "/config/with/max_pages"),
        ({"given": {"nonsense": 1}}, "/config/with/nonsense"),
    ],
)
def test_what_cannot_be_polled_is_refused_where_it_stands(shop, config, pointer):
    with pytest.raises(InvalidInput) as refused:
        make_poll(shop, **config)

    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_the_poller_of_a_worker_looks_at_it(shop):
    trigger = make_poll(shop)

    assert sources.has_due()
    look(claim())

    assert not sources.has_due()
    assert Source.objects.get(trigger=trigger).is_begun
