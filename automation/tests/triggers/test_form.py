"""Hosted forms: made from a workflow's inputs, taken once, closed to programs that fill in whatever they find."""

from __future__ import annotations

import html
import re
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client

from automation.models import Arrival, Run, Trigger, Workflow
from automation.services import runnable, triggers
from automation.tests.arrivals.rows import ledger, make_trigger, runs_of
from automation.tests.triggers.rows import DEFINITION, make_workflow
from automation.triggers.form import KIND
from brainops.accounts.caller import system_caller
from brainops.core import clock
from brainops.core.errors import InvalidInput

pytestmark = pytest.mark.django_db

ORDER = {
    **DEFINITION,
    "inputs": {
        "properties": {
            "mail": {"type": "string", "format": "email", "title": "Your address"},
            "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
            "gift": {"type": "boolean"},
            "paper": {"enum": ["A4", "A3"]},
            "source": {"type": "string"},
        },
        "required": ["mail"],
    },
}
TEXTS = {"title": "Order paper"}


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()


def make_form(*, definition=ORDER, inputs=None, **config) -> Trigger:
    whole = KIND.complete({**TEXTS, "min_seconds": 0, **config})
    return make_trigger(kind="form", config=dict(whole), definition=definition, inputs=inputs or {})


def page_of(trigger, client=None) -> str:
    return (client or Client()).get(f"/forms/{trigger.id}").content.decode()


def token_on(page: str) -> str:
    return html.unescape(re.search(r'name="token" value="([^"]*)"', page).group(1))


def send(trigger, *, token=None, client=None, bait="", **data):
    """Fill in the form as a browser does."""
    given = token_on(page_of(trigger)) if token is None else token
    posted = {"token": given, "website": bait, **{f"data.{name}": value for name, value in data.items()}}
    return (client or Client(raise_request_exception=False)).post(f"/forms/{trigger.id}", posted)


def test_the_page_asks_for_the_inputs_that_the_trigger_does_not_fix():
    fields = ["mail", "count", "gift", "paper", "source", "gone"]
    trigger = make_form(inputs={"source": "shop"}, fields=fields, description="Free of charge.", button="Order")

    page = page_of(trigger)

    assert re.findall(r'name="data\.(\w+)"', page) == ["mail", "count", "gift", "paper"]
    assert 'type="email" name="data.mail"' in page
    assert "Your address" in page
    assert "Free of charge." in page
    assert ">Order</button>" in page


def test_a_submission_starts_a_run_with_its_fields_as_inputs():
    trigger = make_form(inputs={"source": "shop"})

    answer = send(trigger, mail="ada@example.com", count="3", gift="on", paper='"A3"')

    (run,) = runs_of(trigger)
    data = {"mail": "ada@example.com", "count": 3, "gift": True, "paper": "A3"}
    assert (answer.status_code, "Thank you. It was sent." in answer.content.decode()) == (200, True)
    assert run.data.input["inputs"] == {**data, "source": "shop"}
    assert (run.data.input["trigger"]["kind"], run.data.input["trigger"]["item"]) == ("form", data)


def test_fields_are_in_the_order_of_the_trigger_and_only_those():
    trigger = make_form(fields=["paper", "mail"])

    assert re.findall(r'name="data\.(\w+)"', page_of(trigger)) == ["paper", "mail"]


def test_looking_starts_nothing():
    trigger = make_form()

    for method in ("get", "head", "options", "put", "delete"):
        getattr(Client(), method)(f"/forms/{trigger.id}")

    assert not Run.objects.exists()


def test_what_is_wrong_stands_beside_its_field_and_what_was_entered_stays():
    trigger = make_form()

    answer = send(trigger, mail="ada@example.com", count="12")

    page = html.unescape(answer.content.decode())
    assert answer.status_code == 400
    assert 'Input "count" must be at most 9, got 12.' in page
    assert 'value="ada@example.com"' in page
    assert not Run.objects.exists()


def test_after_a_mistake_the_same_page_can_be_sent():
    trigger = make_form()

    again = send(trigger, mail="ada@example.com", count="12")
    done = send(trigger, token=token_on(again.content.decode()), mail="ada@example.com", count="2")

    assert (done.status_code, len(runs_of(trigger))) == (200, 1)


def test_a_button_pressed_twice_counts_once():
    trigger = make_form()
    token = token_on(page_of(trigger))

    answers = [send(trigger, token=token, mail="ada@example.com") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(runs_of(trigger)) == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_copies_at_once_count_once():
    trigger = make_form(per_hour=10_000)
    token = token_on(page_of(trigger))
    statuses = []

    def press():
        try:
            client = Client(raise_request_exception=False, REMOTE_ADDR=f"198.51.{len(statuses)}.7")
            statuses.append(send(trigger, token=token, client=client, mail="ada@example.com").status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert set(statuses) <= {200, 429}
    assert statuses.count(200) >= 1
    assert len(runs_of(trigger)) == 1


def test_a_field_that_people_do_not_see_gives_programs_away():
    trigger = make_form()

    answer = send(trigger, bait="https://spam.example", mail="ada@example.com")

    assert (answer.status_code, not Run.objects.exists()) == (200, True)
    assert list(ledger(trigger).values()) == ["refused"]
    assert Arrival.objects.get().data == {}


def test_what_is_sent_too_quickly_has_to_be_sent_once_more(monkeypatch):
    trigger = make_form(min_seconds=2)
    token = token_on(page_of(trigger))

    quick = send(trigger, token=token, mail="ada@example.com")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=3))
    slow = send(trigger, token=token_on(quick.content.decode()), mail="ada@example.com")

    assert (quick.status_code, slow.status_code, len(runs_of(trigger))) == (400, 200, 1)


@pytest.mark.parametrize("made", ["none", "nonsense", "of another form", "expired"])
def test_without_a_token_of_this_form_nothing_is_taken(made, monkeypatch):
    trigger, other = make_form(), make_form()
    token = {"none": "", "nonsense": "abc:def:ghi"}.get(made) or token_on(
        page_of(other if made == "of another form" else trigger)
    )
    if made == "none":
        token = ""
    if made == "expired":
        monkeypatch.setattr("django.core.signing.time.time", lambda: clock.now().timestamp() + 90_000)

    answer = send(trigger, token=token, mail="ada@example.com")

    assert (answer.status_code, Run.objects.exists()) == (400, False)
    assert token_on(answer.content.decode()) != token


def test_a_network_that_sends_too_often_has_to_wait():
    trigger = make_form(per_hour=2)

    statuses = [send(trigger, mail="ada@example.com").status_code for _ in range(3)]
    last = send(trigger, mail="ada@example.com")
    elsewhere = send(trigger, client=Client(REMOTE_ADDR="203.0.113.9"), mail="ada@example.com")

    assert (statuses, last.status_code, elsewhere.status_code) == ([200, 200, 429], 429, 200)
    assert last.headers["Retry-After"].isdigit()
    assert 'value="ada@example.com"' in last.content.decode()


@pytest.mark.parametrize("closed", ["trigger", "workflow", "archived", "time"])
def test_a_closed_form_says_so(closed):
    trigger = make_form(closes_at="2020-01-01T00:00:00Z") if closed == "time" else make_form()
    if closed == "trigger":
        Trigger.objects.filter(id=trigger.id).update(is_active=False)
    elif closed == "workflow":
        Workflow.objects.update(is_active=False)
    elif closed == "archived":
        Workflow.objects.update(archived_at=clock.now())

    shown, sent = Client().get(f"/forms/{trigger.id}"), send(trigger, token="x", mail="ada@example.com")

    assert (shown.status_code, sent.status_code) == (410, 410)
    assert "This form is closed." in shown.content.decode()
    assert not Run.objects.exists()


def test_other_triggers_and_nothing_have_no_form():
    other = make_trigger(kind="event", config={})

    answers = [Client().get(f"/forms/{id_}") for id_ in (other.id, "00000000-0000-4000-8000-000000000000")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_while_a_limit_is_full_nothing_is_lost_and_the_text_stays():
    limited = {**ORDER, "settings": {"concurrency": {"limit": 1, "when_full": "fail"}}}
    trigger = make_form(definition=limited)
    send(trigger, mail="ada@example.com")

    answer = send(trigger, mail="bob@example.com")

    assert (answer.status_code, len(runs_of(trigger))) == (503, 1)
    assert 'value="bob@example.com"' in answer.content.decode()


def test_what_people_write_is_escaped_and_no_script_may_run():
    evil = "<script>alert(1)</script>"
    trigger = make_form(title=evil, description=evil, thanks=evil, button=evil)

    answer = send(trigger, mail=evil, count="x")

    page = answer.content.decode()
    assert evil not in page
    assert evil not in page_of(trigger)
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_no_cookie_is_set():
    trigger = make_form()
    client = Client()

    client.get(f"/forms/{trigger.id}")
    send(trigger, client=client, mail="ada@example.com")

    assert not client.cookies


def test_a_workflow_without_inputs_has_a_button_alone():
    trigger = make_form(definition=DEFINITION)

    answer = send(trigger)

    assert (answer.status_code, len(runs_of(trigger))) == (200, 1)


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"continue_url": "javascript:alert(1)"}, "/config/continue_url"),
        ({"continue_url": "https://user@example.com"}, "/config/continue_url"),
        ({"closes_at": "2026-12-24T18:00"}, "/config/closes_at"),
        ({"closes_at": "soon"}, "/config/closes_at"),
        ({"title": ""}, "/config/title"),
    ],
    ids=["script", "user", "no-zone", "no-time", "no-title"],
)
def test_what_cannot_be_shown_is_refused(config, pointer):
    workflow = make_workflow(definition=ORDER)
    caller = system_caller(workflow.workspace_id, "tests")

    with pytest.raises(InvalidInput) as refused:
        triggers.create(caller, workflow_id=workflow.id, kind="form", config={**TEXTS, **config})

    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_the_trigger_shows_the_address_of_its_form(settings):
    settings.BRAINOPS_PUBLIC_URL = "https://ops.example.com"
    trigger = make_form()

    assert triggers.described([trigger])[trigger.id] == {"form": {"url": f"https://ops.example.com/forms/{trigger.id}"}}


@pytest.mark.parametrize("charset", ["hex", "zlib", "idna", "undefined", "unicode_escape", "utf-7", "utf-16"])
def test_a_body_whose_charset_is_no_encoding_of_text_is_read_as_utf_8(charset):
    trigger = make_form()
    sent = {"token": token_on(page_of(trigger)), "data.mail": "ada@example.com", "data.source": r"+2AA- \ud800 ä"}
    parts = [f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in sent.items()]
    body, kind = "".join([*parts, "--B--\r\n"]).encode(), f"multipart/form-data; boundary=B; charset={charset}"

    answer = Client(raise_request_exception=False).generic("POST", f"/forms/{trigger.id}", body, content_type=kind)

    (run,) = runs_of(trigger)
    assert (answer.status_code, run.data.input["inputs"]["source"]) == (200, r"+2AA- \ud800 ä")


def test_a_large_file_is_refused_before_any_of_it_is_read(settings):
    trigger = make_form()
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + b"x" * settings.BRAINOPS_LIMITS["body_bytes"] + b"\r\n--B--\r\n"

    answers = [
        Client().generic("POST", place, body, content_type="multipart/form-data; boundary=B")
        for place in (f"/forms/{trigger.id}", "/admin/login/")
    ]

    assert [(answer.status_code, answer.wsgi_request._read_started) for answer in answers] == [(413, False)] * 2
