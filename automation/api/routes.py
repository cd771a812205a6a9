"""Routes of workflows, runs and triggers."""

from typing import Any

from django.urls import path

from automation.api.catalogue import CatalogueView
from automation.api.execution import ExecuteView
from automation.api.runs import RunViewSet
from automation.api.triggers import TriggerViewSet
from automation.api.validation import ValidateView, WorkflowSchemaView
from automation.api.versions import VersionViewSet
from automation.api.workflows import WorkflowViewSet

_one: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns = [
    path("workflows", WorkflowViewSet.as_view({"get": "list", "post": "create"}), name="workflows"),
    path("workflows/validate", ValidateView.as_view(), name="workflow-validate"),
    path("workflows/<uuid:id>", WorkflowViewSet.as_view(_one), name="workflow"),
    path("workflows/<uuid:id>/versions", VersionViewSet.as_view({"get": "list"}), name="workflow-versions"),
    path("workflows/<uuid:id>/versions/<str:number>", VersionViewSet.as_view({"get": "retrieve"}), name="version"),
    path(
        "workflows/<uuid:id>/versions/<str:number>/restore",
        VersionViewSet.as_view({"post": "restore"}),
        name="version-restore",
    ),
    path("workflows/<uuid:id>/execute", ExecuteView.as_view(), name="workflow-execute"),
    path("workflows/<uuid:id>/runs", RunViewSet.as_view({"get": "of_workflow"}), name="workflow-runs"),
    path("workflow-schema", WorkflowSchemaView.as_view(), name="workflow-schema"),
    path("catalogue", CatalogueView.as_view(), name="catalogue"),
    path("runs", RunViewSet.as_view({"get": "list"}), name="runs"),
    path("runs/<uuid:id>", RunViewSet.as_view({"get": "retrieve"}), name="run"),
    path("runs/<uuid:id>/steps", RunViewSet.as_view({"get": "steps"}), name="run-steps"),
    path("runs/<uuid:id>/logs", RunViewSet.as_view({"get": "logs"}), name="run-logs"),
    path("runs/<uuid:id>/cancel", RunViewSet.as_view({"post": "cancel"}), name="run-cancel"),
    path("runs/<uuid:id>/retry", RunViewSet.as_view({"post": "retry"}), name="run-retry"),
    path("triggers", TriggerViewSet.as_view({"get": "list", "post": "create"}), name="triggers"),
    path("triggers/<uuid:id>", TriggerViewSet.as_view(_one), name="trigger"),
]
