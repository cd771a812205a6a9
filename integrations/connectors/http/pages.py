"""Reading the pages of a list: where its items are, where the next page is, what is newer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import orjson

from integrations.messages import Json, Response

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
MISSING = object()


def at_pointer(value: Json, pointer: str) -> Json:
    """What a JSON pointer (RFC 6901) leads to; MISSING when it leads nowhere. The empty one is the whole."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value


def key_of(item: Json, pointer: str | None) -> str | None:
    """What names an item: the text at the pointer, None when there is none; without a pointer its content."""
    if pointer is None:
        return hashlib.sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).hexdigest()
    found = at_pointer(item, pointer)
    if found is MISSING or found is None:
        return None
    return found if isinstance(found, str) else orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def next_page(response: Response, body: Json, config: Mapping[str, Json], url: str) -> str | None:
    """The address of the next page: from the header `Link` (RFC 8288), or where the config says it stands."""
    if "next" in config:
        found = at_pointer(body, config["next"])
        target = found if isinstance(found, str) else ""
    else:
        target = _linked(response.headers.get("link", ""), "next")
    return urljoin(url, target) if target else None


def _linked(header: str, relation: str) -> str:
    """The first target of a `Link` header that has the relation; "" when none has."""
    for link in _LINK.finditer(header):
        found = _RELATION.search(link[2])
        if found and relation in (found[1] or found[2] or "").lower().split():
            return link[1]
    return ""


def has_same_origin(one: str, other: str) -> bool:
    """True when both go to the same service: what is sent to one may be sent to the other."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc.lower()) == (second.scheme, second.netloc.lower())


def rank(value: Json) -> tuple[int, float, str]:
    """How far a cursor's value is: numbers by size, times by the clock, other texts by their letters."""
    text = str(value)
    if not isinstance(value, bool) and _NUMBER.fullmatch(text):
        return (0, float(text), text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return (2, 0.0, text)
    return (1, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), text)
