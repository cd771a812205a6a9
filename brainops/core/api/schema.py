"""How views are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from brainops.core.api.public import ANY_CALLER, STAFF


class ProblemItem(serializers.Serializer[Any]):
    """One thing wrong with what was sent."""

    code = serializers.CharField()
    message = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="JSON pointer into the body (RFC 6901).")
    parameter = serializers.CharField(required=False, help_text="The query parameter or header instead.")


class ProblemDetails(serializers.Serializer[Any]):
    """A refusal (RFC 9457). Programs look at `code`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField()
    problems = ProblemItem(many=True, required=False)
    problem_count = serializers.IntegerField(required=False)


_MEDIA_TYPE = "application/problem+json"
_REASONS = {
    "400": "What was sent is not valid; `problems` lists everything.",
    "401": "Nobody known is calling.",
    "403": "The caller may not do this.",
    "404": "Missing, or not yours.",
    "409": "The present state does not allow it.",
    "412": "If-Match names an older version.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "428": "The workspace takes changes only with If-Match.",
    "429": "A limit was reached; see Retry-After.",
    "503": "A part that is needed is away; see Retry-After.",
}
_WORKSPACE = OpenApiParameter(
    "Brainops-Workspace",
    str,
    OpenApiParameter.HEADER,
    description="Id or slug of the workspace; needed by members of several, with an access token.",
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of what the caller has; 304 while it is so."
)


def any_value_may_be_null(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say "anything" in one way: spectacular writes "exactly one of anything and null", and null would be both.

    A hook of drf-spectacular; `result` is the whole document and is changed in place.
    """
    open_ends: list[Any] = [result]
    while open_ends:
        node = open_ends.pop()
        if isinstance(node, dict):
            if node.get("oneOf") == [{}, {"type": "null"}]:
                del node["oneOf"]
            open_ends += node.values()
        elif isinstance(node, list):
            open_ends += node
    return result


class Schema(AutoSchema):
    """Adds what is the same everywhere: refusals, the workspace header, the permission that is asked for."""

    def get_override_parameters(self) -> list[Any]:
        """The workspace header, for everything that happens in one; If-None-Match, for single things."""
        given = list(super().get_override_parameters())
        if self._is_single():
            given.append(_IF_NONE_MATCH)
        return [*given, _WORKSPACE] if self._permission() not in ("", ANY_CALLER, STAFF) else given

    def query_parameters(self) -> list[Any]:
        """What `extend_schema(parameters=…)` names: OpenApiParameter values and serializer classes."""
        return list(self.get_override_parameters())

    @property
    def is_list(self) -> bool:
        """True when the answer is a page of rows."""
        return bool(self._is_list_view())

    def list_parameters(self) -> list[str]:
        """The names of the query parameters that every list takes; none for other views."""
        return [one["name"] for one in self._get_pagination_parameters()]  # type: ignore[no-untyped-call]  # no types

    def get_description(self) -> str:  # type: ignore[override]  # spectacular has no types
        """The view's own text and the permission."""
        text = super().get_description() or ""
        permission = self._permission()
        if permission == STAFF:
            return f"{text}\n\nOnly staff who log in; never an API key.".strip()
        return text if permission in ("", ANY_CALLER) else f"{text}\n\nPermission: `{permission}`.".strip()

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies = dict(super()._get_response_bodies(direction))
        if self._is_single() and "200" in bodies:
            bodies.setdefault("304", {"description": "The caller has it already, as If-None-Match says."})
        for status in self._refusals():
            if status not in bodies:
                answer = OpenApiResponse(ProblemDetails, description=_REASONS[status])
                body = self._get_response_for_code(answer, status, [_MEDIA_TYPE], direction)  # type: ignore[no-untyped-call]
                bodies[status] = body
        return dict(sorted(bodies.items()))

    def _is_single(self) -> bool:
        """Whether one thing is read, which then has an ETag."""
        return bool(self.method == "GET" and not self._is_list_view())

    def _refusals(self) -> list[str]:
        # an unknown query parameter is refused everywhere; every address has a rate limit, by network and by caller
        statuses = ["400", "429", "503"]
        if not self.view.permission_classes:
            statuses += ["401"] if self.method == "POST" else []
        else:
            statuses += ["401", "403"] + (["404"] if "{" in self.path else [])
        if any(getattr(one, "name", "") == "If-Match" for one in self.get_override_parameters()):
            statuses += ["412", "428"]
        if self.method in ("POST", "PUT", "PATCH"):
            statuses += ["413", "415"]
        if self.method != "GET" and self.view.permission_classes:
            statuses += ["409"]
        return statuses

    def _permission(self) -> str:
        permissions: dict[str, str] = getattr(self.view, "permissions", {})
        action = getattr(self.view, "action", None) or self.method.lower()
        return str(permissions.get(action, ""))
