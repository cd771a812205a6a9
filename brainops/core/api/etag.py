"""Entity tags and their two headers (RFC 9110, 8.8.3, 13.1.1, 13.1.2).

`If-Match`: no edit is lost without somebody saying so. `If-None-Match`: what a caller has is not sent again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from brainops.core.errors import InvalidInput, PreconditionRequired, Problem, VersionMismatch

# What the answer to a late change tells beside the refusal: made only then, from the versions that If-Match named.
Details = Callable[[Sequence[str]], Mapping[str, Any]]

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')


def entity_tag(version: str) -> str:
    """The strong tag of a version."""
    return f'"{version}"'


def content_tag(content: bytes) -> str:
    """The strong tag of bytes: the same bytes, the same tag."""
    return entity_tag(hashlib.sha256(content).hexdigest()[:24])


def check_if_match(
    request: HttpRequest | Request,
    version: str,
    *,
    details: Mapping[str, Any] | Details | None = None,
    part: Callable[[str], str] = str,
) -> None:
    """Raise VersionMismatch (412) when If-Match was sent and does not name `version`.

    The header is optional: without it the last write wins. A workspace may want it with every change: then its absence
    raises PreconditionRequired (428). `details` go into the refusal, such as both versions and what happened between.
    `part` is what of a tag says the version, where it says more.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None and getattr(getattr(request, "auth", None), "requires_if_match", False):
        raise PreconditionRequired(headers={"ETag": entity_tag(version)})
    if header is None or header.strip() == "*":
        return
    wanted = [part(tag) for tag in _strong_tags(header)]
    if version not in wanted:
        raise VersionMismatch(
            f"If-Match names {', '.join(wanted) or 'no strong tag'}, but the present version is {version}. "
            "Read it again, then repeat your change on it.",
            details=details(wanted) if callable(details) else details,
            headers={"ETag": entity_tag(version)},
        )


def is_known(request: HttpRequest | Request, tag: str) -> bool:
    """True when If-None-Match names this tag: the caller has what it stands for. Weak tags match here, too."""
    header = request.META.get("HTTP_IF_NONE_MATCH", "").strip()
    if header == "*":
        return True
    known = (_TAG.fullmatch(part) for part in header.split(","))
    return any(match is not None and f'"{match[2]}"' == tag.removeprefix("W/") for match in known)


def not_modified(tag: str, **headers: str) -> HttpResponse:
    """304: what the caller has is what it would get."""
    return HttpResponse(status=304, headers={"ETag": tag, **headers})


def _strong_tags(header: str) -> list[str]:
    """The strong tags of the header; a weak one never matches here (RFC 9110, 13.1.1)."""
    tags = []
    for part in header.split(","):
        match = _TAG.fullmatch(part)
        if match is None:
            message = f'If-Match must be * or a list of tags in double quotes, such as "1.4.2"; got {header[:60]!r}.'
            raise InvalidInput(message, problems=[Problem("invalid_header", message, parameter="If-Match")])
        if not match[1]:
            tags.append(match[2])
    return tags
