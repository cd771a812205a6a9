"""Users."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from brainops.accounts.admin.workspaces import MembershipInline
from brainops.accounts.models import User
from brainops.accounts.services import profile, second_factors
from brainops.audit.admin.base import AuditedAdmin, actor_of


class NewUserForm(UserCreationForm):
    """A new user; without a password nobody logs in as them."""

    class Meta:
        model = User
        fields = ("email", "username", "name")

    def clean_email(self) -> str:
        """In lower case, as it is stored."""
        return str(self.cleaned_data["email"]).lower()


class EditUserForm(UserChangeForm):
    """Everything else about a user."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, type[forms.Field]] = {}


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):
    """People. Rights in a workspace come from memberships, rights in this admin from the groups."""

    form = EditUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    actions = ("remove_factors",)
    list_display = ("email", "username", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "username", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "username", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "username", "name", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only a superuser gives rights in the admin: else any editor of users could make themselves one."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        if getattr(request.user, "is_superuser", False):
            return fixed
        return (*fixed, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser changes a superuser: a new password or address would make anybody one."""
        may = bool(super().has_change_permission(request, obj))
        return may and (not getattr(obj, "is_superuser", False) or getattr(request.user, "is_superuser", False))

    @admin.action(description="Remove the second factors of the selected users", permissions=["remove_factors"])
    def remove_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Help somebody whose phone and recovery codes are lost."""
        chosen = list(queryset)
        for user in chosen:
            second_factors.remove_all(user, by=actor_of(request))
        self.message_user(request, f"{len(chosen)} users log in without a second factor now.", messages.SUCCESS)

    def has_remove_factors_permission(self, request: HttpRequest) -> bool:
        """Superusers: whoever removes a factor needs one secret less to be somebody else."""
        return bool(getattr(request.user, "is_superuser", False))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and carry along what names the user; the page's view holds the transaction."""
        super().save_model(request, obj, form, change)
        if change and "username" in form.changed_data:
            profile.follow_rename(obj, form.initial["username"])

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[type[MembershipInline], ...]:
        """Memberships once the user is there."""
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Switch users off instead: what they made stays readable."""
        return False
