"""Refused requests: stored with their reason, but never more than they deserve."""

import orjson
import pytest

from brainops.core.ratelimit.limiter import limiter
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db


class TestRefusals:
    def test_a_refused_request_is_stored_with_its_reason_and_the_head_of_its_body(self):
        raw = b'{"pad": "' + b"x" * 10_000 + b'"}'

        response = Sender(make.endpoint()).post(raw, {"X-GitHub-Delivery": "d-9"})

        event = WebhookEvent.objects.get()
        assert (response.status_code, response.json()["code"]) == (401, "signature_missing")
        assert response.headers["WWW-Authenticate"] == 'Webhook-Signature scheme="github"'
        assert (event.verdict, event.status, event.reason) == (EventVerdict.REJECTED, 401, "signature_missing")
        assert (event.delivery_id, event.detail) == ("d-9", response.json()["detail"])
        assert (bytes(event.body), event.size_bytes, event.is_truncated) == (raw[:4096], len(raw), True)

    def test_a_body_over_the_limit_of_the_endpoint_is_refused(self):
        response = Sender(make.endpoint(max_body_bytes=1000)).send({"pad": "x" * 1000})

        assert (response.status_code, response.json()["limit_bytes"]) == (413, 1000)
        assert WebhookEvent.objects.get().reason == "too_large"

    def test_a_body_over_the_limit_of_the_installation_is_not_read(self):
        raw = b"x" * ((1 << 20) + 1)

        response = Sender(make.endpoint()).post(raw, {})

        event = WebhookEvent.objects.get()
        assert response.status_code == 413
        assert (event.reason, event.size_bytes, bytes(event.body)) == ("too_large", len(raw), b"")

    def test_a_size_that_no_column_holds_is_refused_like_any_other(self):
        sender = Sender(make.endpoint())

        response = sender.post(b"{}", {}, CONTENT_LENGTH=str(10**18))

        event = WebhookEvent.objects.get()
        assert (response.status_code, response.json()["code"]) == (413, "too_large")
        assert (event.reason, event.size_bytes, bytes(event.body)) == ("too_large", (1 << 31) - 1, b"")

    def test_a_flood_of_refused_requests_is_stored_in_part_and_counted(self, monkeypatch):
        from webhooks.services import quota

        monkeypatch.setattr(quota, "rejected", quota.Quota(per_minute=6))
        sender = Sender(make.endpoint())

        statuses = {sender.post(b"{}", {}).status_code for _ in range(10)}
        limiter.start_anew()  # a minute later
        sender.post(b"{}", {})

        assert statuses == {401}
        assert [event.omitted for event in WebhookEvent.objects.order_by("received_at", "id")] == [0, 0, 0, 7]

    def test_only_the_newest_refused_requests_are_kept(self, monkeypatch):
        from webhooks.services import quota

        monkeypatch.setattr(quota, "KEPT", 5)
        sender = Sender(make.endpoint())
        sender.send({})

        for number in range(8):
            sender.post(b"{}", {"X-GitHub-Delivery": f"d-{number}"})

        kept = WebhookEvent.objects.filter(verdict=EventVerdict.REJECTED)
        assert sorted(event.delivery_id for event in kept) == ["d-3", "d-4", "d-5", "d-6", "d-7"]
        assert WebhookEvent.objects.filter(verdict=EventVerdict.ACCEPTED).count() == 1

    def test_problem_answers_name_the_request(self):
        response = Sender(make.endpoint()).post(b"{}", {})

        assert response.headers["Content-Type"] == "application/problem+json"
        assert set(response.json()) == {"type", "title", "status", "code", "detail", "request_id"}
        assert orjson.loads(response.content)["status"] == 401
