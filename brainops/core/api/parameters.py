"""Query parameters: declared once, in the description of the view; closed; every mistake told at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from brainops.core.api.declared import Declared, declared_of
from brainops.core.api.etag import content_tag, is_known, not_modified
from brainops.core.api.list_parameters import OF_ALL_LISTS, check_list, chosen
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem

__all__ = ["IF_MATCH", "Fields", "KnownParameters", "Several", "chosen", "read_parameters", "refuse_unknown"]

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag the change is meant for; 412 when it was changed since, with what others did.",
)


class Fields(ClosedSerializer):
    """`?fields=a,b`: only these members of each row."""

    # the parameter has the name of a property of serializers; DRF takes declared fields out of the class
    fields = serializers.CharField(  # type: ignore[assignment]  # DRF takes it out of the class
        required=False, help_text="Comma-separated members to answer with."
    )


class Several(serializers.ListField):
    """A parameter that may be repeated: `?tag=a&tag=b`."""

    def __init__(self, child: serializers.Field[Any, Any, Any, Any], *, help_text: str, max_length: int = 20) -> None:
        said = f"{help_text} Repeat the parameter."
        super().__init__(child=child, required=False, max_length=max_length, help_text=said)


class KnownParameters(APIView):
    """Base of every view: a query parameter that its description does not name is refused, whatever the method.

    What a view takes is what `@extend_schema(parameters=[…])` says, and for lists what all lists take. A single thing
    is read with an ETag, and with 304 by whoever has it already.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask who is calling, then whether what stands behind the `?` means anything here."""
        super().initial(request, *args, **kwargs)
        if request.query_params:
            refuse_unknown(self, request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tag what was read; answer 304 when If-None-Match names the tag."""
        answer: Any = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or answer.status_code != 200 or not isinstance(answer, Response):
            return answer
        if isinstance(answer.data, dict) and "results" in answer.data:
            return answer  # a page: it has no state of its own
        if "ETag" not in answer.headers:
            answer.render()
            answer.headers["ETag"] = content_tag(answer.content)
        return not_modified(answer.headers["ETag"]) if is_known(request, answer.headers["ETag"]) else answer


def refuse_unknown(view: APIView, request: Request) -> None:
    """Raise InvalidInput that names every parameter the view does not take, or takes once and got twice."""
    known = declared_of(view, request.method or "")
    if known is None:
        return  # nothing answers to this method: DRF says 405
    found = list(_strange(known, request.query_params))
    if found:
        found += [problem for shape in known.shapes for problem in _wrong(shape, request.query_params, known.names)]
        raise InvalidInput.from_problems(found)
    if known.is_list:
        check_list(view, request, known.members)


def read_parameters(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The parameters of a request. Raises InvalidInput that names every one that means nothing or cannot be used."""
    query: QueryDict = request.query_params
    if not query:
        return {}
    filters = _filled(shape, query, frozenset(query) - OF_ALL_LISTS | frozenset(shape().fields))
    if not filters.is_valid():
        raise InvalidInput.from_problems(_problems(filters))
    return dict(filters.validated_data)


def _strange(known: Declared, query: QueryDict) -> Iterator[Problem]:
    listed = f"Known: {', '.join(sorted(known.names))}." if known.names else "It takes none."
    for name in query:
        if name not in known.names:
            said = f"{name[:60]!r} is no query parameter of this address. {listed}"
            yield Problem("unknown_parameter", said, parameter=name[:60])
        elif name not in known.repeatable and len(query.getlist(name)) > 1:
            yield Problem("repeated_parameter", f"{name} may stand once, got it twice or more.", parameter=name)


def _wrong(shape: type[serializers.Serializer[Any]], query: QueryDict, names: frozenset[str]) -> list[Problem]:
    """What is wrong with the values of the parameters that are known."""
    filters = _filled(shape, query, names & frozenset(shape().fields))
    return [] if filters.is_valid() else list(_problems(filters))


def _filled(
    shape: type[serializers.Serializer[Any]], query: QueryDict, names: frozenset[str]
) -> serializers.Serializer[Any]:
    fields = shape().fields
    return shape(
        data={
            name: query.getlist(name) if isinstance(fields.get(name), serializers.ListField) else query[name]
            for name in query
            if name in names
        }
    )


def _problems(filters: serializers.Serializer[Any]) -> Iterator[Problem]:
    for name, messages in filters.errors.items():
        yield Problem("invalid_parameter", f"{name}: {_sentence(messages)}", parameter=name)


def _sentence(messages: Any) -> str:
    if isinstance(messages, dict):  # of the items of a list, by their index
        return " ".join(_sentence(inner) for inner in messages.values())
    return " ".join(map(str, messages))
