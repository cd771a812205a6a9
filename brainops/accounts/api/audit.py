"""/audit: what was done in a workspace, by whom; as a list, as a file, and the proof that nobody changed it.

It stands here and not in the audit app, which knows of no callers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.audit_shape import (
    AdminAuditFilters,
    AuditFilters,
    EntryShape,
    ExportParameters,
    VerdictShape,
    VerifyBody,
    shown_part,
)
from brainops.accounts.api.scope import CallerView, ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.audit.models import AuditEntry
from brainops.audit.services import record, verify_part
from brainops.audit.services.exporting import FORMS
from brainops.audit.services.searching import as_json, find
from brainops.core.api.json import AnyAnswer
from brainops.core.api.parameters import read_parameters
from brainops.core.api.public import STAFF

ENTRY_ID = OpenApiParameter("uid", UUID, OpenApiParameter.PATH, description="The entry.")
MOST_VERIFIED = 50_000  # entries of one request; some 5 s
VERIFIED = [
    OpenApiExample("From a head noted earlier", {"after": {"position": 1200, "seal": "5f" * 32}}, request_only=True)
]


@extend_schema(tags=["Audit"])
class AuditViewSet(ScopedViewSet):
    """The log of the workspace. Nothing in it can be changed."""

    queryset = AuditEntry.objects.all()
    serializer_class = EntryShape
    lookup_field = "uid"
    page_ordering = ("-id",)
    permissions: ClassVar[Mapping[str, str]] = {"list": Permission.AUDIT_READ, "retrieve": Permission.AUDIT_READ}

    @extend_schema(summary="List audit entries", parameters=[AuditFilters])
    def list(self, request: Request) -> Response:
        """What was done in the workspace, newest first."""
        rows = find(workspace=self.caller.workspace(), **read_parameters(AuditFilters, request))
        return self.get_paginated_response([as_json(entry) for entry in self.paginate_queryset(rows) or []])

    @extend_schema(summary="Read an audit entry", parameters=[ENTRY_ID], responses={200: EntryShape})
    def retrieve(self, request: Request, uid: UUID) -> Response:
        """One entry with what was before and after; secrets are masked."""
        return Response(as_json(self.get_object()))


class AuditExportView(CallerView):
    """The log as a file."""

    permissions = {"get": Permission.AUDIT_EXPORT}
    content_negotiation_class = AnyAnswer

    @extend_schema(
        summary="Export audit entries",
        tags=["Audit"],
        parameters=[ExportParameters],
        responses={
            (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.BINARY, "A JSON object on each line."),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, "A table with a header."),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """All entries that fit, oldest first, as they are read. The export itself becomes an entry."""
        wanted = read_parameters(ExportParameters, request)
        form = wanted.pop("format", "ndjson")
        media_type, write = FORMS[form]
        place = self.caller.workspace()
        rows = find(workspace=place, **wanted)
        record(
            actor=self.caller,
            workspace_id=place,
            action="audit.export",
            target_kind="workspace",
            target_id=place,
            summary=f"Exported the audit log as {form}.",
            changes={"filter": {name: str(value) for name, value in wanted.items()}} if wanted else None,
        )
        answer = StreamingHttpResponse(write(rows), content_type=media_type)
        answer.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
        return answer


class AuditVerifyView(CallerView):
    """The proof for one workspace."""

    permissions = {"post": Permission.AUDIT_READ}

    @extend_schema(
        summary="Verify the audit log",
        tags=["Audit"],
        request=VerifyBody,
        responses={200: VerdictShape},
        examples=VERIFIED,
    )
    def post(self, request: Request) -> Response:
        """Recompute the hash chain over the workspace's entries and name every entry that was changed.

        Keep `head` elsewhere: sent as `after` it proves later that no end was cut off, and goes on from there. One
        request follows 50,000 entries; with `is_complete` false send its `head` as `after`.
        """
        return Response(_verified(self.caller.workspace(), request))


@extend_schema(tags=["Admin"])
class AdminAuditViewSet(ScopedViewSet):
    """The log of all workspaces, and of what belongs to none."""

    queryset = AuditEntry.objects.all()
    serializer_class = EntryShape
    page_ordering = ("-id",)
    permissions: ClassVar[Mapping[str, str]] = {"list": STAFF, "verify": STAFF}

    @extend_schema(summary="List all audit entries", parameters=[AdminAuditFilters])
    def list(self, request: Request) -> Response:
        """What was done in all workspaces and in none, such as logins; newest first. For staff."""
        rows = find(**read_parameters(AdminAuditFilters, request))
        return self.get_paginated_response([as_json(entry) for entry in self.paginate_queryset(rows) or []])

    @extend_schema(summary="Verify what belongs to no workspace", request=VerifyBody, responses={200: VerdictShape})
    def verify(self, request: Request) -> Response:
        """The proof for the entries of no workspace: logins, users, the installation. For staff."""
        return Response(_verified(None, request))


def _verified(chain: UUID | None, request: Request) -> dict[str, Any]:
    body = VerifyBody(data=request.data)
    body.is_valid(raise_exception=True)
    after = body.validated_data.get("after")
    return shown_part(
        verify_part(chain, after=(after["position"], after["seal"]) if after else None, most=MOST_VERIFIED)
    )
