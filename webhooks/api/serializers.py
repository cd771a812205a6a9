"""What the API shows of endpoints and events, and what it takes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer
from webhooks.models import WebhookEndpoint, WebhookEvent
from webhooks.services import events
from webhooks.services.endpoints import GRACE_SECONDS, LONGEST_GRACE_SECONDS, public_facts


class EndpointSerializer(ClosedModelSerializer):
    """An endpoint; its secret is never shown again."""

    url = serializers.CharField(help_text="Enter this address at the sender.")
    test_url = serializers.CharField(help_text="For trying; listens only while it is opened (`POST …/listen`).")
    trigger_id = serializers.UUIDField()
    workflow_id = serializers.UUIDField(source="trigger.workflow_id")
    name = serializers.CharField(source="trigger.name")
    is_active = serializers.BooleanField(source="trigger.is_active")
    is_signed = serializers.SerializerMethodField()
    needs_secret = serializers.SerializerMethodField(
        help_text="The sender's secret has not been entered yet: every delivery is refused."
    )
    previous_secret_valid_until = serializers.SerializerMethodField(
        help_text="Until when the secret before the last rotation is taken as well."
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            *("id", "url", "test_url", "trigger_id", "workflow_id", "name", "is_active"),
            *("scheme", "is_signed", "answer"),
            *("options", "needs_secret", "listens_until", "is_buffering"),
            *("wait_seconds", "tolerance_seconds", "max_body_bytes", "event_types"),
            *("previous_secret_valid_until", "rotated_at", "created_at", "updated_at"),
        ]
        read_only_fields = fields

    def get_is_signed(self, endpoint: WebhookEndpoint) -> bool:
        return bool(public_facts(endpoint)["is_signed"])

    def get_needs_secret(self, endpoint: WebhookEndpoint) -> bool:
        return bool(public_facts(endpoint)["needs_secret"])

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_previous_secret_valid_until(self, endpoint: WebhookEndpoint) -> str | None:
        until: str | None = public_facts(endpoint)["previous_secret_valid_until"]
        return until


class RotationRequest(ClosedSerializer):
    """How to rotate."""

    secret = serializers.CharField(
        required=False, write_only=True, trim_whitespace=False, max_length=2000, help_text="Left out: a random one."
    )
    grace_seconds = serializers.IntegerField(
        default=GRACE_SECONDS,
        min_value=0,
        max_value=LONGEST_GRACE_SECONDS,
        help_text="How long the previous secret is still taken. 0 ends it at once.",
    )


class RotatedEndpoint(EndpointSerializer):
    """An endpoint whose secret is shown this once."""

    secret = serializers.CharField(allow_null=True, help_text="The new secret; null when you sent it yourself.")

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]


class SampleRequest(ClosedSerializer):
    """What to send as a sample."""

    event = serializers.CharField(required=False, max_length=100, help_text="The event type, such as `push`.")
    body = serializers.JSONField(required=False, help_text="The JSON body. Left out: a small standard one.")


class SampleReport(ClosedSerializer):
    """What a sender would have got."""

    status = serializers.IntegerField(help_text="The HTTP status that a sender would see.")
    outcome = serializers.ChoiceField(["accepted", "acknowledged", "refused", "repeated", "buffered"])
    run = serializers.UUIDField(allow_null=True)
    event = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(help_text="A stable code when no run was started.")
    detail = serializers.CharField()


class EventSerializer(ClosedModelSerializer):
    """One request to an endpoint, without its body."""

    verdict = serializers.ChoiceField(["accepted", "rejected", "acknowledged", "buffered"], source="verdict_word")
    run = serializers.UUIDField(source="run_uid", allow_null=True)

    class Meta:
        model = WebhookEvent
        fields = [
            *("id", "verdict", "status", "reason", "detail", "delivery_id", "event_type", "run", "is_test"),
            *("is_verified", "method", "path"),
            *("content_type", "size_bytes", "remote_addr", "duplicates", "last_duplicate_at", "omitted", "received_at"),
        ]
        read_only_fields = fields


class BodyPreview(ClosedSerializer):
    """The body for people: as text, or in base64 when it is none."""

    text = serializers.CharField(allow_null=True)
    base64 = serializers.CharField(allow_null=True)
    size_bytes = serializers.IntegerField()
    is_truncated = serializers.BooleanField()


class EventDetailSerializer(EventSerializer):
    """One request to an endpoint with its headers, query and the head of its body."""

    body = serializers.SerializerMethodField()

    class Meta(EventSerializer.Meta):
        fields = [*EventSerializer.Meta.fields, "headers", "query", "body"]
        read_only_fields = fields

    @extend_schema_field(BodyPreview)
    def get_body(self, event: WebhookEvent) -> dict[str, Any]:
        return events.preview(event)
