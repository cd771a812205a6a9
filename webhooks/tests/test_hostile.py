"""Requests meant to hurt: each gets a clear 4xx, is stored as rejected, and starts nothing."""

import hashlib
import hmac

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation.models import Run
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"a": 1', "application/json", 400, "malformed_json"),
        (b"", "application/json", 202, ""),
        (b"null", "application/json", 202, ""),
        (b"[1, 2]", "application/json", 202, ""),
        (b'{"a": 1, "a": 2}', "application/json", 400, "malformed_json"),
        (b'{"a": NaN}', "application/json", 400, "malformed_json"),
        (b'{"a": Infinity}', "application/json", 400, "malformed_json"),
        (b'{"a": "\\u0000"}', "application/json", 400, "malformed_json"),
        (b'{"a": "\\ud800"}', "application/json", 400, "malformed_json"),
        (b'{"\\udfff": 1}', "application/json", 400, "malformed_json"),
        (DEEP, "application/json", 400, "malformed_json"),
        (b"\xef\xbb\xbf{}", "application/json", 400, "malformed_json"),
        (b"\xff\xfe{\x00}\x00", "application/json", 400, "malformed_json"),
        (b'{"a": 1}', "application/json; charset=utf-16", 400, "malformed_json"),
        ('{"a": 1}'.encode("utf-16"), "application/json; charset=utf-16", 202, ""),
        (b'{"a": 1}', "application/json; charset=idna", 415, "unsupported_media_type"),
        (b'{"a": 1}', "application/json; charset=unicode_escape", 415, "unsupported_media_type"),
        (b'{"a": 1}', "application/json; charset=bz2_codec", 415, "unsupported_media_type"),
        (b'{"a": 1}', "application/vnd.github+json; charset=UTF-8", 202, ""),
        (b'{"a": ' + b"9" * 5000 + b"}", "application/json", 400, "malformed_json"),
        (b"payload=%7B%22a%22%3A1%7D", "application/x-www-form-urlencoded", 202, ""),
        (b"payload=%7B%22a%22", "application/x-www-form-urlencoded", 400, "malformed_json"),
        (b"a=1&a=2&b=x", "application/x-www-form-urlencoded", 202, ""),
        (b"a=%00", "application/x-www-form-urlencoded", 400, "malformed_form"),
        (b"a=%ff", "application/x-www-form-urlencoded", 400, "malformed_form"),
        (b"no-equals-sign", "application/x-www-form-urlencoded", 400, "malformed_form"),
        (b"&".join(b"k%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded", 400, "malformed_form"),
        (b"hello", "text/plain", 202, ""),
        (b"hel\x00lo", "text/plain", 400, "malformed_text"),
        (b"hel\xfflo", "text/plain", 400, "malformed_text"),
        (b"<a/>", "application/xml", 202, ""),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400, "malformed_form"),
        (b"--x\r\n", "multipart/form-data", 400, "malformed_form"),
        (b"\x89PNG", "image/png", 202, ""),
        (b"{}", "a" * 5000, 202, ""),
    ],
)
def test_a_signed_body_is_data_or_refused(body, content_type, status, code):
    response = Sender(make.endpoint()).send(body, content_type=content_type)

    event = WebhookEvent.objects.get()
    assert (response.status_code, event.reason) == (status, code)
    assert event.verdict == (EventVerdict.ACCEPTED if status == 202 else EventVerdict.REJECTED)
    assert Run.objects.count() == (status == 202)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Encoding": "gzip"}, 400, "malformed_encoding"),
        ({"Content-Encoding": "identity"}, 202, ""),
        ({"X-GitHub-Delivery": "x" * 5000}, 400, "delivery_id_malformed"),
        ({"X-GitHub-Delivery": "a\u00e9"}, 400, "delivery_id_malformed"),
        ({"X-GitHub-Delivery": "a\tb"}, 400, "delivery_id_malformed"),
        ({"X-GitHub-Event": "x" * 5000}, 202, ""),
        ({"X-Long": "x" * 100_000}, 202, ""),
        ({f"X-Many-{n}": "1" for n in range(500)}, 202, ""),
        ({"X-Strange": "\x01\x7f\xe9"}, 202, ""),
        ({"Authorization": "Bearer not-for-us", "Cookie": "sessionid=1"}, 202, ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_signed_headers_are_data_or_refused(headers, status, code):
    response = Sender(make.endpoint()).send({"a": 1}, headers=headers)

    event = WebhookEvent.objects.get()
    assert (response.status_code, event.reason) == (status, code)
    assert len(event.headers) <= 64
    assert max(map(len, event.headers.values())) <= 1024


def test_files_named_in_json_stay_text():
    body = {"files": [{"filepath": "/etc/hostname", "originalFilename": "x"}], "$ref": "file:///etc/hostname"}

    Sender(make.endpoint()).send(body)

    assert orjson.loads(bytes(WebhookEvent.objects.get().body)) == body
    assert Run.objects.get().data.input["trigger"]["body"] == body


@pytest.mark.parametrize("secret", ["", " ", "None", "null", make.SECRET.upper(), make.SECRET[:-1], make.SECRET + "\n"])
def test_a_signature_with_a_near_secret_is_refused(secret):
    raw = b'{"a": 1}'
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()

    response = Sender(make.endpoint()).post(raw, {"X-Hub-Signature-256": f"sha256={digest}"})

    assert (response.status_code, response.json()["code"]) == (401, "signature_wrong")


def test_the_signature_of_another_workspaces_endpoint_is_refused():
    other = Sender(make.endpoint(secret="another-secret-of-another-workspace"))
    sender = Sender(make.endpoint())

    response = sender.post(b"{}", other.signature(b"{}", "d-1"))

    assert response.status_code == 401


def test_an_old_and_a_future_delivery_are_refused(monkeypatch):
    from brainops.core import clock

    sender = Sender(make.endpoint(scheme="standard"))
    signed = sender.signature(b"{}", "msg_1")
    statuses = []
    for seconds in (301, -301, 299, -299):
        moment = int(signed["webhook-timestamp"]) + seconds
        monkeypatch.setattr(clock, "now", lambda moment=moment: clock.datetime.fromtimestamp(moment, clock.UTC))
        statuses.append(sender.post(b"{}", signed).status_code)

    assert statuses == [401, 401, 202, 200]
    assert sorted(WebhookEvent.objects.values_list("reason", flat=True)) == ["", "too_new", "too_old"]


SECRETS_OF = {"github": make.SECRET, "standard": make.STANDARD_SECRET}
HEADERS = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)
    | st.sampled_from(
        ["X-Hub-Signature-256", "X-GitHub-Delivery", "Content-Encoding", "webhook-id", "webhook-signature"]
    ),
    st.text(st.characters(min_codepoint=9, max_codepoint=255, exclude_characters="\n\r"), max_size=60),
    max_size=6,
)
BODIES = st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda child: st.lists(child) | st.dictionaries(st.text(), child),
).map(lambda value: repr(value).replace("'", '"').encode(errors="surrogatepass"))
TYPES = st.sampled_from(
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream", ""]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
QUERIES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40)


class TestAnything:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        body=BODIES, headers=HEADERS, content_type=TYPES, query=QUERIES, scheme=st.sampled_from(["github", "standard"])
    )
    def test_unsigned_gets_a_4xx(self, body, headers, content_type, query, scheme):
        response = Sender(make.endpoint(scheme=scheme)).post(body, headers, content_type=content_type, query=query)

        assert response.status_code == 401
        assert response.json()["code"]

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=BODIES, headers=HEADERS, content_type=TYPES, query=QUERIES)
    def test_signed_gets_a_2xx_or_4xx(self, body, headers, content_type, query):
        sender = Sender(make.endpoint())
        signature = sender.signature(body, "d-1")
        kept = {name: value for name, value in headers.items() if not name.lower().startswith("x-")}

        response = sender.post(body, kept | signature, content_type=content_type, query=query)

        assert response.status_code in (202, 400, 415)
        assert WebhookEvent.objects.latest("received_at").status == response.status_code
