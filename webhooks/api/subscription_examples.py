"""Examples of /subscriptions for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_REQUEST: dict[str, Any] = {
    "description": "Failures to the status page",
    "url": "https://hooks.example.com/brainops",
    "types": ["run.failed", "workflow.*"],
    "tags": ["orders"],
    "headers": {"Authorization": "Bearer 5f2c…"},
}
_ROW: dict[str, Any] = {
    "id": "4d0c6f1e-8a54-4f6e-9f53-0d9f3a1e2b47",
    **_REQUEST,
    "workflow_ids": [],
    "is_active": True,
    "headers": {"Authorization": "•••"},
    "max_parallel": 4,
    "off_reason": None,
    "off_at": None,
    "failures": 0,
    "failing_since": None,
    "held_until": None,
    "previous_secret_valid_until": None,
    "rotated_at": None,
    "created_by": "0b0a9f5c-5a39-4d0e-8c43-6f1b1f1f7a11",
    "created_at": "2026-11-23T09:00:00Z",
    "updated_at": "2026-11-23T09:00:00Z",
}
_SECRET = {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}
_DELIVERY: dict[str, Any] = {
    "id": "d3b2a0c4-3a53-4b0f-8a63-0f6b3f0f9d11",
    "event_id": "1f3e5a77-54d0-4a6f-8f53-2b9f3a1e2b47",
    "type": "brainops.run.failed",
    "workflow_id": "9d1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47",
    "is_test": False,
    "state": "pending",
    "attempts": 0,
    "next_at": "2026-11-23T09:00:01Z",
    "last_error": "",
    "created_at": "2026-11-23T09:00:00Z",
    "sent_at": None,
}
_TRY = {
    "began_at": "2026-11-23T09:00:00Z",
    "duration_ms": 84,
    "status": 200,
    "error": "",
    "answer": '{"ok":true}',
    "next_at": None,
}
_SENT = {**_DELIVERY, "state": "sent", "attempts": 1, "next_at": None, "sent_at": "2026-11-23T09:00:00Z"}
_BODY = {
    "type": "brainops.run.failed",
    "timestamp": "2026-11-23T09:00:00Z",
    "data": {"run_id": "1d1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47", "status": "failed"},
}
_TESTED = {**_SENT, "event_id": "test 8a54", "type": "brainops.subscription.test", "workflow_id": None, "is_test": True}
_TEST_BODY = {**_BODY, "type": "brainops.subscription.test", "data": {"subscription": {"id": _ROW["id"]}}}

REQUEST = OpenApiExample("failures and changes", value=_REQUEST, request_only=True)
CHANGE = OpenApiExample("switch it on again", value={"is_active": True}, request_only=True)
ROW = OpenApiExample("a subscription", value=_ROW, response_only=True)
MADE = OpenApiExample("a new subscription", value={**_ROW, **_SECRET}, response_only=True)
ROTATION = OpenApiExample("both secrets for an hour", value={"grace_seconds": 3600}, request_only=True)
ROTATED = OpenApiExample(
    "a new secret",
    value={
        **_ROW,
        "rotated_at": "2026-11-24T09:00:00Z",
        "previous_secret_valid_until": "2026-11-24T10:00:00Z",
        **_SECRET,
    },
    response_only=True,
)
DELIVERY = OpenApiExample("it arrived", value={**_SENT, "body": _BODY, "tries": [_TRY]}, response_only=True)
AGAIN = OpenApiExample(
    "on its way", value={**_DELIVERY, "body": _BODY, "tries": [_TRY]}, response_only=True, status_codes=["202"]
)
TESTED = OpenApiExample(
    "it arrived",
    value={"is_sent": True, "delivery": {**_TESTED, "body": _TEST_BODY, "tries": [_TRY]}},
    response_only=True,
)
REPLAY = OpenApiExample(
    "what failed since the morning", value={"since": "2026-11-23T06:00:00Z", "per_minute": 60}, request_only=True
)
REPLAYED = OpenApiExample(
    "on their way", value={"count": 41, "seconds": 40.0, "more": 0}, response_only=True, status_codes=["202"]
)
