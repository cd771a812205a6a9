"""Examples of /notices for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_REQUEST: dict[str, Any] = {
    "name": "Failures to operators",
    "events": ["first_failure", "still_failing", "recovered"],
    "channel": "email",
    "recipients": ["role:operator", "ops@example.com"],
    "repeat_minutes": 120,
}
_RULE: dict[str, Any] = {
    "id": "6f1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47",
    **_REQUEST,
    "is_active": True,
    "scope": "all",
    "tag": "",
    "workflow_ids": [],
    "url": "",
    "start_workflow_id": None,
    "slow_seconds": None,
    "max_per_hour": 20,
    "quiet_hours": {"from": "22:00", "until": "06:00", "timezone": "Europe/Berlin"},
    "mutes": [],
    "created_by": "0b0a9f5c-5a39-4d0e-8c43-6f1b1f1f7a11",
    "created_at": "2026-11-23T09:00:00Z",
    "updated_at": "2026-11-23T09:00:00Z",
}
_DELIVERY: dict[str, Any] = {
    "id": "d3b2a0c4-3a53-4b0f-8a63-0f6b3f0f9d11",
    "notice_id": "1f3e5a77-54d0-4a6f-8f53-2b9f3a1e2b47",
    "event": "first_failure",
    "channel": "email",
    "address": "ops@example.com",
    "workflow_id": "9d1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47",
    "is_test": False,
    "state": "pending",
    "attempts": 0,
    "next_at": "2026-11-23T09:00:01Z",
    "last_error": "",
    "content": {"event": "first_failure", "count": 1},
    "created_at": "2026-11-23T09:00:00Z",
    "sent_at": None,
}
_TESTED = {**_DELIVERY, "event": "test", "workflow_id": None, "is_test": True, "content": {"event": "test", "count": 1}}
_SENT = {**_TESTED, "state": "sent", "attempts": 1, "next_at": None, "sent_at": "2026-11-23T09:00:01Z"}

REQUEST = OpenApiExample("failures to operators", value=_REQUEST, request_only=True)
CHANGE = OpenApiExample("repeat seldom", value={"repeat_minutes": 720}, request_only=True)
RULE = OpenApiExample("a rule", value=_RULE, response_only=True)
ROTATED = OpenApiExample(
    "a webhook",
    value={
        **_RULE,
        "channel": "webhook",
        "recipients": [],
        "url": "https://hooks.example.com/x",
        "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    },
    response_only=True,
)
MUTE = OpenApiExample("until Monday", value={"until": "2026-11-30T08:00:00Z"}, request_only=True)
MUTED = OpenApiExample(
    "a muted rule",
    value={**_RULE, "mutes": [{"workflow_id": None, "until": "2026-11-30T08:00:00Z"}]},
    response_only=True,
)
TESTED = OpenApiExample("it arrived", value={"is_sent": True, "deliveries": [_SENT]}, response_only=True)
DELIVERY = OpenApiExample("on its way", value=_DELIVERY, response_only=True)
