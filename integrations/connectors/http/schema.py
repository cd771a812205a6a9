"""What an `http.request` step may say in its `with`, and what it gives back."""

from __future__ import annotations

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
MAX_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 3
MAX_TIMEOUT_SECONDS = 300.0

_SCALAR = {"type": ["string", "number", "boolean", "null"]}

CONFIG = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "method": {
            "title": "Method",
            "description": "GET, HEAD and OPTIONS only read; the others count as effects.",
            "enum": list(METHODS),
            "default": "GET",
        },
        "url": {
            "title": "URL",
            "description": "The whole address, with http or https.",
            "x-secrets": True,
            "type": "string",
            "minLength": 1,
            "maxLength": 8192,
            "examples": ["https://api.example.com/orders/{{ inputs.order_id }}"],
        },
        "params": {
            "title": "Query parameters",
            "description": "Added to the URL. A list repeats its key; null leaves the key out.",
            "x-secrets": True,
            "type": "object",
            "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
        },
        "headers": {
            "title": "Headers",
            "description": "Sent as they are, beside those that the request needs anyway.",
            "x-secrets": True,
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "maxProperties": 100,
        },
        "json": {
            "title": "JSON body",
            "description": "Any JSON value; sets Content-Type to application/json.",
            "x-secrets": True,
        },
        "form": {
            "title": "Form body",
            "description": "Sent as application/x-www-form-urlencoded. A list repeats its key.",
            "x-secrets": True,
            "type": "object",
            "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
        },
        "body": {
            "title": "Text body",
            "description": "Sent as UTF-8 text as it is.",
            "x-secrets": True,
            "type": "string",
        },
        "timeout": {
            "title": "Timeout in seconds",
            "description": "For the whole request, redirects included. The step's own timeout bounds it too.",
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": MAX_TIMEOUT_SECONDS,
            "default": 30,
        },
        "expect": {
            "title": "Expected status",
            "description": 'Statuses that count as success: 200, "2xx", "200-204", or a list of these.',
            "anyOf": [
                {"$ref": "#/$defs/status"},
                {"type": "array", "items": {"$ref": "#/$defs/status"}, "minItems": 1},
            ],
            "default": "2xx",
            "examples": [[200, 404], "2xx"],
        },
        "response": {
            "title": "Read the body as",
            "description": "auto goes by the answer's Content-Type; binary content is given as base64.",
            "enum": ["auto", "json", "text", "base64"],
            "default": "auto",
        },
        "max_bytes": {
            "title": "Largest body in bytes",
            "description": "Counted after decompression. A larger answer fails the step.",
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_BYTES,
            "default": MAX_BYTES,
        },
        "follow_redirects": {
            "title": "Follow redirects",
            "description": f"At most {MAX_REDIRECTS}, each checked like the first address.",
            "type": "boolean",
            "default": False,
        },
    },
    # One body at most.
    "not": {
        "anyOf": [
            {"required": ["json", "form"]},
            {"required": ["json", "body"]},
            {"required": ["form", "body"]},
        ]
    },
    "$defs": {
        "status": {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^([1-5]xx|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$"},
            ]
        }
    },
}

OUTPUT = {
    "type": "object",
    "required": ["status", "headers", "body"],
    "properties": {
        "status": {"type": "integer", "title": "Status"},
        "headers": {
            "type": "object",
            "title": "Headers",
            "description": "Names in lower case; repeated ones joined with a comma.",
            "additionalProperties": {"type": "string"},
        },
        "body": {"title": "Body", "description": "JSON, text or base64; null when the answer had none."},
    },
}
