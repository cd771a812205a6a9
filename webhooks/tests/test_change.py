"""A process remembers an endpoint; a change by another process counts from the next delivery on."""

import pytest

from automation.models import Run
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db


class TestChange:
    """A process remembers an endpoint; a change by another process counts from the next delivery on."""

    def test_a_new_version_is_what_the_next_delivery_runs(self):
        endpoint = make.endpoint()
        sender = Sender(endpoint)
        sender.send({})
        flow = endpoint.trigger.workflow
        newer = make.version_of(flow, make.DEFINITION, ordinal=2)
        type(flow).objects.filter(id=flow.id).update(current_version=newer)

        response = sender.send({})

        assert response.status_code == 202
        assert Run.objects.order_by("-id")[0].version_id == newer.id

    def test_a_new_secret_counts_at_once_both_ways(self):
        endpoint = make.endpoint()
        old = Sender(endpoint, secret=make.SECRET)
        old.send({})
        endpoint.secret, endpoint.revision = "another-secret-of-the-tests-987", 2
        endpoint.save()

        statuses = [sender.send({}).status_code for sender in (old, Sender(endpoint))]

        assert statuses == [401, 202]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda hook: type(hook.trigger).objects.update(is_active=False), "webhook_inactive"),
            (lambda hook: type(hook.trigger.workflow).objects.update(is_active=False), "workflow_inactive"),
            (
                lambda hook: type(hook.trigger.workflow).objects.update(archived_at="2026-01-01T00:00Z"),
                "workflow_inactive",
            ),
        ],
    )
    def test_what_is_switched_off_refuses_and_what_is_switched_on_again_accepts(self, change, code):
        endpoint = make.endpoint()
        sender = Sender(endpoint)
        sender.send({})

        change(endpoint)
        off = sender.send({})
        endpoint.trigger.save()
        endpoint.trigger.workflow.save()
        on = sender.send({})

        assert (off.status_code, off.json()["code"], on.status_code) == (409, code, 202)
        assert WebhookEvent.objects.filter(verdict=EventVerdict.REJECTED).get().reason == code

    def test_a_deleted_endpoint_is_unknown_at_once(self):
        endpoint = make.endpoint()
        sender = Sender(endpoint)
        sender.send({})
        endpoint.trigger.delete()

        assert sender.send({}).status_code == 404

    def test_a_stranger_is_not_told_that_the_webhook_is_off(self):
        endpoint = make.endpoint()
        type(endpoint.trigger).objects.update(is_active=False)

        response = Sender(endpoint).post(b"{}", {})

        assert (response.status_code, response.json()["code"]) == (401, "signature_missing")
