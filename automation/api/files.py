"""/files/{id}: what came in as a file, as it came."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from automation.services import files
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission
from brainops.core.api.json import AnyAnswer

FILE_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="`$file` of a reference.")
# Whatever the sender called it: a browser saves it and runs nothing of it.
CONTENT_TYPE = "application/octet-stream"


class FileView(CallerView):
    """The bytes of a file."""

    content_negotiation_class = AnyAnswer
    permissions = {"get": Permission.RUNS_READ}

    @extend_schema(
        summary="Download a file",
        tags=["Runs"],
        parameters=[FILE_ID],
        responses={(200, CONTENT_TYPE): OpenApiResponse(OpenApiTypes.BINARY, "The file, to be saved.")},
    )
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        """The bytes of a file that a trigger or webhook brought; it stays as long as a run that refers to it."""
        file = files.read(self.caller, id)
        answer = StreamingHttpResponse(files.content(file), content_type=CONTENT_TYPE)
        answer.headers["Content-Length"] = str(file.size)
        answer.headers["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
        answer.headers["ETag"] = f'"{file.sha256}"'
        return answer
