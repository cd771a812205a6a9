"""Options of schemes and secrets that follow, from the trigger's config to the judged delivery."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from automation.models import Run
from automation.services import triggers
from brainops.audit.models import AuditEntry
from brainops.core import clock
from brainops.core.egress.errors import DnsFailed
from brainops.core.egress.message import Answer
from brainops.core.errors import Conflict, InvalidInput
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import endpoints, handshakes, samples
from webhooks.signatures import all_schemes
from webhooks.tests import make
from webhooks.tests.make import Sender
from webhooks.triggers.webhook import KIND

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-the-tests-0123456789"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"


@pytest.fixture
def home():
    return make.workspace()


@pytest.fixture
def owner(home):
    return make.caller(make.person(home), home)


@pytest.fixture
def create(home, owner):
    flow = make.workflow(home)

    def create(**config):
        return triggers.create(owner, workflow_id=flow.id, kind="webhook", config=config)

    return create


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"scheme": "github", "options": {"url": "https://example.com"}}, "/config/options"),
        ({"scheme": "square", "options": {"url": "ftp://example.com"}}, "/config/options/url"),
        ({"scheme": "square", "options": {"link": "https://example.com"}}, "/config/options/link"),
        ({"scheme": "generic_hmac", "options": {"algorithm": "md5"}}, "/config/options/algorithm"),
        ({"scheme": "generic_hmac", "options": {"template": "{timestamp}"}}, "/config/options"),
        ({"scheme": "generic_hmac", "options": {"template": "{timestamp}.{body}"}}, "/config/options"),
        ({"scheme": "generic_hmac", "options": {"template": "{id}.{body}"}}, "/config/options"),
        ({"scheme": "generic_hmac", "options": {"template": "{body}{nonce}"}}, "/config/options"),
        (
            {"scheme": "generic_hmac", "options": {"template": "{body}", "timestamp_header": "X-Time"}},
            "/config/options",
        ),
        ({"scheme": "aws_sns"}, "/config/options"),
        ({"scheme": "aws_sns", "options": {"topic_arns": ["orders"]}}, "/config/options/topic_arns/0"),
        ({"scheme": "basic", "options": {"username": "a:b"}}, "/config/options/username"),
        ({"scheme": "jwt", "options": {"algorithm": "none"}}, "/config/options/algorithm"),
    ],
)
def test_options_that_cannot_serve_are_refused_with_their_place(create, config, pointer):
    with pytest.raises(InvalidInput) as refusal:
        create(**config)

    assert [problem.pointer for problem in refusal.value.problems] == [pointer]


def test_options_reach_the_endpoint_and_are_shown(create, owner):
    saved = create(scheme="square", secret=SECRET, options={"url": "https://flows.example.com/hook"})

    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.options == saved.trigger.config["options"] == {"url": "https://flows.example.com/hook"}
    assert Sender(endpoint).send({"type": "payment.updated", "event_id": "e-1"}).status_code == 202
    assert WebhookEvent.objects.get().delivery_id == "e-1"


@pytest.mark.parametrize(("scheme", "seconds"), [("linear", 60), ("paddle", 5), ("calendly", 180), ("stripe", 300)])
def test_the_tolerance_is_the_schemes_own_unless_given(create, scheme, seconds):
    assert create(scheme=scheme).trigger.config["tolerance_seconds"] == seconds
    assert create(scheme=scheme, tolerance_seconds=77).trigger.config["tolerance_seconds"] == 77


@pytest.mark.parametrize("scheme", [key for key, scheme in all_schemes().items() if scheme.secret_may_follow])
def test_a_webhook_without_its_senders_secret_refuses_everything_and_says_so(create, scheme):
    shown = create(scheme=scheme).shown_once["webhook"]
    endpoint = WebhookEndpoint.objects.get()

    response = Sender(endpoint).post(b"{}", {"X-Hub-Signature": "sha1=00", "X-Signature-Ed25519": "00"})

    assert (shown["needs_secret"], "secret" in shown, endpoint.secret) == (True, False, None)
    assert (response.status_code, response.json()["code"]) == (401, "secret_missing")


def test_the_senders_secret_follows_with_the_config_or_by_rotation(create, owner, home):
    trigger = create(scheme="stripe").trigger
    endpoint = WebhookEndpoint.objects.get()

    endpoints.rotate(owner, endpoint.id, secret=SECRET)

    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.previous_secret) == (SECRET, None)
    assert Sender(endpoint).send({"id": "evt_1", "type": "invoice.paid"}).status_code == 202
    assert triggers.described([trigger])[trigger.id]["webhook"]["needs_secret"] is False


def test_nobody_else_makes_the_senders_secret(create, owner):
    create(scheme="stripe")

    with pytest.raises(InvalidInput):
        endpoints.rotate(owner, WebhookEndpoint.objects.get().id)
    with pytest.raises(Conflict):
        samples.send(owner, WebhookEndpoint.objects.get().id)


def test_what_has_no_secret_takes_none(create, owner):
    create(scheme="paypal", options={"webhook_id": "WH-1"})

    with pytest.raises(Conflict):
        endpoints.rotate(owner, WebhookEndpoint.objects.get().id)
    with pytest.raises(InvalidInput):
        create(scheme="paypal", secret=SECRET)


def test_a_sample_is_signed_for_every_scheme_that_we_can_sign(create, owner):
    for key, scheme in all_schemes().items():
        if scheme.sign and scheme.is_signed:
            secret = {} if scheme.new_secret else {"secret": SECRET}
            trigger = create(scheme=key, **secret).trigger
            endpoint = WebhookEndpoint.objects.get(trigger=trigger)

            outcome = samples.send(owner, endpoint.id)

            assert type(outcome).__name__ == "Accepted", (key, outcome)


def test_the_gallery_of_schemes_is_the_folder():
    gallery = KIND.config_schema["properties"]["scheme"]["x-gallery"]

    assert [entry["key"] for entry in gallery] == list(all_schemes())
    assert orjson.loads(orjson.dumps(gallery)) == gallery
    assert gallery[0] == {
        "key": "aws_sns",
        "title": "Amazon SNS",
        "description": all_schemes()["aws_sns"].description,
        "setup": all_schemes()["aws_sns"].setup,
        "options": all_schemes()["aws_sns"].options,
        "secret": "none",
        "tolerance_seconds": 300,
    }


def test_a_delivery_signed_with_the_ended_secret_is_told_so():
    endpoint = make.endpoint(previous_secret="the-secret-before-0123456789", previous_valid_until=clock.now())

    told = Sender(endpoint, secret="the-secret-before-0123456789").send({})
    other = Sender(endpoint, secret="another-secret-0123456789").send({})

    assert [response.json()["code"] for response in (told, other)] == ["secret_ended", "signature_wrong"]
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    ("signed", "sent"),
    [(b'{"a":1}\n', b'{"a":1}'), (b'{"a":1}', b'{"a":1}\r\n'), (b"{\r\n}", b"{\n}"), (b"{\n}", b"{\r\n}")],
)
def test_a_body_that_lost_its_line_breaks_on_the_way_is_told_so(signed, sent):
    sender = Sender(make.endpoint())

    response = sender.post(sent, sender.signature(signed, "d-1"))

    event = WebhookEvent.objects.get()
    assert (response.status_code, response.json()["code"]) == (401, "body_changed")
    assert (event.verdict, event.reason, Run.objects.count()) == (EventVerdict.REJECTED, "body_changed", 0)


def test_the_clock_is_blamed_when_only_the_clock_is_wrong(monkeypatch):
    sender = Sender(make.endpoint(scheme="slack", secret=SECRET))
    raw = b'{"type":"event_callback"}'
    headers = sender.signature(raw, "d-1")
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    response = sender.post(raw, headers)

    assert (response.status_code, response.json()["code"]) == (401, "too_old")
    assert "behind our clock; 300 s are allowed" in response.json()["detail"]


@pytest.mark.parametrize("name", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
def test_a_header_that_is_no_ascii_is_refused_and_stored(name):
    sender = Sender(make.endpoint(scheme="slack", secret=SECRET))
    raw = b"{}"

    response = sender.post(raw, {**sender.signature(raw, "d-1"), name.lower(): "v0=é\xff"})

    assert response.status_code == 401
    assert WebhookEvent.objects.get().verdict == EventVerdict.REJECTED


def test_a_subscription_is_confirmed_and_the_audit_log_says_so(home):
    asked = []

    def send(request):
        asked.append(request.url)
        return Answer(200, {}, b"", request.url)

    endpoint = make.endpoint()
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"

    is_done = handshakes.confirm(home.id, endpoint.id, url, send=send)

    entry = AuditEntry.objects.get(action="webhook.confirm")
    assert (is_done, asked) == (True, [url])
    assert (entry.target_id, entry.summary) == (str(endpoint.id), "Confirmed it at sns.eu-west-1.amazonaws.com.")


def test_a_confirmation_that_fails_stands_in_the_audit_log(home, monkeypatch):
    monkeypatch.setattr(handshakes, "PAUSE_SECONDS", 0)

    def send(_request):
        raise DnsFailed("The name has no address.")

    is_done = handshakes.confirm(home.id, make.endpoint().id, "https://sns.eu-west-1.amazonaws.com/?a", send=send)

    assert not is_done
    assert "The name has no address." in AuditEntry.objects.get(action="webhook.confirm").summary


@pytest.mark.parametrize(
    ("scheme", "options", "runs"),
    [("calendly", {}, 1), ("zoom", {}, 1), ("generic_hmac", {"timestamp_header": "X-Time"}, 2)],
)
def test_a_repeat_that_is_signed_anew_is_known_by_its_body(monkeypatch, scheme, options, runs):
    sender = Sender(make.endpoint(scheme=scheme, secret=SECRET, options=options))
    begin = datetime.now(UTC)

    for minute in (0, 1):
        monkeypatch.setattr(clock, "now", lambda late=minute: begin + timedelta(minutes=late))
        sender.send({"event": "meeting.started", "event_ts": 7})

    assert Run.objects.count() == runs


def test_a_senders_name_in_the_body_counts_once():
    sender = Sender(make.endpoint(scheme="stripe", secret=SECRET))

    first = sender.send({"id": "evt_1", "type": "invoice.paid"})
    again = sender.send({"id": "evt_1", "type": "invoice.paid", "attempt": 2})

    assert (first.status_code, again.status_code, Run.objects.count()) == (202, 200, 1)
    assert again.headers["Brainops-Duplicate"] == "true"
