"""Query parameters: declared by a serializer, closed, every mistake told at once."""

from __future__ import annotations

from typing import Any, TypeVar

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem

PAGING = frozenset({"limit", "cursor"})
LONGEST_WAIT_SECONDS = 60

T = TypeVar("T")

WAIT = OpenApiParameter(
    "wait",
    float,
    description=f"Seconds (at most {LONGEST_WAIT_SECONDS}) to wait for the result: 200 with the run when it ends in "
    "time, else 202. Without it the answer is 202 at once.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sent again with the same key within 24 hours, a request is answered again and not done again.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag the change is meant for; 412 when the workflow has changed since.",
)


class Fields(ClosedSerializer):
    """`?fields=a,b`: only these members of each row."""

    fields = serializers.CharField(required=False, help_text="Comma-separated members to answer with.")  # type: ignore[assignment]


class WaitParameter(ClosedSerializer):
    """`?wait=10`."""

    wait = serializers.FloatField(required=False, min_value=0, max_value=LONGEST_WAIT_SECONDS)


def read_parameters(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The parameters of a request. Raises InvalidInput that names every one that means nothing or cannot be used."""
    query: QueryDict = request.query_params
    if not query:
        return {}
    declared = shape().fields
    given = {
        name: query.getlist(name) if isinstance(declared.get(name), serializers.ListField) else query[name]
        for name in query
        if name not in PAGING
    }
    filters = shape(data=given)
    if not filters.is_valid():
        raise InvalidInput.from_problems(
            Problem("invalid_parameter", f"{name}: {_sentence(messages)}", parameter=name)
            for name, messages in filters.errors.items()
        )
    return dict(filters.validated_data)


def read_wait_seconds(request: Request) -> float | None:
    """How long the caller wants to wait for the result; None for not at all."""
    seconds = read_parameters(WaitParameter, request).get("wait")
    if seconds:
        request._request.may_wait = True  # type: ignore[attr-defined]  # a long answer is no slow one
    return seconds or None


def _sentence(messages: Any) -> str:
    if isinstance(messages, dict):  # of the items of a list, by their index
        return " ".join(_sentence(inner) for inner in messages.values())
    return " ".join(map(str, messages))


def chosen(wanted: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The members that `fields` names, in the usual order. Raises InvalidInput for unknown ones."""
    if wanted is None:
        return known
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    strange = [name for name in names if name not in known]
    if strange or not names:
        said = f"fields: there is no {strange[0][:40]!r}." if strange else "fields names nothing."
        said = f"{said} Known: {', '.join(known)}."
        raise InvalidInput(said, problems=[Problem("invalid_parameter", said, parameter="fields")])
    return tuple(name for name in known if name in names)
