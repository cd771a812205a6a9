"""The form of a notice rule; what may stand in it the service knows."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTimeWidget,
)

from automation.engine.notices import EVENTS
from automation.models import NoticeRule, Workflow
from automation.services import notice_checks, notices
from brainops.accounts.caller import Caller
from brainops.core.errors import AppError, InvalidInput

_FIELD_OF = {"workflow_ids": "workflows", "start_workflow_id": "workflow", "quiet_hours": "timezone"}
_PLAIN = ("name", "is_active", "scope", "tag", "events", "channel", "url", "repeat_minutes")


class NoticeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A notice rule. `caller_of` is set by the admin: who saves, in the workspace that was chosen."""

    caller_of: Any = None
    events = forms.MultipleChoiceField(
        choices=[(event, event.replace("_", " ").capitalize()) for event in EVENTS],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    recipient_lines = forms.CharField(
        label="Recipients",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Of mails, one a line: ops@example.com, user:ada, role:operator, group:sales.",
    )
    quiet_from = forms.TimeField(required=False, widget=UnfoldAdminTimeWidget)
    quiet_until = forms.TimeField(required=False, widget=UnfoldAdminTimeWidget)

    class Meta:
        model = NoticeRule
        fields = (
            *("workspace", "name", "is_active", "events", "scope", "tag", "workflows", "channel"),
            *("url", "workflow", "repeat_minutes", "slow_seconds", "max_per_hour"),
            *("quiet_from", "quiet_until", "timezone"),
        )
        widgets = {"workflows": UnfoldAdminSelectMultipleWidget}
        labels = {"workflow": "Workflow to start", "url": "Address of the webhook"}
        help_texts = {
            "scope": "Which workflows it watches.",
            "tag": "With scope “workflows with a tag”.",
            "workflows": "With scope “chosen workflows”.",
            "workflow": "With channel “workflow”. It gets the input “notice”.",
            "repeat_minutes": "What repeats is told at most this often, with a count.",
            "slow_seconds": "With “run slow”: runs that took longer are slow.",
            "max_per_hour": "Notices within an hour; the rest comes as one.",
            "quiet_from": "Notices of the quiet hours are sent when they are over.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["recipient_lines"].initial = "\n".join(self.instance.recipients or ())
        self.fields["url"].widget.attrs["rows"] = 1
        if not self.instance._state.adding:
            own = Workflow.objects.filter(workspace_id=self.instance.workspace_id).only("id", "name", "version")
            for name in ("workflows", "workflow"):
                field: Any = self.fields[name]
                field.queryset = own

    @property
    def caller(self) -> Caller:
        """Who saves."""
        workspace_id = self.cleaned_data["workspace"].id if "workspace" in self.fields else self.instance.workspace_id
        caller: Caller = self.caller_of(workspace_id)
        return caller

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the fields. Raises ValidationError."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        try:
            notice_checks.check(self.caller, self.said())
        except InvalidInput as refusal:
            for problem in refusal.problems:
                member = problem.pointer.strip("/").partition("/")[0]
                field = "recipient_lines" if member == "recipients" else _FIELD_OF.get(member, member)
                self.add_error(field if field in self.fields else None, problem.message)
        except AppError as refusal:
            self.add_error(None, refusal.message)
        return given

    def said(self) -> dict[str, Any]:
        """The rule in the words of the API."""
        given = self.cleaned_data
        begins, ends = given["quiet_from"], given["quiet_until"]
        quiet = {
            "from": f"{begins:%H:%M}" if begins else "00:00",
            "until": f"{ends:%H:%M}" if ends else "00:00",
            "timezone": given["timezone"],
        }
        return {
            **notices.DEFAULTS,
            **{name: given[name] for name in _PLAIN},
            "workflow_ids": [str(one.id) for one in given["workflows"]],
            "start_workflow_id": str(given["workflow"].id) if given["workflow"] else None,
            "recipients": [line.strip() for line in given["recipient_lines"].splitlines() if line.strip()],
            "slow_seconds": given["slow_seconds"],
            "max_per_hour": given["max_per_hour"],
            "quiet_hours": quiet if begins or ends else None,
        }

    def _post_clean(self) -> None:
        """The row is made by the service, not from the form."""
