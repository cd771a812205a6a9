"""Variables of the workspaces: look, add, change, delete."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from automation.admin.callers import caller_of
from automation.admin.named_values import NamedAdmin, NamedForm, unchecked
from automation.admin.state import beginning
from automation.models import Variable
from automation.services import mentioned, variables
from brainops.core.errors import AppError


class VariableForm(NamedForm):
    """A variable; the value is JSON."""

    class Meta:
        model = Variable
        fields = ("workspace", "name", "value", "description")
        help_texts = {"value": 'JSON: "text" in quotes, 42, true, [1, 2], {"a": 1}.'}

    def clean_value(self) -> Any:
        """A value that can be kept. Raises ValidationError."""
        value = self.cleaned_data["value"]
        try:
            variables.check_value(value)
        except AppError as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return value


@admin.register(Variable)
class VariableAdmin(NamedAdmin):
    """Variables. Everybody who may read a workspace may read them."""

    sort = mentioned.VARS
    form = VariableForm
    list_display = ("name", "workspace", "start", "revision", "updated_at")
    readonly_fields = ("used_by", "revision", "updated_by", "updated_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is known of it stands below what can be changed."""
        fields = ("workspace", "name", "value", "description")
        return (*fields, *self.readonly_fields) if obj else fields

    @admin.display(description="Value")
    def start(self, row: Variable) -> str:
        """The beginning of the value, as JSON."""
        return beginning(row.value)

    def save_model(self, request: HttpRequest, obj: Variable, form: Any, change: bool) -> None:
        """Save through the service."""
        caller, given = caller_of(request, obj.workspace_id), {"value": obj.value, "description": obj.description}
        if change:
            variables.change(caller, obj.name, check=unchecked, **given)
        else:
            obj.pk = variables.create(caller, obj.name, **given).pk

    def delete_model(self, request: HttpRequest, obj: Variable) -> None:
        """Delete through the service. Raises Conflict while workflows mention it."""
        variables.delete(caller_of(request, obj.workspace_id), obj.name, check=unchecked)
