"""Every ready delivery and handshake, sent over HTTP to a running server with its clock set."""

import http.client
from contextlib import closing
from urllib.parse import urlsplit

import orjson
import pytest

from automation.models import Run
from tests.live import Web
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import cases, make
from webhooks.tests.test_deliveries import sender_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

DELIVERIES, HANDSHAKES = cases.load("webhooks/deliveries.json"), cases.load("webhooks/handshakes.json")
NOON = 1_795_348_800
RAN, REFUSED = ((202,), EventVerdict.ACCEPTED, 1), ((401,), EventVerdict.REJECTED, 0)


@pytest.fixture(scope="module")
def clock_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("clock") / "now"
    file.write_text(str(NOON))
    return file


@pytest.fixture(scope="module")
def _web(django_db_setup, django_db_blocker, clock_file):
    with django_db_blocker.unblock():
        web = Web(allow="", application="tests.clocked:application", TEST_CLOCK_FILE=str(clock_file))
    yield web
    web.stop()


@pytest.fixture
def port(_web):
    return urlsplit(_web.url).port


def call(port, endpoint, method, body, headers, query=""):
    path = endpoint.path + (f"?{query}" if query else "")
    own = {name: value for name, value in headers.items() if name != "Host"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body, own)
        with closing(connection.getresponse()) as response:
            return response.status, response.headers, response.read()


def became(endpoint):
    """The last event's verdict and the number of runs."""
    event = WebhookEvent.objects.filter(endpoint=endpoint).latest("received_at")
    return event, EventVerdict(event.verdict), Run.objects.filter(trigger_id=endpoint.trigger_id).count()


@pytest.mark.skipif(DELIVERIES is None, reason="shared/cases/webhooks/deliveries.json is not beside this checkout")
def test_every_ready_delivery_is_run_or_stored_with_the_reason(port, clock_file):
    got, wanted, unexplained = {}, {}, []
    for row in DELIVERIES:
        clock_file.write_text(str(row["now"]))
        endpoint = sender_for(row).endpoint
        statuses = [call(port, endpoint, "POST", cases.body_of(row), row["headers"])[0]]
        event, verdict, runs = became(endpoint)
        got[row["id"]] = (tuple(statuses), verdict, runs)
        wanted[row["id"]] = RAN if row["expect"] == "accept" else REFUSED
        if "json" in row.get("answer", {}):
            wanted[row["id"]] = ((200,), EventVerdict.ACKNOWLEDGED, 0)
        if row["expect"] == "reject" and not (event.reason and event.detail):
            unexplained.append(row["id"])

    assert got == wanted
    assert unexplained == []
    assert len(got) == len(DELIVERIES)


@pytest.mark.skipif(HANDSHAKES is None, reason="shared/cases/webhooks/handshakes.json is not beside this checkout")
def test_every_ready_handshake_is_answered_and_never_a_run(port, clock_file):
    clock_file.write_text(str(NOON))
    for row in HANDSHAKES:
        config = row.get("config", {})
        options = {"verify_token": config["verify_token"]} if "verify_token" in config else {}
        secret = config.get("secret_token", make.SECRET)
        endpoint = make.endpoint(scheme=row["provider"], secret=secret, options=options)
        body = orjson.dumps(row["body"]) if "body" in row else b""

        status, headers, answer = call(
            port, endpoint, row["method"], body, row.get("headers", {}), row.get("query", "")
        )

        event, _, runs = became(endpoint)
        asked = row["answer"]
        assert (row["id"], status, event.status, runs) == (row["id"], asked["status"], asked["status"], 0)
        assert {name: headers[name] for name in asked.get("header", {})} == asked.get("header", {})
        assert "json" not in asked or orjson.loads(answer) == asked["json"]
        assert asked.get("body_must_not_contain", "\0") not in answer.decode()
        assert "one_of" not in asked or answer.decode() == row["body"]["challenge"]


def test_handshakes_of_our_own_over_http(port, clock_file):
    clock_file.write_text(str(NOON))
    meta = make.endpoint(scheme="meta", secret=make.SECRET, options={"verify_token": "meatyhamhock"})
    trello, graph = (make.endpoint(scheme=scheme, secret=make.SECRET) for scheme in ("trello", "microsoft_graph"))
    query = "hub.mode=subscribe&hub.verify_token=meatyhamhock&hub.challenge=1158201444"

    answers = [
        call(port, meta, "GET", b"", {}, query),
        call(port, trello, "HEAD", b"", {}),
        call(port, graph, "POST", b"", {"Content-Type": "text/plain"}, "validationToken=a%20b"),
        call(port, meta, "PUT", b"", {}),
    ]

    assert [(status, body) for status, _, body in answers[:3]] == [(200, b"1158201444"), (200, b""), (200, b"a b")]
    assert (answers[3][0], answers[3][1]["Allow"], Run.objects.count()) == (405, "GET, POST", 0)


def test_headers_that_are_no_text_are_refused_and_never_an_error(port, clock_file):
    clock_file.write_text(str(NOON))
    for scheme, name in (
        ("github", "X-Hub-Signature-256"),
        ("stripe", "Stripe-Signature"),
        ("slack", "X-Slack-Signature"),
        ("gitlab", "X-Gitlab-Token"),
        ("basic", "Authorization"),
        ("jwt", "Authorization"),
        ("generic_hmac", "X-Signature"),
        ("twilio", "X-Twilio-Signature"),
    ):
        endpoint = make.endpoint(scheme=scheme, secret=make.SECRET)

        status, _, _ = call(port, endpoint, "POST", b"{}", {name: b"\xff\xfe\xc3\xa9 \x80"})

        assert (scheme, status, became(endpoint)[1:]) == (scheme, 401, (EventVerdict.REJECTED, 0))
