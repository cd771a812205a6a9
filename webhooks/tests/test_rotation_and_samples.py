"""POST /webhooks/{id}/rotate and /test: secrets that overlap, samples that take the real way."""

from datetime import timedelta

import pytest

from automation.models import Run, RunMode
from brainops.audit.models import AuditEntry
from brainops.core import clock
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import ROOT, Sender, call

pytestmark = pytest.mark.django_db


class TestRotation:
    def test_both_secrets_are_taken_until_the_grace_ends(self, endpoint, owner, monkeypatch):
        old = Sender(endpoint, secret=make.SECRET)
        old.send({})

        answer = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", {"grace_seconds": 60}).json()
        new = Sender(endpoint, secret=answer["secret"])
        during = [sender.send({}).status_code for sender in (old, new)]
        later = clock.now() + timedelta(seconds=61)
        monkeypatch.setattr(clock, "now", lambda: later)
        after = [sender.send({}).status_code for sender in (old, new)]

        assert (during, after) == ([202, 202], [401, 202])
        assert answer["previous_secret_valid_until"] is not None

    def test_without_grace_the_old_secret_ends_at_once(self, endpoint, owner):
        answer = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", {"grace_seconds": 0}).json()

        statuses = [Sender(endpoint, secret=secret).send({}).status_code for secret in (make.SECRET, answer["secret"])]

        assert statuses == [401, 202]

    def test_a_given_secret_is_not_repeated(self, endpoint, owner):
        answer = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", {"secret": "my own secret of thirty letters"})

        assert answer.json()["secret"] is None
        assert "my own secret" not in answer.content.decode()
        assert Sender(endpoint, secret="my own secret of thirty letters").send({}).status_code == 202

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"secret": "short"}, "/secret"),
            ({"grace_seconds": -1}, "/grace_seconds"),
            ({"grace_seconds": 10**9}, "/grace_seconds"),
            ({"secrets": "x"}, "/secrets"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_place(self, endpoint, owner, body, pointer):
        response = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", body)

        assert (response.status_code, response.json()["problems"][0]["pointer"]) == (400, pointer)

    def test_it_is_audited_without_the_secret(self, endpoint, owner):
        secret = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate").json()["secret"]

        entry = AuditEntry.objects.get(action="webhook.rotate")
        assert entry.target_id == str(endpoint.id)
        assert secret not in str(AuditEntry.objects.values())

    def test_an_unsigned_endpoint_has_nothing_to_rotate(self, endpoint, owner):
        unsigned = make.endpoint(make.workflow(endpoint.workspace), scheme="none")

        response = call(owner, "post", f"{ROOT}/{unsigned.id}/rotate")

        assert (response.status_code, response.json()["code"]) == (409, "webhook_unsigned")


class TestSamples:
    def sampled(self, owner, endpoint, body=None):
        return call(owner, "post", f"{ROOT}/{endpoint.id}/test", body)

    @pytest.mark.parametrize("scheme", ["github", "standard", "none"])
    def test_a_sample_takes_the_way_of_every_delivery(self, endpoint, owner, scheme):
        hook = make.endpoint(make.workflow(endpoint.workspace), scheme=scheme)

        report = self.sampled(owner, hook).json()

        event, run = WebhookEvent.objects.get(), Run.objects.get()
        assert report == {
            "status": 202,
            "outcome": "accepted",
            "run": str(run.uid),
            "event": str(event.id),
            "reason": "",
            "detail": "",
        }
        assert (event.verdict, event.is_test, run.mode) == (EventVerdict.ACCEPTED, True, RunMode.TEST)
        assert run.data.input["trigger"]["is_test"] is True

    def test_a_sample_may_have_a_body_and_an_event(self, endpoint, owner):
        self.sampled(owner, endpoint, {"event": "release", "body": {"action": "created"}})

        event = WebhookEvent.objects.get()
        assert (event.event_type, bytes(event.body)) == ("release", b'{"action":"created"}')

    def test_a_sample_names_an_event_that_the_endpoint_listens_to(self, endpoint, owner):
        hook = make.endpoint(make.workflow(endpoint.workspace), event_types=["release", "push"])

        assert self.sampled(owner, hook).json()["outcome"] == "accepted"
        assert WebhookEvent.objects.get().event_type == "release"

    def test_what_a_sender_would_be_refused_is_reported(self, endpoint, owner):
        type(endpoint.trigger).objects.update(is_active=False)

        report = self.sampled(owner, endpoint).json()

        assert (report["status"], report["outcome"], report["reason"]) == (409, "refused", "webhook_inactive")
        assert report["run"] is None

    def test_only_the_sender_can_sign_with_a_private_key(self, endpoint, owner):
        key = "whpk_ZoX1pFpSt3gayt5lN2IvwrmAV9qt9wVpRs1g8YlmoUc="
        hook = make.endpoint(make.workflow(endpoint.workspace), scheme="standard_ed25519", secret=key)

        response = self.sampled(owner, hook)

        assert (response.status_code, response.json()["code"]) == (409, "sample_not_signable")

    def test_a_request_cannot_call_itself_a_test(self, endpoint):
        Sender(endpoint).send({"is_test": True, "test": True}, headers={"X-Test": "true"}, query="is_test=true")

        assert WebhookEvent.objects.get().is_test is False
