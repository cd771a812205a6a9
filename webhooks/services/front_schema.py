"""The form of what a webhook's config says of requests and answers; the rest of it is checked in code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.steps.respond import CONTENT_TYPES
from webhooks.services.answering import REDIRECT_STATUSES
from webhooks.services.fronts import BUFFER, METHODS, POST, REFUSE

DEFAULTS: Mapping[str, Any] = {
    "methods": [POST],
    "path": "",
    "cors_origins": [],
    "allow_ips": [],
    "deny_ips": [],
    "when_paused": REFUSE,
    "order_by": "",
}


def _list(title: str, description: str, example: str, *, most: int) -> dict[str, Any]:
    return {
        "type": "array",
        "title": title,
        "description": description,
        "items": {"type": "string", "minLength": 1, "maxLength": 300},
        "uniqueItems": True,
        "maxItems": most,
        "default": [],
        "examples": [[example]],
    }


PROPERTIES: Mapping[str, Any] = {
    "methods": {
        "type": "array",
        "title": "Methods",
        "description": "The methods of deliveries. Others are answered 405.",
        "items": {"enum": list(METHODS)},
        "uniqueItems": True,
        "minItems": 1,
        "default": [POST],
        "examples": [["GET", "POST"]],
    },
    "path": {
        "type": "string",
        "title": "Path",
        "description": "What has to stand behind the address. Parts in braces become `trigger.path`. Empty: nothing.",
        "maxLength": 500,
        "default": "",
        "examples": ["orders/{id}/items/{item}"],
    },
    "cors_origins": _list(
        "Origins",
        "Pages of these origins may send from a browser (CORS). Empty: none; `*`: any.",
        "https://shop.example",
        most=50,
    ),
    "allow_ips": _list(
        "Allowed networks", "Only these may send. Empty: all. IPv4 and IPv6, as CIDR.", "203.0.113.0/24", most=500
    ),
    "deny_ips": _list("Denied networks", "These may not send, even where allowed.", "2001:db8::/32", most=500),
    "rate_per_minute": {
        "type": "integer",
        "title": "Deliveries a minute",
        "description": "Verified deliveries that are taken; the rest gets 429. Left out: the installation's limit.",
        "minimum": 1,
        "maximum": 60_000,
        "examples": [600],
    },
    "when_paused": {
        "enum": [REFUSE, BUFFER],
        "title": "While switched off",
        "description": "refuse: 409. buffer: deliveries are verified, stored, answered 202, and start their runs in "
        "the order of arrival when the trigger and the workflow are switched on again.",
        "default": REFUSE,
    },
    "order_by": {
        "type": "string",
        "title": "Keep the order of",
        "description": "Runs of deliveries with the same value go one after another. Empty: side by side.",
        "maxLength": 2000,
        "default": "",
        "examples": ["{{ trigger.body.order_id }}"],
    },
    "reply": {
        "type": "object",
        "title": "Answer at once",
        "description": "With the answer `accepted`: what a delivery that starts a run is answered, instead of 202 with "
        "the run's address.",
        "additionalProperties": False,
        "properties": {
            "status": {"type": "integer", "title": "Status", "minimum": 200, "maximum": 299, "default": 200},
            "content_type": {"enum": list(CONTENT_TYPES), "title": "Content type"},
            "headers": {
                "type": "object",
                "title": "Headers",
                "maxProperties": 20,
                "additionalProperties": {"type": "string", "maxLength": 1000},
            },
            "body": {"title": "Body", "description": "JSON, or a text.", "examples": ["ok"]},
        },
    },
    "redirect": {
        "type": "object",
        "title": "Redirect",
        "description": "With the answer `redirect`: where the caller is sent at once, whatever it sends.",
        "additionalProperties": False,
        "required": ["url"],
        "properties": {
            "url": {
                "type": "string",
                "title": "Address",
                "maxLength": 2000,
                "examples": ["https://shop.example/thanks"],
            },
            "status": {"enum": list(REDIRECT_STATUSES), "title": "Status", "default": 303},
        },
    },
}
