"""Secrets of the workspaces: add, replace, delete. No page holds a value, not even the one it was typed into."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

from automation.admin.callers import caller_of
from automation.admin.named_values import NamedAdmin, NamedForm, unchecked
from automation.models import Secret
from automation.services import mentioned, secrets
from brainops.core.errors import InvalidInput


class BlindTextarea(UnfoldAdminTextareaWidget):  # type: ignore[misc]  # unfold has no types
    """A text area that shows nothing of what was typed, also when the form comes back with refusals."""

    def format_value(self, value: Any) -> str:
        """Nothing."""
        return ""


class SecretForm(NamedForm):
    """A secret; an empty value leaves it as it is."""

    new_value = forms.CharField(
        label="Value",
        required=False,
        strip=False,
        widget=BlindTextarea(attrs={"autocomplete": "off", "spellcheck": "false", "rows": 3}),
        help_text="It is encrypted and never shown again. Left empty, the present one stays.",
    )
    host_lines = forms.CharField(
        label="Hosts",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The only hosts it is sent to, one a line: api.example.com, *.example.com, 10.0.0.7:8443. None: any.",
    )

    class Meta:
        model = Secret
        fields = ("workspace", "name", "description", "expires_on")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["host_lines"].initial = "\n".join(self.instance.hosts or ())

    def clean_new_value(self) -> str:
        """A value that can be kept and hidden; empty for the present one. Raises ValidationError."""
        value = str(self.cleaned_data["new_value"])
        if value or self.is_new:
            _checked(lambda: secrets.check_value(value))
        return value

    def clean_host_lines(self) -> list[str]:
        """The hosts. Raises ValidationError."""
        lines = [line.strip() for line in str(self.cleaned_data["host_lines"]).splitlines()]
        hosts: list[str] = _checked(lambda: secrets.read_hosts(line for line in lines if line))
        return hosts

    def clean(self) -> dict[str, Any]:
        """Who sends it to more hosts types it again. Raises ValidationError."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.is_new and not given.get("new_value") and "host_lines" in given:
            try:
                secrets.refuse_wider(self.instance.hosts, given["host_lines"])
            except InvalidInput as refusal:
                self.add_error("new_value", refusal.message)
        return given


@admin.register(Secret)
class SecretAdmin(NamedAdmin):
    """Secrets, by what is known about them."""

    sort = mentioned.SECRETS
    form = SecretForm
    list_display = ("name", "workspace", "bound_to", "expires_on", "last_used_at", "last_used_by")
    list_select_related = ("workspace", "last_used_by")
    readonly_fields = (
        "used_by",
        "value_set_at",
        "last_used_at",
        "last_used_by",
        "revision",
        "updated_by",
        "updated_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        """Without the values, also encrypted."""
        rows: QuerySet[Secret] = super().get_queryset(request)
        return rows.defer("value")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is known of it stands below what can be changed."""
        fields = ("workspace", "name", "new_value", "description", "host_lines", "expires_on")
        return (*fields, *self.readonly_fields) if obj else fields

    @admin.display(description="Hosts")
    def bound_to(self, row: Secret) -> str:
        """Where it may go."""
        return ", ".join(row.hosts) or "any"

    def save_model(self, request: HttpRequest, obj: Secret, form: Any, change: bool) -> None:
        """Save through the service."""
        caller, given = caller_of(request, obj.workspace_id), _given(form)
        if change:
            secrets.change(caller, obj.name, check=unchecked, **given)
        else:
            obj.pk = secrets.create(caller, obj.name, **given).pk

    def delete_model(self, request: HttpRequest, obj: Secret) -> None:
        """Delete through the service. Raises Conflict while workflows mention it."""
        secrets.delete(caller_of(request, obj.workspace_id), obj.name, check=unchecked)


def _given(form: Any) -> dict[str, Any]:
    said = form.cleaned_data
    given = {"description": said["description"], "hosts": said["host_lines"], "expires_on": said["expires_on"]}
    return given | ({"value": said["new_value"]} if said["new_value"] else {})


def _checked(check: Any) -> Any:
    try:
        return check()
    except InvalidInput as refusal:
        raise forms.ValidationError([problem.message for problem in refusal.problems]) from refusal
