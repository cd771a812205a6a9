"""Notice rules: the list, the form, and the page of one with what it sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST
from unfold.views import ChangeList

from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import WorkspaceFilter
from automation.admin.notice_form import NoticeForm
from automation.admin.rights import may
from automation.looks.states import DELIVERIES, OFF, ON
from automation.models import DeliveryState, NoticeDelivery, NoticeRule
from automation.services import notice_acts, notice_letters, notices
from brainops.audit.admin.base import AuditedAdmin
from brainops.core import clock
from brainops.core.errors import AppError

SHOWN_DELIVERIES = 50
MUTES = {"1h": ("1 hour", 1), "1d": ("1 day", 24), "1w": ("1 week", 168)}


class NoticeList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with their looks."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then say how each row looks."""
        super().get_results(request)
        self.result_list = [_dressed(row) for row in self.result_list]


@admin.register(NoticeRule)
class NoticeRuleAdmin(AuditedAdmin):
    """Notice rules of all workspaces."""

    change_list_template = "automation/notice_list.html"
    form = NoticeForm
    list_display = ("name",)
    list_filter = ("channel", "is_active", WorkspaceFilter)
    list_select_related = ("workspace",)
    search_fields = ("name", "=id", "url")
    search_help_text = "Name, address or id"
    sortable_by = ()
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[NoticeRule]:
        """With what is told about them, and how many messages were given up within a day."""
        lately = Q(deliveries__state=DeliveryState.FAILED, deliveries__created_at__gt=clock.now() - timedelta(days=1))
        return notices.with_parts().defer("secret").annotate(failed=Count("deliveries", filter=lately))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NoticeList]:
        """The list with looks."""
        return NoticeList

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which knows who saves."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.caller_of = staticmethod(lambda workspace_id: caller_of(request, workspace_id))
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A rule never moves to another workspace."""
        fields = list(NoticeForm.Meta.fields)
        fields.insert(fields.index("url"), "recipient_lines")
        return tuple(fields if obj is None else fields[1:])

    def get_urls(self) -> list[Any]:
        """The page of one rule, and its buttons."""
        view = self.admin_site.admin_view
        post = {"test": self.test_view, "mute": self.mute_view, "redeliver": self.redeliver_view}
        return [
            path("<uuid:id>/", view(require_GET(self.page_view)), name="automation_noticerule_page"),
            *(
                path(f"<uuid:id>/{verb}/", view(require_POST(act)), name=f"automation_noticerule_{verb}")
                for verb, act in post.items()
            ),
            *super().get_urls(),
        ]

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The page of one rule."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rule = _dressed(get_object_or_404(self.get_queryset(request).select_related("workspace", "workflow"), id=id))
        rows: list[Any] = list(NoticeDelivery.objects.filter(rule=rule)[:SHOWN_DELIVERIES])
        for row in rows:
            row.look = DELIVERIES[DeliveryState(row.state)]
            row.headline = notice_letters.headline_of(row.content)
        context = {
            **self.admin_site.each_context(request),
            "title": rule.name,
            "rule": rule,
            "deliveries": rows,
            "mutes": [(key, title) for key, (title, _hours) in MUTES.items()],
            "may_change": self.has_change_permission(request),
        }
        return render(request, "automation/notice.html", context)

    def test_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Send a test, and say what became of it."""

        def act(rule: NoticeRule) -> None:
            for row in notice_acts.test(caller_of(request, rule.workspace_id), rule.id):
                to = row.address or rule.channel
                if row.state == DeliveryState.SENT:
                    messages.success(request, f"The test reached {to}.")
                else:
                    messages.error(request, f"The test did not reach {to}: {row.last_error}")

        return self._do(request, id, act)

    def mute_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Silence the rule for a while, or let it speak again."""
        hours = MUTES.get(request.POST.get("for", ""), ("", 0))[1]
        until = clock.now() + timedelta(hours=hours) if hours else None
        workflow_id = request.POST.get("workflow") or None

        def act(rule: NoticeRule) -> None:
            caller = caller_of(request, rule.workspace_id)
            notice_acts.mute(caller, rule.id, until=until, workflow_id=workflow_id)
            messages.success(request, "It is silent now." if until else "It speaks again.")

        return self._do(request, id, act)

    def redeliver_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Send a delivery again."""

        def act(rule: NoticeRule) -> None:
            notice_acts.redeliver(caller_of(request, rule.workspace_id), rule.id, request.POST.get("delivery", ""))
            messages.success(request, "It is sent again.")

        return self._do(request, id, act)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Save through the service; the secret of a new webhook is shown this once."""
        caller = form.caller
        if change:
            saved = notices.replace(caller, form.instance.id, **form.said())
        else:
            saved = notices.create(caller, **form.said())
        if saved.secret:
            messages.warning(request, f"The webhook is signed with {saved.secret} – it is not shown again.")
        return saved.rule

    def save_model(self, request: HttpRequest, obj: NoticeRule, form: Any, change: bool) -> None:
        """The service has saved and recorded it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """As above."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """As above."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """As above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """As above."""

    def delete_model(self, request: HttpRequest, obj: NoticeRule) -> None:
        """Delete through the service."""
        notices.delete(caller_of(request, obj.workspace_id), obj.id)

    def _do(self, request: HttpRequest, id: UUID, act: Callable[[NoticeRule], None]) -> HttpResponse:
        if not may(request, "automation.change_noticerule"):
            raise PermissionDenied
        rule = get_object_or_404(NoticeRule.objects.defer("secret"), id=id)
        try:
            act(rule)
        except AppError as refusal:
            say_refusal(request, refusal)
        return redirect("admin:automation_noticerule_page", id=id)


def _dressed(rule: Any) -> Any:
    """A rule with its look, and the mute of all of it, if there is one."""
    rule.look = ON if rule.is_active else OFF
    rule.silence = next((mute for mute in rule.mutes.all() if mute.workflow_id is None), None)
    return rule
