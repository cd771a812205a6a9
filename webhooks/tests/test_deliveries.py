"""GitHub's and Standard Webhooks' ready deliveries, sent through the real view."""

from datetime import UTC, datetime

import pytest

from brainops.core import clock
from webhooks.models import WebhookEvent
from webhooks.tests import cases, make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db


def sent(row, scheme, monkeypatch):
    moment = datetime.fromtimestamp(row["now"], UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    secret = row["config"].get("secret") or row["config"]["public_key"]
    sender = Sender(make.endpoint(scheme=scheme, secret=secret))
    headers = {name: value for name, value in row["headers"].items() if name != "Content-Type"}
    return sender, sender.post(cases.body_of(row), headers, content_type=row["headers"]["Content-Type"])


@pytest.mark.parametrize(
    "row", cases.rows("webhooks/deliveries.json", provider=("github",)), ids=lambda row: row and row["id"]
)
def test_a_delivery_of_github_gets_its_verdict(row, monkeypatch):
    _, response = sent(row, "github", monkeypatch)

    assert response.status_code == (202 if row["expect"] == "accept" else 401)
    assert WebhookEvent.objects.get().status == response.status_code


@pytest.mark.parametrize(
    "row", cases.rows("webhooks/deliveries.json", provider=("standard-webhooks",)), ids=lambda row: row and row["id"]
)
def test_a_delivery_of_standard_webhooks_gets_its_verdict(row, monkeypatch):
    scheme = "standard_ed25519" if "public_key" in row["config"] else "standard"

    sender, response = sent(row, scheme, monkeypatch)
    again = sender.post(
        cases.body_of(row), row["headers"] | {"Content-Type": ""}, content_type=row["headers"]["Content-Type"]
    )

    expected = (202, 200) if row["expect"] == "accept" else (401, 401)
    assert (response.status_code, again.status_code) == expected
