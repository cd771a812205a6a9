"""The form of a subscription; what may stand in it the service knows."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectMultipleWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from automation.models import Workflow
from brainops.core.errors import AppError, InvalidInput
from brainops.core.redact import MASK
from webhooks.models import Subscription
from webhooks.services import subscription_checks, subscriptions

_FIELD_OF = {"types": "type_lines", "headers": "header_lines", "workflow_ids": "workflows"}
_PLAIN = ("description", "url", "is_active", "max_parallel")


def _lines(rows: int) -> Any:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows})


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A subscription; the values of headers are never shown."""

    type_lines = forms.CharField(
        label="Types of events",
        widget=_lines(4),
        help_text="One a line: run.failed, all of a kind like workflow.*, or * for everything.",
    )
    workflows = forms.ModelMultipleChoiceField(
        queryset=Workflow.objects.only("id", "name", "version"),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        help_text="Only events about these, or about workflows with one of the tags. None: of all.",
    )
    tag_names = forms.CharField(
        label="Tags", required=False, widget=UnfoldAdminTextInputWidget, help_text="Separated by commas."
    )
    header_lines = forms.CharField(
        label="Headers",
        required=False,
        widget=_lines(3),
        help_text=f"One a line, as in X-Team: ops. {MASK} stands for the value that is stored.",
    )

    class Meta:
        model = Subscription
        fields = (
            *("workspace", "description", "url", "is_active", "type_lines", "workflows", "tag_names"),
            *("header_lines", "max_parallel"),
        )
        labels = {"url": "Address"}
        help_texts = {"max_parallel": "Deliveries under way at once, 1 to 10."}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        row = self.instance
        self.fields["url"].widget.attrs["rows"] = 1
        self.fields["type_lines"].initial = "\n".join(row.types)
        self.fields["tag_names"].initial = ", ".join(row.tags)
        self.fields["header_lines"].initial = "\n".join(f"{name}: {MASK}" for name in row.header_names)
        self.fields["workflows"].initial = row.workflow_ids
        if not row._state.adding:
            field: Any = self.fields["workflows"]
            field.queryset = field.queryset.filter(workspace_id=row.workspace_id)

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the fields. Raises ValidationError."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        workspace = given.get("workspace")
        stored = Subscription(workspace=workspace) if workspace else Subscription.objects.get(id=self.instance.id)
        try:
            subscription_checks.check(stored, self.said())
        except InvalidInput as refusal:
            for problem in refusal.problems:
                member = problem.pointer.strip("/").partition("/")[0]
                field = _FIELD_OF.get(member, member)
                self.add_error(field if field in self.fields else None, problem.message)
        except AppError as refusal:
            self.add_error(None, refusal.message)
        return given

    def said(self) -> dict[str, Any]:
        """The subscription in the words of the API."""
        given = self.cleaned_data
        chosen = [str(one.id) for one in given["workflows"]]
        return {
            **subscriptions.DEFAULTS,
            **{name: given[name] for name in _PLAIN},
            "types": [line.strip() for line in given["type_lines"].splitlines() if line.strip()],
            "workflow_ids": [*chosen, *self._gone()],
            "tags": [name.strip() for name in given["tag_names"].split(",") if name.strip()],
            "headers": dict(_header(line) for line in given["header_lines"].splitlines() if line.strip()),
        }

    def _gone(self) -> list[str]:
        """Workflows that were deleted stay: without them it would hear of all."""
        stored = list(self.instance.workflow_ids)
        there = Workflow.objects.filter(id__in=stored, workspace_id=self.instance.workspace_id) if stored else ()
        known = {str(one.id) for one in there}
        return [id_ for id_ in stored if id_ not in known]

    def _post_clean(self) -> None:
        """The row is made by the service, not from the form."""


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()
