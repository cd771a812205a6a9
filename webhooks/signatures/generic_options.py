"""The options of the scheme `generic_hmac`, as a JSON Schema."""

from __future__ import annotations

from typing import Any

DEFAULT_HEADER = "X-Signature"
_HEADER: dict[str, Any] = {"type": "string", "pattern": "^[A-Za-z0-9-]+$", "minLength": 1, "maxLength": 100}

OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "header": {**_HEADER, "title": "Header of the signature", "default": DEFAULT_HEADER},
        "prefix": {
            "type": "string",
            "title": "Text before the signature",
            "description": 'Such as "sha256=".',
            "pattern": "^[\\x21-\\x7e]*$",
            "maxLength": 50,
        },
        "algorithm": {"enum": ["sha256", "sha512", "sha384", "sha1"], "title": "Algorithm", "default": "sha256"},
        "encoding": {"enum": ["hex", "base64"], "title": "Encoding", "default": "hex"},
        "secret_encoding": {
            "enum": ["text", "hex", "base64"],
            "title": "Form of the secret",
            "description": "text: its characters are the key. hex, base64: the key is what they stand for.",
            "default": "text",
        },
        "timestamp_header": {
            **_HEADER,
            "title": "Header of the timestamp",
            "description": "Left out: no time is signed, and replays are found by the delivery's name only.",
        },
        "timestamp_unit": {
            "enum": ["seconds", "milliseconds", "iso"],
            "title": "Unit of the timestamp",
            "default": "seconds",
        },
        "id_header": {
            **_HEADER,
            "title": "Header of the delivery's id",
            "description": "The same on each repeat. Left out: the same bytes again are the same delivery.",
        },
        "template": {
            "type": "string",
            "title": "What is signed",
            "description": "Text with {body}, {timestamp}, {id}, {method} and {url}. Left out: {body}, or "
            "{timestamp}.{body} with a timestamp header.",
            "minLength": 1,
            "maxLength": 200,
        },
        "url": {
            "type": "string",
            "title": "Address at the sender",
            "description": "For {url}, when a proxy in front of this server changes it.",
            "pattern": "^https?://[^ #]+$",
            "maxLength": 2000,
        },
    },
}
