"""Every ready delivery, sent through the real view with the clock set: accepted and run, or stored with the reason."""

from datetime import UTC, datetime

import pytest

from automation.models import Run
from brainops.core import clock
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import cases, make
from webhooks.tests.make import Sender
from webhooks.tests.signatures.deliveries import options_of, scheme_of, secrets_of

pytestmark = pytest.mark.django_db


def sender_for(row):
    secret, previous = (*secrets_of(row), None, None)[:2]
    fields = {"previous_secret": previous, "previous_valid_until": datetime(2099, 1, 1, tzinfo=UTC)} if previous else {}
    tolerance = row["config"].get("tolerance", 60 if row["provider"] == "linear" else 300)
    return Sender(
        make.endpoint(
            scheme=scheme_of(row), secret=secret, options=options_of(row), tolerance_seconds=tolerance, **fields
        )
    )


def post(sender, row):
    headers = {name: value for name, value in row["headers"].items() if name not in ("Content-Type", "Host")}
    return sender.post(cases.body_of(row), headers, content_type=row["headers"]["Content-Type"])


@pytest.mark.parametrize("row", cases.rows("webhooks/deliveries.json"), ids=lambda row: row and row["id"])
def test_a_ready_delivery_gets_its_verdict(row, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(row["now"], UTC))
    sender = sender_for(row)

    response = post(sender, row)

    event, runs = WebhookEvent.objects.get(), Run.objects.count()
    answered = row.get("answer", {})
    if row["expect"] == "reject":
        assert (response.status_code, event.verdict, event.status, runs) == (401, EventVerdict.REJECTED, 401, 0)
        assert (event.reason, event.detail) == (response.json()["code"], response.json()["detail"])
    elif "json" in answered:
        assert (response.status_code, response.json(), runs) == (200, answered["json"], 0)
        assert (event.verdict, event.reason) == (EventVerdict.ACKNOWLEDGED, "handshake")
    else:
        assert (response.status_code, event.verdict, runs) == (202, EventVerdict.ACCEPTED, 1)
        assert response.json() == {"run": str(Run.objects.get().uid), "event": str(event.id)}


@pytest.mark.parametrize(
    "row", cases.rows("webhooks/deliveries.json", expect=("accept",)), ids=lambda row: row and row["id"]
)
def test_the_same_delivery_again_starts_no_second_run(row, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(row["now"], UTC))
    sender = sender_for(row)

    post(sender, row)
    post(sender, row)

    assert Run.objects.count() == (0 if "json" in row.get("answer", {}) else 1)
