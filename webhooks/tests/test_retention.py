"""Old events go in portions; young ones stay, whatever their endpoint."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.store.connection import Connection
from webhooks.models import WebhookEvent
from webhooks.services import retention
from webhooks.store import forget
from webhooks.tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store():
    store = Connection()
    yield store
    store.close()


def add(endpoint, count, *, days):
    at = timezone.now() - timedelta(days=days)
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            workspace_id=endpoint.workspace_id,
            endpoint=endpoint,
            verdict=3,
            status=200,
            body=b"{}",
            size_bytes=2,
            received_at=at,
            reason=f"{days} days",
        )
        for _ in range(count)
    )


def test_old_events_of_every_endpoint_go_in_portions(store, monkeypatch):
    monkeypatch.setattr(forget, "PORTION", 4)
    monkeypatch.setattr(retention, "PORTION", 4)
    first, second = make.endpoint(), make.endpoint()
    add(first, 9, days=31)
    add(second, 2, days=40)
    add(first, 3, days=29)

    gone = retention.forget_old(store, lambda: False)

    assert gone == 11
    assert set(WebhookEvent.objects.values_list("reason", flat=True)) == {"29 days"}


def test_zero_days_keep_them_for_ever_and_time_that_is_up_stops_at_once(store, settings):
    add(make.endpoint(), 2, days=4000)

    assert retention.forget_old(store, lambda: True) == 0
    settings.BRAINOPS_RETENTION_WEBHOOK_DAYS = 0
    assert retention.forget_old(store, lambda: False) == 0
