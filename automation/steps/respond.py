"""respond: the answer to whoever waits for the run, such as the sender of a webhook."""

from __future__ import annotations

from collections.abc import Mapping

from automation.engine.kinds import Call, Done, Effect, ErrorClass, Example, Fail, Json, Kind, Outcome, StepError
from automation.engine.wording import shown

JSON_TYPE = "application/json"
# No type that a browser would run as a page of ours (security rule R15).
CONTENT_TYPES = (
    JSON_TYPE,
    "application/problem+json",
    "text/plain; charset=utf-8",
    "text/csv; charset=utf-8",
    "application/xml",
    "text/xml; charset=utf-8",
)
# The server's own business: framing and hop-by-hop (RFC 9110 7.6.1, RFC 9112 6), cookies, and what guards our origin.
REFUSED_HEADERS = (
    "connection|keep-alive|proxy-[a-z-]*|te|trailer|transfer-encoding|upgrade|content-length|content-type|"
    "content-encoding|content-security-policy[a-z-]*|content-disposition|set-cookie2?|host|date|server|location|refresh|"
    "strict-transport-security|x-content-type-options|x-frame-options|clear-site-data|www-authenticate|"
    "access-control-[a-z-]*|cross-origin-[a-z-]*|public-key-pins|service-worker-allowed|sourcemap|alt-svc|x-accel-[a-z-]*|x-sendfile"
)
# Whatever the content is, a browser that opens it shows text in an empty sandbox and guesses nothing.
GUARD: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def run(call: Call) -> Outcome:
    """Hand the answer to the run; the first one counts, later ones are kept as output only."""
    config = call.config
    content_type = config.get("content_type", JSON_TYPE)
    body = config.get("body")
    if not content_type.endswith("json") and not isinstance(body, str):
        said = f'"body" must be a text for {content_type}, got {shown(body)}. Write it as text or use {JSON_TYPE}.'
        return Fail(StepError("invalid_body", said, ErrorClass.USER))
    given = {name: _header(value) for name, value in config.get("headers", {}).items()}
    headers = {**given, **GUARD, "Content-Type": content_type}
    response = {"status": config.get("status", 200), "headers": headers, "body": body}
    return Done(response, response=response)


def _header(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


EXAMPLE_ANSWER = {
    "status": 201,
    "headers": {"X-Order": "7", **GUARD, "Content-Type": JSON_TYPE},
    "body": {"order": 7},
}

KIND = Kind(
    key="respond",
    title="Respond",
    description="Answer the caller who waits for this run, such as the sender of a webhook.",
    group="Flow",
    icon="reply",
    effect=Effect.PURE,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "status": {
                "title": "Status",
                "description": "The HTTP status. Redirects are not answered from here.",
                "type": "integer",
                "minimum": 200,
                "maximum": 599,
                "not": {"minimum": 300, "maximum": 399},
                "x-hint": "an HTTP status from 200 to 299 or 400 to 599",
                "default": 200,
                "examples": [200, 202, 404],
            },
            "headers": {
                "title": "Headers",
                "description": "More headers. Those that belong to the server, and cookies, are refused.",
                "type": "object",
                "maxProperties": 30,
                "propertyNames": {
                    "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$",
                    "not": {"pattern": f"^(?i:{REFUSED_HEADERS})$"},
                    "x-hint": "a header name, and none for cookies, framing, redirects or security",
                },
                "additionalProperties": {
                    "type": ["string", "number", "boolean"],
                    "pattern": r"^[\t -~\x80-\xff]{0,4000}$",
                    "x-hint": "one line of text",
                },
                "examples": [{"X-Order": "{{ inputs.order_id }}"}],
            },
            "content_type": {
                "title": "Content type",
                "description": "What the body is. For all but JSON the body must be a text.",
                "enum": list(CONTENT_TYPES),
                "default": JSON_TYPE,
            },
            "body": {
                "title": "Body",
                "description": "Any value for JSON, else a text.",
                "examples": [{"ok": True, "order": "{{ inputs.order_id }}"}],
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["status", "headers", "body"],
        "properties": {
            "status": {"title": "Status", "type": "integer"},
            "headers": {"title": "All headers sent", "type": "object"},
            "body": {"title": "Body"},
        },
    },
    run=run,
    examples=(
        Example(
            title="Thank the sender",
            config={"status": 201, "headers": {"X-Order": "{{ inputs.id }}"}, "body": {"order": "{{ inputs.id }}"}},
            scope={"inputs": {"id": 7}},
            expect=Done(EXAMPLE_ANSWER, response=EXAMPLE_ANSWER),
        ),
    ),
)
