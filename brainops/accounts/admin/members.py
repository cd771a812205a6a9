"""Members of all workspaces: add, change roles, remove with a look at what becomes of their things."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from unfold.decorators import action

from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role
from brainops.accounts.services import departures, members
from brainops.accounts.services.people_lock import lock_people
from brainops.audit.admin.base import AuditedAdmin, actor_of
from brainops.core.errors import AppError


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]  # ModelForm takes no parameters at run time
    """Refuses what the services refuse, before anything is written."""

    class Meta:
        model = Membership
        fields = ["workspace", "user", "role"]

    def clean(self) -> dict[str, Any]:
        """The values; the last active Owner stays one. Raises ValidationError."""
        values: dict[str, Any] = super().clean() or {}
        if not self.instance._state.adding and values.get("role") not in (None, Role.OWNER):
            refusal = members.why_not_demoted(self.instance.pk)
            if refusal:
                raise forms.ValidationError(refusal)
        return values


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    """Who is in which workspace, as what."""

    form = MemberForm
    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "user__username", "workspace__slug")
    autocomplete_fields = ("user", "workspace")
    actions_detail = ("remove",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Who and where never change: that would be another membership."""
        return ("workspace", "user", "created_at") if obj else ("created_at",)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Write by the services, which audit it and keep the last Owner."""
        role = Role(form.cleaned_data["role"])
        if change:
            members.change_role(_as_staff(request, obj), obj.pk, role)
            return
        with transaction.atomic():
            lock_people(obj.workspace_id)
            obj.pk = members.add(obj.user, obj.workspace_id, role, by=actor_of(request)).pk

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has recorded it already."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has recorded it already."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removing has a page of its own, which says what becomes of the person's things."""
        return False

    def has_remove_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may delete memberships."""
        return bool(request.user.has_perm("accounts.delete_membership"))

    @action(description="Remove from the workspace…", icon="person_remove", permissions=["remove"])
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the question."""
        return redirect("admin:accounts_membership_remove", id=object_id)

    def get_urls(self) -> list[Any]:
        """The page that asks before somebody is removed."""
        view = self.admin_site.admin_view(self.remove_view)
        return [path("<uuid:id>/remove/", view, name="accounts_membership_remove"), *super().get_urls()]

    def remove_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Say what would happen; do it when asked by POST."""
        if not self.has_remove_permission(request):
            raise PermissionDenied
        member = get_object_or_404(Membership.objects.select_related("user", "workspace"), pk=id)
        caller = _as_staff(request, member)
        heir = _heir(request)
        try:
            if request.method == "POST":
                departures.remove(caller, id, reassign_to=heir)
                messages.success(request, f"{member.user.email} is no member of {member.workspace} any more.")
                return redirect("admin:accounts_membership_changelist")
            found = departures.what_goes_with(caller, id, reassign_to=heir)
        except AppError as refusal:
            messages.error(request, refusal.message)
            return redirect("admin:accounts_membership_change", object_id=id)
        others = Membership.objects.filter(workspace=member.workspace_id, user__is_active=True).exclude(pk=id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Remove {member.user.email}",
            "found": found,
            "heirs": others.select_related("user").order_by("user__email"),
        }
        return TemplateResponse(request, "accounts/removal.html", context)


def _as_staff(request: HttpRequest, member: Membership) -> Caller:
    """The member of staff: Django's permissions, which the page asks for, decide what staff may do."""
    user: Any = request.user
    return Caller(
        user_id=user.pk, label=user.email, via="admin", workspace_id=member.workspace_id, role=Role.OWNER, is_staff=True
    )


def _heir(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("reassign_to", ""))
    except ValueError:
        return None
