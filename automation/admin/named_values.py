"""What the pages of variables and secrets share: forms that check as the services do, and saves through those."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from automation.admin.callers import say_refusal
from automation.services import mentioned
from automation.services.variables import check_name
from brainops.audit.admin.base import AuditedAdmin
from brainops.core.errors import AppError


class NamedForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A form that refuses what the service would."""

    def clean_name(self) -> str:
        """A name that expressions can read. Raises ValidationError."""
        name = str(self.cleaned_data["name"])
        try:
            check_name(name)
        except AppError as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return name

    @property
    def is_new(self) -> bool:
        """True on the page that adds."""
        return bool(self.instance._state.adding)


class NamedAdmin(AuditedAdmin):
    """Pages of rows that have a name in a workspace. Services write them and the audit log."""

    sort = ""  # "vars" or "secrets"
    list_select_related: tuple[str, ...] = ("workspace",)
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    search_help_text = "Part of a name or a description"
    ordering = ("workspace", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A name is what documents say: it cannot be changed under them."""
        return ("workspace", "name", *self.readonly_fields) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """A description is a line or two."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and db_field.name == "description":
            field.widget.attrs["rows"] = 2
        return field

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deletion in one go: each is asked about."""
        return {}

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Nothing hangs on a row but the documents that mention it, which `delete` looks for."""
        return [str(row) for row in objs], {}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseBase:
        """Delete, or say which workflows mention it."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except AppError as refusal:
            say_refusal(request, refusal)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return redirect(name, object_id)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """The service did."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """The service did."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The service did."""

    @admin.display(description="Used by")
    def used_by(self, row: Any) -> SafeString | str:
        """The workflows that mention it, as links."""
        users = mentioned.used_by(row.workspace_id, self.sort, row.name)
        links = [(reverse("admin:automation_workflow_page", args=[user.id]), user.name) for user in users]
        return format_html("{}", format_html_join(", ", '<a href="{}">{}</a>', links)) if links else "–"


def unchecked(_row: Any) -> None:
    """Staff's forms send no If-Match: the last save wins and is audited."""
