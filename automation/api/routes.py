"""Routes of workflows, runs and triggers."""

from typing import Any

from django.urls import path

from automation.api.admin_lists import AdminBulkView, AdminRunViewSet, AdminWorkflowViewSet
from automation.api.admin_stats import StatsView
from automation.api.approvals import ApprovalViewSet
from automation.api.arrivals import ArrivalViewSet
from automation.api.bulk import WorkflowBulkView
from automation.api.callbacks import callback_view
from automation.api.catalogue import CatalogueView
from automation.api.dry_runs import DryRunView
from automation.api.event_deliveries import EventDeliveryViewSet
from automation.api.events import EventViewSet
from automation.api.execution import ExecuteView
from automation.api.exports import ExportSchemaView, ExportView, ExportViewSet, WorkflowExportView
from automation.api.files import FileView
from automation.api.firings import FiringViewSet
from automation.api.imports import ImportView, ImportViewSet
from automation.api.limits import LimitViewSet
from automation.api.metrics import MetricsView
from automation.api.notice_links import notice_link_view
from automation.api.notices import NoticeViewSet
from automation.api.quotas import QuotasView
from automation.api.replays import ReplayViewSet
from automation.api.run_bulk import RunBulkView
from automation.api.run_keeping import RunKeepingViewSet
from automation.api.run_parts import RunPartsViewSet
from automation.api.runs import RunViewSet
from automation.api.secrets import SecretViewSet
from automation.api.signals import SignalView
from automation.api.state import StateViewSet
from automation.api.tags import TagViewSet
from automation.api.trials import TrialViewSet
from automation.api.trigger_health import TriggerHealthViewSet
from automation.api.triggers import TriggerViewSet
from automation.api.validation import ValidateView, WorkflowSchemaView
from automation.api.variables import VariableViewSet
from automation.api.version_diffs import VersionDiffView, VersionPairView
from automation.api.versions import VersionViewSet
from automation.api.workflows import WorkflowViewSet

_one: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns = [
    path("workflows", WorkflowViewSet.as_view({"get": "list", "post": "create"}), name="workflows"),
    path("workflows/validate", ValidateView.as_view(), name="workflow-validate"),
    path("workflows/bulk", WorkflowBulkView.as_view(), name="workflow-bulk"),
    path("workflows/<uuid:id>", WorkflowViewSet.as_view(_one), name="workflow"),
    path("workflows/<uuid:id>/versions", VersionViewSet.as_view({"get": "list"}), name="workflow-versions"),
    path("workflows/<uuid:id>/versions/<str:number>", VersionViewSet.as_view({"get": "retrieve"}), name="version"),
    path(
        "workflows/<uuid:id>/versions/<str:number>/restore",
        VersionViewSet.as_view({"post": "restore"}),
        name="version-restore",
    ),
    path("workflows/<uuid:id>/versions/<str:number>/diff", VersionDiffView.as_view(), name="version-diff"),
    path("workflows/<uuid:id>/versions/<str:number>/diff/<str:other>", VersionPairView.as_view(), name="version-pair"),
    path("workflows/<uuid:id>/execute", ExecuteView.as_view(), name="workflow-execute"),
    path("workflows/<uuid:id>/dry-run", DryRunView.as_view(), name="workflow-dry-run"),
    path("workflows/<uuid:id>/runs", RunViewSet.as_view({"get": "of_workflow"}), name="workflow-runs"),
    path("workflow-schema", WorkflowSchemaView.as_view(), name="workflow-schema"),
    path("workflows/export", ExportView.as_view(), name="workflow-exports"),
    path("workflows/import", ImportView.as_view(), name="workflow-imports"),
    path("workflows/<uuid:id>/export", WorkflowExportView.as_view(), name="workflow-export"),
    path("export-schema", ExportSchemaView.as_view(), name="export-schema"),
    path("exports", ExportViewSet.as_view({"get": "list"}), name="exports"),
    path("exports/<uuid:id>", ExportViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="export"),
    path("exports/<uuid:id>/download", ExportViewSet.as_view({"get": "download"}), name="export-download"),
    path("imports", ImportViewSet.as_view({"get": "list"}), name="imports"),
    path("imports/<uuid:id>", ImportViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="import"),
    path("imports/<uuid:id>/items", ImportViewSet.as_view({"get": "items"}), name="import-items"),
    path("files/<uuid:id>", FileView.as_view(), name="file"),
    path("catalogue", CatalogueView.as_view(), name="catalogue"),
    path("tags", TagViewSet.as_view({"get": "list"}), name="tags"),
    path("tags/rename", TagViewSet.as_view({"post": "rename"}), name="tag-rename"),
    path("tags/<path:tag>", TagViewSet.as_view({"delete": "remove"}), name="tag"),
    path("runs", RunViewSet.as_view({"get": "list"}), name="runs"),
    path("runs/bulk", RunBulkView.as_view(), name="run-bulk"),
    path("runs/<uuid:id>", RunViewSet.as_view({"get": "retrieve"}), name="run"),
    path("runs/<uuid:id>/steps", RunPartsViewSet.as_view({"get": "steps"}), name="run-steps"),
    path("runs/<uuid:id>/steps/<str:path>/items", RunPartsViewSet.as_view({"get": "items"}), name="run-items"),
    path("runs/<uuid:id>/effects", RunPartsViewSet.as_view({"get": "effects"}), name="run-effects"),
    path("runs/<uuid:id>/logs", RunPartsViewSet.as_view({"get": "logs"}), name="run-logs"),
    path("runs/<uuid:id>/children", RunViewSet.as_view({"get": "children"}), name="run-children"),
    path("runs/<uuid:id>/payloads/<str:sha256>", RunKeepingViewSet.as_view({"get": "payload"}), name="run-payload"),
    path("runs/<uuid:id>/pin", RunKeepingViewSet.as_view({"post": "pin", "delete": "unpin"}), name="run-pin"),
    path("runs/<uuid:id>/cancel", RunViewSet.as_view({"post": "cancel"}), name="run-cancel"),
    path("runs/<uuid:id>/retry", RunViewSet.as_view({"post": "retry"}), name="run-retry"),
    path("runs/<uuid:id>/retry/preview", RunViewSet.as_view({"post": "retry_preview"}), name="run-retry-preview"),
    path("replays", ReplayViewSet.as_view({"get": "list", "post": "create"}), name="replays"),
    path("replays/preview", ReplayViewSet.as_view({"post": "preview"}), name="replay-preview"),
    path("replays/<uuid:id>", ReplayViewSet.as_view({"get": "retrieve"}), name="replay"),
    path("replays/<uuid:id>/items", ReplayViewSet.as_view({"get": "items"}), name="replay-items"),
    path("replays/<uuid:id>/cancel", ReplayViewSet.as_view({"post": "cancel"}), name="replay-cancel"),
    path("runs/<uuid:id>/signals/<str:name>", SignalView.as_view(), name="run-signal"),
    path("callbacks/<str:token>", callback_view, name="callback"),
    path("limits", LimitViewSet.as_view({"get": "list"}), name="limits"),
    path("quotas", QuotasView.as_view(), name="quotas"),
    path("notices", NoticeViewSet.as_view({"get": "list", "post": "create"}), name="notices"),
    path("notices/mute/<str:token>", notice_link_view, name="notice-link"),
    path("notices/<uuid:id>", NoticeViewSet.as_view(_one), name="notice"),
    *(
        path(f"notices/<uuid:id>/{verb}", NoticeViewSet.as_view({"post": verb}), name=f"notice-{verb}")
        for verb in ("test", "mute", "rotate")
    ),
    path("notices/<uuid:id>/deliveries", NoticeViewSet.as_view({"get": "deliveries"}), name="notice-deliveries"),
    path(
        "notices/<uuid:id>/deliveries/<uuid:delivery_id>/redeliver",
        NoticeViewSet.as_view({"post": "redeliver"}),
        name="notice-redeliver",
    ),
    path("approvals", ApprovalViewSet.as_view({"get": "list"}), name="approvals"),
    path("approvals/<uuid:id>", ApprovalViewSet.as_view({"get": "retrieve"}), name="approval"),
    *(
        path(f"approvals/<uuid:id>/{verb}", ApprovalViewSet.as_view({"post": verb}), name=f"approval-{verb}")
        for verb in ("approve", "reject", "answer", "reassign")
    ),
    path("state", StateViewSet.as_view({"get": "list"}), name="state"),
    path(
        "state/<path:key>",
        StateViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="state-value",
    ),
    path("variables", VariableViewSet.as_view({"get": "list", "post": "create"}), name="variables"),
    path("variables/<str:name>", VariableViewSet.as_view(_one), name="variable"),
    path("secrets", SecretViewSet.as_view({"get": "list", "post": "create"}), name="secrets"),
    path("secrets/<str:name>", SecretViewSet.as_view(_one), name="secret"),
    path("events", EventViewSet.as_view({"get": "list", "post": "create"}), name="events"),
    path("events/<uuid:id>", EventViewSet.as_view({"get": "retrieve"}), name="event"),
    path("event-deliveries", EventDeliveryViewSet.as_view({"get": "list"}), name="event-deliveries"),
    path("event-deliveries/<uuid:id>", EventDeliveryViewSet.as_view({"get": "retrieve"}), name="event-delivery"),
    *(
        path(f"event-deliveries/<uuid:id>/{verb}", EventDeliveryViewSet.as_view({"post": verb}), name=f"event-{verb}")
        for verb in ("redeliver", "discard")
    ),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin/workflows", AdminWorkflowViewSet.as_view({"get": "list"}), name="admin-workflows"),
    path("admin/workflows/bulk", AdminBulkView.as_view(), name="admin-workflow-bulk"),
    path(
        "admin/workflows/user/<uuid:user_id>",
        AdminWorkflowViewSet.as_view({"get": "of_user"}),
        name="admin-user-workflows",
    ),
    path("admin/runs", AdminRunViewSet.as_view({"get": "list"}), name="admin-runs"),
    path("admin/stats", StatsView.as_view(), name="admin-stats"),
    path("triggers", TriggerViewSet.as_view({"get": "list", "post": "create"}), name="triggers"),
    path("triggers/<uuid:id>", TriggerViewSet.as_view(_one), name="trigger"),
    path("triggers/<uuid:id>/arrivals", ArrivalViewSet.as_view({"get": "list"}), name="trigger-arrivals"),
    path(
        "triggers/<uuid:id>/arrivals/<uuid:arrival_id>",
        ArrivalViewSet.as_view({"get": "retrieve"}),
        name="trigger-arrival",
    ),
    path(
        "triggers/<uuid:id>/arrivals/<uuid:arrival_id>/run",
        ArrivalViewSet.as_view({"post": "run"}),
        name="trigger-arrival-run",
    ),
    path("triggers/<uuid:id>/poll", ArrivalViewSet.as_view({"post": "poll"}), name="trigger-poll"),
    path("triggers/<uuid:id>/test", TrialViewSet.as_view({"post": "test"}), name="trigger-test"),
    path("triggers/<uuid:id>/health", TriggerHealthViewSet.as_view({"get": "retrieve"}), name="trigger-health"),
    path("trigger-health", TriggerHealthViewSet.as_view({"get": "list"}), name="triggers-health"),
    path("triggers/<uuid:id>/firings", FiringViewSet.as_view({"get": "list"}), name="trigger-firings"),
    path("triggers/<uuid:id>/backfill", FiringViewSet.as_view({"post": "backfill"}), name="trigger-backfill"),
]
