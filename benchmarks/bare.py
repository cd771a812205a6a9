"""The same list made of Django REST framework alone: what the product's list is measured against.

The same authentication, rows, members and page size; DRF's own serializer, cursor pages and JSON; none of our
middleware, scoping by one filter. Served by `benchmarks.bare_wsgi`.
"""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework import generics, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.schemas.openapi import AutoSchema

from automation.api.workflow_shape import state_of
from automation.models import Workflow
from brainops.accounts.api.authentication import BearerAuthentication
from brainops.core.api.etag import entity_tag


class BareWorkflow(serializers.ModelSerializer[Any]):
    """The members of a workflow in the product's list."""

    owner = serializers.UUIDField(source="owner_id", allow_null=True)
    etag = serializers.SerializerMethodField()

    class Meta:
        model = Workflow
        fields = [
            *("id", "name", "description", "definition", "tags", "meta_data", "is_active", "retention"),
            *("archived_at", "version", "owner", "etag", "created_at", "updated_at"),
        ]

    def get_etag(self, row: Workflow) -> str:
        return entity_tag(state_of(row))


class BarePages(CursorPagination):
    """DRF's cursor pages, fifty rows."""

    page_size = 50
    ordering = ("-created_at", "-id")


class BareList(generics.ListAPIView[Any]):
    """The workflows of the caller's workspace."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = DefaultContentNegotiation
    pagination_class = BarePages
    serializer_class = BareWorkflow
    schema = AutoSchema()

    def get_queryset(self) -> Any:
        return Workflow.objects.filter(workspace_id=self.request.auth.workspace_id)


urlpatterns = [path("api/v1/automation/workflows", BareList.as_view())]
