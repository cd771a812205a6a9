"""Rate limits and quotas of the intake: by webhook, by network, exact whichever process answers, and never silent."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from automation.models import Run
from automation.services import quotas
from brainops.core.ratelimit.limiter import limiter
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.services import quota
from webhooks.tests import make
from webhooks.tests.make import ROOT, Sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def rates(settings: Any) -> Any:
    """Limits for this test: so many requests, and none comes back while it runs."""

    def give(**at_once: int) -> None:
        settings.BRAINOPS_RATE_BURST_SECONDS = 3600.0
        slow = {name: number / 3600 for name, number in at_once.items()}
        settings.BRAINOPS_RATES = {**settings.BRAINOPS_RATES, **slow}

    return give


def refusal(response: Any) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["code"], body["limit"]["name"]


def test_deliveries_beyond_the_webhook_s_limit_are_refused_recorded_and_may_come_again(rates):
    rates(webhook_deliveries=2)
    sender, other = Sender(make.endpoint()), Sender(make.endpoint())

    answers = [sender.send({}, delivery=f"d{number}") for number in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert refusal(answers[2]) == (429, "rate_limited", "webhook-deliveries")
    assert "Retry-After" in answers[2].headers
    event = WebhookEvent.objects.get(verdict=EventVerdict.REJECTED)
    assert (event.reason, event.status, event.delivery_id) == ("rate_limited", 429, "d2")
    assert other.send({}).status_code == 202

    limiter.start_anew()  # later
    assert sender.send({}, delivery="d2").status_code == 202


def test_strangers_cannot_use_up_what_belongs_to_the_sender(rates):
    rates(webhook_deliveries=2)
    sender = Sender(make.endpoint())

    forged = {sender.post(b"{}", {"X-GitHub-Delivery": f"x{number}"}).status_code for number in range(10)}

    assert forged == {401}
    assert sender.send({}, delivery="genuine").status_code == 202


def test_a_network_that_guesses_ids_is_slowed_down_and_known_webhooks_stay_open(rates, django_assert_num_queries):
    rates(address_unknown_webhooks=3)
    sender = Sender(make.endpoint())
    sender.send({}, delivery="first")

    guesses = [Client().post(f"{ROOT}/{uuid4()}/receive", {}, content_type="application/json") for _ in range(5)]
    with django_assert_num_queries(0):
        later = Client().post(f"{ROOT}/{uuid4()}/receive", {}, content_type="application/json")

    assert [guess.status_code for guess in guesses] == [404] * 3 + [429] * 2
    assert refusal(later) == (429, "rate_limited", "address-unknown-webhooks")
    assert sender.send({}, delivery="second").status_code == 202
    elsewhere = Client(REMOTE_ADDR="192.0.2.9").post(f"{ROOT}/{uuid4()}/receive", {}, content_type="application/json")
    assert elsewhere.status_code == 404


def test_two_processes_store_no_more_refusals_than_one():
    first, second = quota.Quota(per_minute=6), quota.Quota(per_minute=6)
    home, endpoint = uuid4(), uuid4()

    taken = [one.take(home, endpoint) for one in (first, second) for _ in range(5)]

    assert [number for number in taken if number is not None] == [0, 0, 0]
    assert first._omitted[endpoint] + second._omitted[endpoint] == 7


def test_the_same_endpoint_id_in_two_workspaces_has_two_quotas():
    stored, endpoint = quota.Quota(per_minute=2), uuid4()

    assert [stored.take(home, endpoint) for home in (uuid4(), uuid4())] == [0, 0]


class TestQuotas:
    @pytest.fixture(autouse=True)
    def _nothing_remembered(self) -> None:
        quotas.remembered.forget_all()

    def limited(self, **own: Any) -> Sender:
        made = make.workflow()
        for name, value in own.items():
            setattr(made.workspace, name, value)
        made.workspace.save()
        return Sender(make.endpoint(made))

    def test_a_delivery_beyond_the_day_s_runs_is_refused_and_recorded(self):
        sender = self.limited(max_runs_per_day=1)
        first = sender.send({}, delivery="first")

        refused = sender.send({}, delivery="second")

        body = refused.json()
        assert (refused.status_code, body["code"]) == (429, "quota_exceeded")
        assert body["quota"] == {"name": "runs_per_day", "used": 1, "limit": 1}
        assert 1 <= int(refused.headers["Retry-After"]) <= 24 * 3600
        event = WebhookEvent.objects.get(delivery_id="second")
        assert (event.verdict, event.reason, event.detail) == (EventVerdict.REJECTED, "quota_exceeded", body["detail"])
        assert Run.objects.get().uid.hex == first.json()["run"].replace("-", "")

    def test_a_repeat_of_what_was_taken_gets_its_first_answer_although_the_quota_is_used_up(self):
        sender = self.limited(max_runs_per_day=1)
        first = sender.send({}, delivery="first")

        again = sender.send({}, delivery="first")

        assert (again.status_code, again.json()["run"]) == (200, first.json()["run"])

    def test_repeats_use_up_nothing(self):
        sender = self.limited(max_runs_per_day=2)

        statuses = [sender.send({}, delivery=name).status_code for name in ("a", "a", "a", "b", "c")]

        assert statuses == [202, 200, 200, 202, 429]

    def test_what_was_refused_may_be_sent_again_when_there_is_room(self):
        sender = self.limited(max_runs_per_day=1)
        sender.send({}, delivery="first")
        assert sender.send({}, delivery="second").status_code == 429
        home = sender.endpoint.workspace
        home.max_runs_per_day = 2
        home.save()

        assert sender.send({}, delivery="second").status_code == 202
