"""`http.items`: look at a list behind a URL for what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.connectors.http.pages import MISSING, at_pointer, has_same_origin, key_of, next_page, rank
from integrations.connectors.http.request import header_text
from integrations.connectors.http.schema import CONFIG, MAX_BYTES
from integrations.contract import ErrorClass, Example, Failure, Found, PollCall, PollingTrigger, PollSteps, Shown
from integrations.messages import NOTHING, Json, Request, Response
from integrations.refusals import refusal

MOST_PAGES, DEFAULT_PAGES = 50, 10  # of one look
POINTER = {"type": "string", "pattern": "^(/([^~]|~[01])*)?$", "maxLength": 500}


class Unfit(Exception):
    """The answer is not the list that the config describes; the text says why."""


def poll(call: PollCall) -> PollSteps:
    """Ask for the pages, one after the other, and return the items of all of them.

    The cursor: the validators of the first page, the greatest value of the cursor's field, and in the middle of a long
    list its next page, with the greatest value so far.
    """
    config, before = call.config, dict(call.cursor or {})
    url, shown = before.get("next") or config["url"], list[Shown]()
    greatest, validators = before.get("so_far", before.get("since")), dict(before.get("validators", {}))
    for page in range(config["max_pages"]):
        is_first = page == 0 and "next" not in before
        request = _request(config, url, before if is_first else {}, is_first=is_first)
        response = yield request
        if response.status == 304 and is_first:  # nothing has changed
            return Found((), call.cursor)
        if not 200 <= response.status < 300:
            return refusal(response, request)
        try:
            body = response.json()
            items = _items(body, config)
            shown += [_shown(item, config) for item in items]
            greatest = _greatest(items, config, greatest)
            following = _following(response, body, config, url)
        except (Unfit, ValueError) as error:
            message = f"{request.method} {response.url} answered {response.status}, but {error}"
            return Failure("unfit_answer", message, ErrorClass.USER, details={"status": response.status})
        validators = _validators(response) if is_first else validators
        if following is None:
            return Found(_ordered(shown, config), _cursor(greatest, validators))
        url = following
    more = {"next": url, "so_far": greatest, "since": before.get("since"), "validators": validators}
    return Found(_ordered(shown, config), more, has_more=True)


def _request(config: Mapping[str, Json], url: str, before: Mapping[str, Json], *, is_first: bool) -> Request:
    headers = {name: header_text(value) for name, value in config.get("headers", {}).items()}
    for name, value in before.get("validators", {}).items():
        headers.setdefault(name, value)
    params = dict(config.get("params", {})) if is_first else {}  # the next page's address has them
    if "cursor" in config and before.get("since") is not None:
        params[config["cursor"]["param"]] = before["since"]
    return Request(
        method=config["method"],
        url=url,
        params=params,
        headers=headers,
        json=config.get("json", NOTHING),
        timeout_seconds=config.get("timeout"),
        max_bytes=config.get("max_bytes"),
    )


def _items(body: Json, config: Mapping[str, Json]) -> Sequence[Json]:
    found = at_pointer(body, config["items"])
    where = repr(config["items"]) if config["items"] else "the whole answer"
    if found is MISSING:
        raise Unfit(f"it has nothing at {where} (items).")
    if not isinstance(found, list):
        raise Unfit(f"{where} is no list (items).")
    return found


def _shown(item: Json, config: Mapping[str, Json]) -> Shown:
    key = key_of(item, config.get("key"))
    if key is None:
        raise Unfit(f"an item has nothing at {config['key']!r} (key).")
    return Shown(key, item)


def _greatest(items: Sequence[Json], config: Mapping[str, Json], so_far: Json) -> Json:
    if "cursor" not in config:
        return None
    values = (at_pointer(item, config["cursor"]["field"]) for item in items)
    found = [value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
    return max([*found, *([] if so_far is None else [so_far])], key=rank, default=None)


def _following(response: Response, body: Json, config: Mapping[str, Json], url: str) -> str | None:
    target = next_page(response, body, config, url)
    if target is not None and not has_same_origin(target, config["url"]):
        raise Unfit(f"its next page is at another service than {response.url}; it is not asked.")
    return None if target == url else target


def _validators(response: Response) -> dict[str, str]:
    """What makes the next look a conditional one (RFC 9110, section 13)."""
    known = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {asks: response.headers[has] for has, asks in known.items() if response.headers.get(has)}


def _cursor(since: Json, validators: Mapping[str, str]) -> dict[str, Any]:
    return {"since": since, "validators": dict(validators)}


def _ordered(shown: Sequence[Shown], config: Mapping[str, Json]) -> list[Shown]:
    """Oldest first: by the cursor's field where there is one, else as the source lists them."""
    if "cursor" in config:
        field = config["cursor"]["field"]
        return sorted(shown, key=lambda one: rank(at_pointer(one.data, field)))
    return list(reversed(shown)) if config["newest_first"] else list(shown)


_SAME = ("url", "params", "headers", "json", "timeout")
POLL = PollingTrigger(
    key="items",
    title="A list behind a URL",
    description="Asks a URL for a list, and starts runs for what is new in it.",
    config_schema={
        "type": "object",
        "required": ["url"],
        "additionalProperties": False,
        "properties": {
            "method": {"title": "Method", "enum": ["GET", "POST"], "default": "GET"},
            **{name: CONFIG["properties"][name] for name in _SAME},  # type: ignore[index]  # a schema is plain JSON
            "items": {
                **POINTER,
                "title": "Where the list is",
                "description": "JSON pointer into the answer. Left out, the answer is the list.",
                "default": "",
                "examples": ["/data/orders"],
            },
            "key": {
                **POINTER,
                "title": "What names an item",
                "description": "JSON pointer into an item. Left out, it is known by its whole content.",
                "minLength": 1,
                "examples": ["/id"],
            },
            "cursor": {
                "type": "object",
                "title": "Ask only for newer ones",
                "description": "The greatest value of a field of the items is sent as a query parameter. It is asked "
                "for again, so that of several of the same value none is lost.",
                "required": ["field", "param"],
                "additionalProperties": False,
                "properties": {
                    "field": {**POINTER, "minLength": 1, "title": "Field", "examples": ["/updated_at"]},
                    "param": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["updated_since"]},
                },
            },
            "next": {
                **POINTER,
                "title": "Where the next page is",
                "description": "JSON pointer to its address. Left out, the header Link says it (rel=next).",
                "minLength": 1,
                "examples": ["/links/next"],
            },
            "max_pages": {
                "type": "integer",
                "title": "Pages at one look",
                "description": "A longer list goes on with the next look, at once.",
                "minimum": 1,
                "maximum": MOST_PAGES,
                "default": DEFAULT_PAGES,
            },
            "newest_first": {
                "type": "boolean",
                "title": "The newest comes first",
                "description": "How the list is ordered. Runs start with the oldest.",
                "default": False,
            },
            "max_bytes": {
                "type": "integer",
                "title": "Largest page in bytes",
                "minimum": 1,
                "maximum": MAX_BYTES,
                "default": MAX_BYTES,
            },
        },
    },
    poll=poll,
    urls=lambda config: [config["url"]],
    origin=lambda config: {
        name: config.get(name) for name in ("method", "url", "params", "json", "items", "key", "cursor")
    },
    examples=(
        Example(
            title="New orders of a shop",
            config={"url": "https://shop.example/api/orders", "items": "/orders", "key": "/id"},
        ),
    ),
)
