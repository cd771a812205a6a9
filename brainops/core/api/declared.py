"""What a view says about itself: the query parameters it takes and the members of its rows.

The OpenAPI document and the refusals at the door come from the same words, so neither can promise what the other
does not keep. Read once for each view and action of a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

if TYPE_CHECKING:
    from brainops.core.api.schema import Schema

Shape = type[serializers.Serializer[Any]]


@dataclass(frozen=True, slots=True)
class Declared:
    """`names` of query parameters, those of them that may be `repeatable`, the `shapes` that check their values.

    `members` are those of a row of the list; empty when the answer is described by no serializer.
    """

    names: frozenset[str]
    repeatable: frozenset[str]
    shapes: tuple[Shape, ...]
    members: tuple[str, ...]
    is_list: bool = False


_known: dict[tuple[type[APIView], str], Declared] = {}


def declared_of(view: APIView, method: str) -> Declared | None:
    """What the view says about what it does with this method; None when it does nothing with it."""
    name = getattr(view, "action", None) or ("get" if method == "HEAD" else method.lower())
    handler = getattr(view, name, None)
    if handler is None or method == "OPTIONS":
        return None
    place = (type(view), name)
    if place not in _known:
        _known[place] = _read(_schema_of(view, handler, "GET" if method == "HEAD" else method))
    return _known[place]


def members_of(request: Request) -> tuple[str, ...]:
    """The members of the rows that the view of this request lists."""
    known = declared_of(request.parser_context["view"], request.method or "")
    return known.members if known else ()


def _schema_of(view: APIView, handler: Any, method: str) -> Schema:
    """The description that `extend_schema` left at the method, else the view's own."""
    kind: Any = getattr(handler, "kwargs", {}).get("schema") or type(view.schema)
    schema: Schema = kind()
    schema.view, schema.method, schema.path = view, method, ""
    return schema


def _read(schema: Schema) -> Declared:
    given = schema.query_parameters()
    singles = [one for one in given if isinstance(one, OpenApiParameter) and one.location == OpenApiParameter.QUERY]
    shapes = tuple(one for one in given if isinstance(one, type) and issubclass(one, serializers.Serializer))
    fields = {name: field for shape in shapes for name, field in shape().fields.items()}
    lists = {name for name, field in fields.items() if isinstance(field, serializers.ListField)}
    return Declared(
        names=frozenset({*(one.name for one in singles), *fields, *schema.list_parameters()}),
        repeatable=frozenset({*lists, *(one.name for one in singles if one.many)}),
        shapes=shapes,
        members=_members(schema.get_response_serializers()) if schema.is_list else (),
        is_list=schema.is_list,
    )


def _members(response: Any) -> tuple[str, ...]:
    """The names in a serializer, however the description wraps it."""
    if isinstance(response, dict):
        by_status = {str(status): one for status, one in response.items()}
        response = by_status[min(by_status)]
    if isinstance(response, OpenApiResponse):
        response = response.response
    if isinstance(response, type) and issubclass(response, serializers.BaseSerializer):
        response = response()
    return tuple(getattr(getattr(response, "child", response), "fields", ()))
