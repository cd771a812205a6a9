"""`http.request`: send one HTTP request and give back the answer."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connectors.http.bodies import UnreadableBody, read_body
from integrations.connectors.http.schema import CONFIG, MAX_REDIRECTS, OUTPUT
from integrations.contract import (
    Action,
    ActionCall,
    Effect,
    Example,
    Failure,
    Idempotency,
    Result,
    Steps,
)
from integrations.messages import NOTHING, Json, Request
from integrations.refusals import refusal

_EFFECTS = {
    "GET": Effect.READ,
    "HEAD": Effect.READ,
    "OPTIONS": Effect.READ,
    "POST": Effect.CREATE,
    "PUT": Effect.UPDATE,
    "PATCH": Effect.UPDATE,
    "DELETE": Effect.DELETE,
}


def run(call: ActionCall) -> Steps:
    """Ask for the one request, then judge the answer by `expect` and read its body by `response`."""
    config = call.config
    request = build_request(config)
    response = yield request
    if not is_expected(response.status, config.get("expect", "2xx")):
        return refusal(response, request)
    try:
        body, logs = read_body(response, config.get("response", "auto"))
    except UnreadableBody as error:
        message = f"{request.method} {response.url} answered {response.status}, but {error}"
        return Failure("unreadable_body", message, details={"status": response.status})
    return Result({"status": response.status, "headers": dict(response.headers), "body": body}, logs)


def build_request(config: Mapping[str, Json]) -> Request:
    """Turn the step's `with` into the request it describes."""
    return Request(
        method=_method(config),
        url=config["url"],
        params=config.get("params", {}),
        headers={name: header_text(value) for name, value in config.get("headers", {}).items()},
        json=config.get("json", NOTHING),
        form=config.get("form"),
        content=config["body"].encode() if "body" in config else None,
        timeout_seconds=config.get("timeout"),
        max_bytes=config.get("max_bytes"),
        max_redirects=MAX_REDIRECTS if config.get("follow_redirects") else 0,
    )


def is_expected(status: int, expect: Json) -> bool:
    """True when the status is one of `expect`: 200, "2xx", "200-204" or a list of these."""
    if isinstance(expect, list):
        return any(is_expected(status, one) for one in expect)
    if isinstance(expect, int):
        return status == expect
    if expect.endswith("xx"):
        return status // 100 == int(expect[0])
    low, _, high = expect.partition("-")
    return int(low) <= status <= int(high or low)


def header_text(value: Json) -> str:
    """Write a header value as people do: true, 7, text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()  # a pasted key often ends with a line break


def effect_of(config: Mapping[str, Json]) -> Effect:
    """Name the effect by the method (RFC 9110 9.2.1)."""
    return _EFFECTS[_method(config)]


def idempotency_of(config: Mapping[str, Json]) -> Idempotency:
    """Reads, PUT and DELETE repeat harmlessly by themselves (RFC 9110 9.2.2); others carry an idempotency key."""
    return Idempotency.KEY if _method(config) in ("POST", "PATCH") else Idempotency.NATURAL


def simulate(config: Mapping[str, Json]) -> Result:
    """Answer a dry run: the shape of an answer, with nothing sent."""
    return Result({"status": 200, "headers": {}, "body": None})


def _method(config: Mapping[str, Json]) -> str:
    return str(config.get("method", "GET"))


ACTION = Action(
    key="request",
    title="Send an HTTP request",
    description="Call a URL and use its status, headers and body in later steps.",
    effect=Effect.SEND,
    idempotency=Idempotency.KEY,
    config_schema=CONFIG,
    output_schema=OUTPUT,
    run=run,
    simulate=simulate,
    effect_of=effect_of,
    idempotency_of=idempotency_of,
    examples=(
        Example(
            title="Read an order",
            config={"method": "GET", "url": "https://shop.example/api/orders/1042", "params": {"expand": "items"}},
            fixture="read_an_order",
        ),
        Example(
            title="Create a ticket",
            config={"method": "POST", "url": "https://desk.example/tickets", "json": {"title": "Printer on fire"}},
            fixture="create_a_ticket",
        ),
        Example(
            title="Ask for a token with a form",
            config={
                "method": "POST",
                "url": "https://login.example/token",
                "form": {"grant_type": "client_credentials", "scope": "read"},
                "response": "json",
            },
            fixture="ask_for_a_token",
        ),
    ),
)
