"""Handshakes: answered as each sender asks, stored, and never a run."""

import base64
import hmac
from datetime import UTC, datetime

import orjson
import pytest

from automation.models import Run
from brainops.core import clock
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.services import handshakes
from webhooks.tests import cases, make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-the-tests-0123456789"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def ask(endpoint, method="POST", body=b"", *, query="", headers=None, content_type="application/json"):
    client = Sender(endpoint).client
    path = endpoint.path + (f"?{query}" if query else "")
    return client.generic(method, path, body, content_type, headers=headers or {})


def endpoint_of(scheme, **fields):
    return make.endpoint(scheme=scheme, **{"secret": SECRET, **fields})


def stored():
    event = WebhookEvent.objects.get()
    return EventVerdict(event.verdict), event.status, event.reason, Run.objects.count()


ANSWERED = (EventVerdict.ACKNOWLEDGED, 200, "handshake", 0)


@pytest.mark.parametrize("row", cases.rows("webhooks/handshakes.json"), ids=lambda row: row and row["id"])
def test_a_ready_handshake_gets_its_answer(row):
    config = row.get("config", {})
    options = {"verify_token": config["verify_token"]} if "verify_token" in config else {}
    endpoint = endpoint_of(row["provider"], secret=config.get("secret_token", SECRET), options=options)
    body = row.get("body")

    response = ask(
        endpoint,
        row["method"],
        orjson.dumps(body) if body else b"",
        query=row.get("query", ""),
        headers=row.get("headers"),
    )

    wanted = row["answer"]
    assert response.status_code == wanted["status"]
    assert "json" not in wanted or response.json() == wanted["json"]
    assert {name: response.headers[name] for name in wanted.get("header", {})} == wanted.get("header", {})
    assert wanted.get("body_must_not_contain", "\0") not in response.content.decode()
    assert "one_of" not in wanted or response.content.decode() == body["challenge"]
    assert (WebhookEvent.objects.get().status, Run.objects.count()) == (wanted["status"], 0)


def test_slacks_challenge_is_sent_back_signed_or_not():
    endpoint = endpoint_of("slack")
    body = b'{"type":"url_verification","challenge":"3eZbrw1aBm"}'

    plain = ask(endpoint, body=body)
    signed = Sender(endpoint).send(body)
    forged = Sender(endpoint, secret="another-secret-of-somebody-else").send(body)

    assert [response.status_code for response in (plain, signed, forged)] == [200, 200, 401]
    assert (plain.content, signed.content) == (b"3eZbrw1aBm", b"3eZbrw1aBm")
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (plain.headers["X-Content-Type-Options"], Run.objects.count()) == ("nosniff", 0)


@pytest.mark.parametrize(
    "challenge", ["x" * 501, "two words", "line\nbreak", "", 7, None, "ünicode"], ids=lambda value: repr(value)[:20]
)
def test_a_challenge_that_is_none_is_not_sent_back(challenge):
    response = ask(endpoint_of("slack"), body=orjson.dumps({"type": "url_verification", "challenge": challenge}))

    assert (response.status_code, WebhookEvent.objects.get().reason) == (401, "signature_missing")


def test_zoom_gets_proof_of_the_secret_and_nobody_a_signed_delivery():
    endpoint = endpoint_of("zoom")
    now = int(NOW.timestamp())
    forged = f'v0:{now}:{{"event":"meeting.started"}}'
    question = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}

    honest = ask(endpoint, body=orjson.dumps(question))
    greedy = ask(endpoint, body=orjson.dumps({**question, "payload": {"plainToken": forged}}))

    proof = hmac.digest(SECRET.encode(), b"qgg8vlvZRS6UYooatFL8Aw", "sha256").hex()
    assert honest.json() == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": proof}
    assert greedy.status_code == 401
    assert hmac.digest(SECRET.encode(), forged.encode(), "sha256").hex() not in greedy.content.decode()


def test_x_gets_its_check_and_nobody_a_signed_delivery():
    endpoint = endpoint_of("twitter")

    honest = ask(endpoint, "GET", query="crc_token=abc-123_Z")
    greedy = ask(endpoint, "GET", query="crc_token=%7B%22a%22%3A1%7D")
    proof = honest.json()["response_token"]
    text = ask(endpoint, body=b"abc-123_Z", headers={"x-twitter-webhooks-signature": proof}, content_type="text/plain")

    digest = hmac.digest(SECRET.encode(), b"abc-123_Z", "sha256")
    assert proof == f"sha256={base64.b64encode(digest).decode()}"
    assert (honest.status_code, greedy.status_code, text.status_code, Run.objects.count()) == (200, 400, 401, 0)


def test_metas_challenge_is_answered_to_whoever_knows_the_verify_token():
    endpoint = endpoint_of("meta", options={"verify_token": "meatyhamhock"})
    asked = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="

    right, wrong, none = (ask(endpoint, "GET", query=query) for query in (f"{asked}meatyhamhock", f"{asked}nope", ""))

    assert (right.status_code, right.content) == (200, b"1158201444")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "verify_token_wrong")
    assert (none.status_code, none.json()["code"]) == (400, "handshake_malformed")
    assert Run.objects.count() == 0


def test_meta_is_refused_while_no_verify_token_is_set():
    response = ask(endpoint_of("meta"), "GET", query="hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=")

    assert (response.status_code, response.json()["code"]) == (403, "verify_token_wrong")


def test_microsoft_graph_gets_its_token_back_decoded_and_as_plain_text():
    response = ask(endpoint_of("microsoft_graph"), query="validationToken=Validation%3A+%3Cb%3Ehi%3C%2Fb%3E")

    assert (response.status_code, response.content) == (200, b"Validation: <b>hi</b>")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert stored() == ANSWERED


def test_trellos_head_is_answered():
    response = ask(endpoint_of("trello"), "HEAD")

    assert (response.status_code, response.content) == (200, b"")
    assert stored() == ANSWERED


def test_notions_token_is_kept_for_a_person_and_becomes_no_secret():
    endpoint = endpoint_of("notion", secret=None)

    response = ask(endpoint, body=b'{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}')

    endpoint.refresh_from_db()
    assert (response.status_code, endpoint.secret) == (200, None)
    assert b"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl" in bytes(WebhookEvent.objects.get().body)
    assert stored() == ANSWERED


def test_a_handshake_works_while_the_webhook_is_switched_off_and_without_a_secret():
    endpoint = endpoint_of("slack", secret=None)
    endpoint.trigger.is_active = False
    endpoint.trigger.save()

    response = ask(endpoint, body=b'{"type":"url_verification","challenge":"abc"}')

    assert (response.status_code, response.content) == (200, b"abc")


@pytest.mark.parametrize(
    ("scheme", "method", "allowed"),
    [
        ("github", "GET", "POST"),
        ("slack", "GET", "POST"),
        ("meta", "HEAD", "GET, POST"),
        ("trello", "GET", "HEAD, POST"),
        ("zoom", "OPTIONS", "POST"),
    ],
)
def test_other_methods_are_refused_with_those_that_are_taken(scheme, method, allowed):
    response = ask(endpoint_of(scheme), method)

    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert stored() == (EventVerdict.REJECTED, 405, "method_not_allowed", 0)


def test_a_flood_of_unsigned_handshakes_is_answered_and_only_some_are_stored():
    endpoint = endpoint_of("slack")
    body = b'{"type":"url_verification","challenge":"abc","pad":"' + b"x" * 8000 + b'"}'

    answers = [ask(endpoint, body=body) for _ in range(handshakes.STORED_PER_HOUR + 5)]

    kept = WebhookEvent.objects.values_list("body", flat=True)
    assert {response.status_code for response in answers} == {200}
    assert len(kept) <= handshakes.STORED_PER_HOUR + 1
    assert {len(text) for text in kept} == {4096}


def test_only_named_origins_may_deliver_cloudevents():
    endpoint = endpoint_of("cloudevents", options={"origins": ["events.example.com"]})

    named, other = (
        ask(endpoint, "OPTIONS", headers={"WebHook-Request-Origin": origin})
        for origin in ("events.example.com", "elsewhere.example.com")
    )

    assert (named.status_code, named.headers["WebHook-Allowed-Origin"]) == (200, "events.example.com")
    assert (other.status_code, other.json()["code"]) == (403, "origin_not_allowed")
