"""Exports from the list and the page of workflows; imports with a preview before the button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import as_uuid
from automation.admin.rights import may
from automation.looks.states import IMPORTS, Look
from automation.models import Direction, Transfer, TransferState, Workflow
from automation.services import exports, imports, transfers
from automation.services.exchange.form import FORMS
from automation.services.exchange.plans import Options, Strategy
from automation.services.exchange.reading import File
from automation.services.exports import Wanted
from automation.services.imports import Outcome
from brainops.accounts.models import Workspace
from brainops.core.errors import AppError, InvalidInput, TooLarge

LIST = "admin:automation_workflow_changelist"
STRATEGIES = {
    Strategy.MERGE: "Merge: the imported content comes on top as a new version",
    Strategy.OVERWRITE: "Overwrite: the imported content takes the place of all that is here",
    Strategy.SKIP: "Skip: what is here stays as it is",
}
MOST_SHOWN = 500  # rows of a preview


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One workflow of the file."""

    look: Look
    item: dict[str, Any]


class ExchangePages:
    """What the admin of workflows has of them."""

    admin_site: Any

    def exchange_urls(self) -> list[Any]:
        """The pages of exports and imports."""
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="automation_workflow_import"),
            path("import/<uuid:id>/", view(self.preview_view), name="automation_workflow_preview"),
            path("<uuid:id>/export/", view(require_GET(self.export_view)), name="automation_workflow_export"),
        ]

    def export_view(self, request: HttpRequest, id: UUID) -> HttpResponseBase:
        """The file of one workflow: `?format=yaml`."""
        _require(request, "view_workflow")
        workflow = get_object_or_404(Workflow.objects.only("workspace_id"), id=id)
        key = request.GET.get("format", "json")
        wanted = Wanted(ids=[id], format=key if key in FORMS else "json")
        return _file(request, workflow.workspace_id, wanted)

    @admin.action(description="Export", permissions=["view"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> HttpResponseBase | None:
        """The file of the chosen workflows, which are of one workspace."""
        found = list(queryset.values_list("id", "workspace_id"))
        workspaces = {workspace_id for _, workspace_id in found}
        if len(workspaces) != 1:
            messages.error(request, "Choose workflows of one workspace.")
            return None
        return _file(request, workspaces.pop(), Wanted(ids=[id_ for id_, _ in found], format="json"))

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, and keep it for the preview."""
        _require(request, "add_workflow", "change_workflow")
        if request.method == "POST":
            try:
                kept = _keep(request)
            except AppError as refusal:
                say_refusal(request, refusal)
            else:
                strategy = _options(request).strategy
                return redirect(f"{_preview_address(kept)}?strategy={strategy}{_activates(request)}")
        context = {
            "title": "Import workflows",
            "workspaces": Workspace.objects.order_by("name", "id"),
            "chosen": request.POST.get("workspace"),
            "strategies": STRATEGIES,
            "forms": ", ".join(f".{form.suffix}" for form in FORMS.values()),
            "back": LIST,
        }
        return render(request, "automation/import_new.html", {**self.admin_site.each_context(request), **context})

    def preview_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Say what the import would do; do it when that was confirmed."""
        _require(request, "add_workflow", "change_workflow")
        kept = get_object_or_404(Transfer.objects.select_related("workspace"), id=id, created_by_id=request.user.pk)
        options = _options(request)
        file = File(lambda: transfers.open_file(kept), kept.format)
        caller = caller_of(request, kept.workspace_id)
        is_confirmed = request.method == "POST"
        try:
            outcome = imports.run(caller, file, replace(options, dry_run=not is_confirmed))
        except AppError as refusal:
            say_refusal(request, refusal)
            return redirect("admin:automation_workflow_import")
        if is_confirmed:
            kept.delete()
            _say(request, outcome)
        context = {
            "title": "Imported" if is_confirmed else "What the import would do",
            "kept": kept,
            "outcome": outcome,
            "lines": _lines(outcome.items),
            "hooks": [hook for hooks in outcome.shown_once.values() for hook in hooks],
            "options": options,
            "strategies": STRATEGIES,
            "is_done": is_confirmed,
        }
        return render(request, "automation/import_preview.html", {**self.admin_site.each_context(request), **context})


def _file(request: HttpRequest, workspace_id: UUID, wanted: Wanted) -> HttpResponseBase:
    try:
        stream = exports.export(caller_of(request, workspace_id), wanted)
    except AppError as refusal:
        say_refusal(request, refusal)
        return redirect(LIST)
    answer = StreamingHttpResponse(stream.pieces, content_type=stream.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{stream.filename}"'
    return answer


def _keep(request: HttpRequest) -> Transfer:
    """The uploaded file, in the database until it was imported or an hour has passed."""
    workspace_id = as_uuid(request.POST.get("workspace", ""))
    workspace = Workspace.objects.filter(id=workspace_id).first() if workspace_id else None
    given = request.FILES.get("file")
    if workspace is None or not isinstance(given, UploadedFile):
        raise InvalidInput("Choose a workspace and a file.")
    form = PurePath(given.name or "").suffix.removeprefix(".").lower().replace("yml", "yaml")
    if form not in FORMS:
        known = ", ".join(f".{known.suffix}" for known in FORMS.values())
        raise InvalidInput(f"The name of the file does not say what it is: it should end in one of {known}.")
    most = imports.most_at_once()
    if (given.size or 0) > most:
        said = f"The file has {given.size or 0:,} bytes; here at most {most:,} are taken."
        raise TooLarge(f"{said} Use POST /workflows/import.")
    caller = caller_of(request, workspace.id)
    kept = transfers.create(caller, Direction.IMPORT, form, {}, state=TransferState.UPLOADING)
    transfers.upload(kept, given.chunks())
    return kept


def _options(request: HttpRequest) -> Options:
    said = request.POST if request.method == "POST" else request.GET
    strategy = said.get("strategy", "")
    known = Strategy(strategy) if strategy in [*map(str, Strategy)] else Strategy.MERGE
    return Options(strategy=known, activate=said.get("activate") == "yes")


def _activates(request: HttpRequest) -> str:
    return "&activate=yes" if request.POST.get("activate") == "yes" else ""


def _preview_address(kept: Transfer) -> str:
    return reverse("admin:automation_workflow_preview", args=[kept.id])


def _lines(items: Sequence[dict[str, Any]]) -> list[PreviewLine]:
    return [PreviewLine(IMPORTS[item["action"]], item) for item in items[:MOST_SHOWN]]


def _say(request: HttpRequest, outcome: Outcome) -> None:
    counts = outcome.counts
    kept = counts["unchanged"] + counts["skip"]
    messages.success(request, f"Created {counts['create']}, changed {counts['update']}, left {kept} as they are.")
    if imports.is_refused(outcome):
        messages.warning(request, f"Not imported: {counts['refused'] + counts['conflict']}. The table says why.")


def _require(request: HttpRequest, *permissions: str) -> None:
    if not all(may(request, f"automation.{permission}") for permission in permissions):
        raise PermissionDenied
