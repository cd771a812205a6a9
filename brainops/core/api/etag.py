"""Entity tags and If-Match (RFC 9110, 8.8.3 and 13.1.1): no edit is lost without somebody saying so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from brainops.core.errors import InvalidInput, Problem, VersionMismatch

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')


def entity_tag(version: str) -> str:
    """The strong tag of a version."""
    return f'"{version}"'


def check_if_match(request: HttpRequest | Request, version: str, *, details: Mapping[str, Any] | None = None) -> None:
    """Raise VersionMismatch (412) when If-Match was sent and does not name `version`.

    The header is optional: without it the last write wins. `details` go into the answer, such as both versions.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None or header.strip() == "*":
        return
    wanted = _tags(header)
    if version not in wanted:
        raise VersionMismatch(
            f"If-Match names {', '.join(wanted) or 'no strong tag'}, but the present version is {version}. "
            "Read it again, then repeat your change on it.",
            details=details,
            headers={"ETag": entity_tag(version)},
        )


def _tags(header: str) -> list[str]:
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
