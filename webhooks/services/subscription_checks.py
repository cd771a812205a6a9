"""Check what a subscription is made of; every problem at once, with the place in the body it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from automation.models import Workflow
from automation.services.notice_checks import as_id
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.egress.message import write_head
from brainops.core.egress.urls import parse_url
from brainops.core.errors import InvalidInput, Problem
from brainops.core.redact import MASK
from webhooks import event_patterns
from webhooks.models import Subscription

MOST_HEADERS = 20
LONGEST_VALUE = 2_000  # characters of a header
OURS = frozenset({"content-type", "content-encoding", "webhook-id", "webhook-timestamp", "webhook-signature"})

Json = Any


def check(stored: Subscription, said: Mapping[str, Json]) -> None:
    """Check the whole of what a subscription is to be; `stored` is what it is. Raises InvalidInput with every problem.

    A masked value of a header stands for the stored one, but not for another receiver. What names gone workflows stays.
    """
    is_other = bool(stored.url) and origin_of(said["url"]) != origin_of(stored.url)
    found = [
        *_url_problems(said["url"]),
        *_type_problems(said["types"]),
        *_workflow_problems(stored, said["workflow_ids"]),
        *_header_problems(said, stored.header_values, is_other=is_other),
    ]
    if found:
        raise InvalidInput.from_problems(found)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        return parts.scheme, (parts.hostname or "").lower(), port
    except ValueError:
        return "", "", None


def _url_problems(url: str) -> Iterator[Problem]:
    try:
        http.check(url)
    except EgressError as error:
        yield Problem(error.code, error.message, "/url")


def _type_problems(types: list[str]) -> Iterator[Problem]:
    for index, one in enumerate(types):
        if refusal := event_patterns.refusal_of(one):
            yield Problem("invalid_type", refusal, f"/types/{index}")


def _workflow_problems(stored: Subscription, workflow_ids: list[str]) -> Iterator[Problem]:
    wanted = [as_id(id_) for id_ in workflow_ids]
    rows = Workflow.objects.filter(id__in=[id_ for id_ in wanted if id_], workspace_id=stored.workspace_id)
    known = set(rows.values_list("id", flat=True)) if wanted else set()
    for index, id_ in enumerate(wanted):
        if id_ not in known and workflow_ids[index] not in stored.workflow_ids:
            message = f"There is no workflow {workflow_ids[index][:60]!r} in this workspace."
            yield Problem("not_found", message, f"/workflow_ids/{index}")


def _header_problems(said: Mapping[str, Json], stored: Mapping[str, str], *, is_other: bool) -> Iterator[Problem]:
    for name, value in said["headers"].items():
        if name.lower() in OURS:
            message = f"The header {name!r} is set by BrainOps itself. Leave it out."
            yield Problem("reserved", message, f"/headers/{name}")
        elif value != MASK:
            yield from _sendable(said["url"], name, value)
        elif name not in stored:
            message = f"The header {name!r} has no stored value that {MASK} could stand for. Send its value."
            yield Problem("required", message, f"/headers/{name}")
        elif is_other:
            message = f"The stored value of the header {name!r} is not sent to another receiver. Send its value anew."
            yield Problem("required", message, f"/headers/{name}")
    names = [name.lower() for name in said["headers"]]
    if len(set(names)) != len(names):
        message = "A header is given twice, in different upper and lower case."
        yield Problem("duplicate", message, "/headers")


def _sendable(url: str, name: str, value: str) -> Iterator[Problem]:
    """What the outbound door would refuse; it never repeats a value."""
    try:
        write_head(http.Request("POST", url, {name: value}), parse_url(url))
    except EgressError as error:
        if error.code == "invalid_request" and not list(_url_problems(url)):
            yield Problem("invalid_header", error.message, f"/headers/{name}")
