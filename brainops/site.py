"""The admin site of BrainOps and its navigation."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from brainops.accounts.login_form import OwnPasswordForm
from brainops.accounts.pages import arrival
from brainops.accounts.pages.login import AdminLogin, code_page
from brainops.accounts.pages.security import security_page
from brainops.accounts.services import sign_on

# Beat's tables are written from the settings alone; a task put in by hand would run whatever Celery knows by name.
# So the package's own pages, which edit, are not registered; ours (automation/admin/beat.py) only show.
# allauth's pages edit what only the services of accounts may (secrets of second factors, addresses that nothing reads).
_LOOK_ONLY_APPS = frozenset({"django_celery_beat", "account", "mfa"})


class BrainOpsSite(UnfoldAdminSite):
    """Django admin in unfold's clothes, for staff."""

    site_title = "BrainOps"
    site_header = "BrainOps"
    index_title = "Overview"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, except for pages that edit what nobody should edit."""
        models: Any = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        may_all = getattr(admin_class, "only_shows", False)
        shown = [model for model in models if may_all or model._meta.app_label not in _LOOK_ONLY_APPS]
        super().register(shown, admin_class, **options)

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses, and those of the second factor; they ask for themselves who is there."""
        own = [
            path("login/code/", code_page, name="login-code"),
            path("security/", security_page, name="security"),
        ]
        return [*own, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff only; with a second factor where the installation asks for one (BRAINOPS_STAFF_MFA)."""
        return bool(super().has_permission(request)) and not arrival.lacks_factor(request)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Name and password, or the way to an identity provider."""
        if request.method == "GET" and super().has_permission(request):
            return HttpResponseRedirect(reverse("admin:security" if arrival.lacks_factor(request) else "admin:index"))
        context = {
            **self.each_context(request),
            "title": "Log in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            "identity_providers": sign_on.providers(),
            "next_path": request.GET.get(REDIRECT_FIELD_NAME, ""),
            **(extra_context or {}),
        }
        if REDIRECT_FIELD_NAME not in {*request.GET, *request.POST}:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        request.current_app = self.name
        view = AdminLogin.as_view(
            extra_context=context, authentication_form=self.login_form, template_name="admin/login.html"
        )
        return view(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """One's own password; the old one is asked for under the limits of logins."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)


# title: [(item, icon, name of the page, permission that shows it)]
_SIDEBAR: dict[str, list[tuple[str, str, str, str]]] = {
    "": [("Overview", "monitoring", "index", "")],
    "Automate": [
        ("Workflows", "account_tree", "automation_workflow_changelist", "automation.view_workflow"),
        ("Runs", "play_circle", "automation_run_changelist", "automation.view_run"),
        ("Approvals", "front_hand", "automation_approval_changelist", "automation.view_approval"),
        ("Replays", "replay", "automation_replay_changelist", "automation.view_replay"),
        ("Triggers", "bolt", "automation_trigger_changelist", "automation.view_trigger"),
        ("Trigger health", "monitor_heart", "automation_trigger_health", "automation.view_trigger"),
        ("Firing ledger", "event_available", "automation_trigger_ledger", "automation.view_trigger"),
        ("Variables", "data_object", "automation_variable_changelist", "automation.view_variable"),
        ("Secrets", "key", "automation_secret_changelist", "automation.view_secret"),
        ("Notices", "notifications", "automation_noticerule_changelist", "automation.view_noticerule"),
        ("Kept values", "database", "automation_statevalue_changelist", "automation.view_statevalue"),
        ("Events", "campaign", "automation_event_changelist", "automation.view_event"),
        ("Event deliveries", "outbox", "automation_eventdelivery_changelist", "automation.view_eventdelivery"),
    ],
    "Webhooks": [
        ("Endpoints", "webhook", "webhooks_webhookendpoint_changelist", "webhooks.view_webhookendpoint"),
        ("Events", "inbox", "webhooks_webhookevent_changelist", "webhooks.view_webhookevent"),
        ("Test deliveries", "science", "webhooks_testdelivery_changelist", "webhooks.view_testdelivery"),
        (
            "Unmatched requests",
            "wrong_location",
            "webhooks_unmatchedrequest_changelist",
            "webhooks.view_unmatchedrequest",
        ),
        ("Subscriptions", "outbound", "webhooks_subscription_changelist", "webhooks.view_subscription"),
    ],
    "Operate": [
        ("Figures", "monitoring", "automation_run_figures", "automation.view_run"),
        ("Limits", "traffic", "automation_limit_changelist", "automation.view_limit"),
        ("Workers", "memory", "automation_worker_changelist", "automation.view_worker"),
        ("Beat", "timer", "django_celery_beat_periodictask_changelist", "django_celery_beat.view_periodictask"),
    ],
    "Govern": [
        ("Audit log", "policy", "audit_auditentry_changelist", "audit.view_auditentry"),
        ("Workspaces", "domain", "accounts_workspace_changelist", "accounts.view_workspace"),
        ("Members", "groups", "accounts_membership_changelist", "accounts.view_membership"),
        ("Invitations", "mail", "accounts_invitation_changelist", "accounts.view_invitation"),
        ("Users", "person", "accounts_user_changelist", "accounts.view_user"),
        ("API keys", "key", "accounts_apikey_changelist", "accounts.view_apikey"),
        ("Sessions", "devices", "accounts_loginsession_changelist", "accounts.view_loginsession"),
        ("Identities", "passkey", "accounts_identity_changelist", "accounts.view_identity"),
        ("Groups", "badge", "auth_group_changelist", "auth.view_group"),
        ("API reference", "api", "api-page", ""),
    ],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The navigation of the admin: only what this person may see."""
    groups = []
    for title, entries in _SIDEBAR.items():
        items = [
            {"title": item, "icon": icon, "link": _address(name), "active": _is_current(request, _address(name))}
            for item, icon, name, permission in entries
            if not permission or request.user.has_perm(permission)  # type: ignore[union-attr]  # staff only
        ]
        groups.append({"title": title, "items": items})
    return groups


def _address(name: str) -> str:
    return reverse(name if name == "api-page" else f"admin:{name}")


def _is_current(request: HttpRequest, address: str) -> bool:
    """True for the page itself and those below it, unless these are entries of their own."""
    if address == reverse("admin:index"):
        return request.path == address
    names = ("automation_trigger_ledger", "automation_trigger_health", "automation_run_figures")
    own = [reverse(f"admin:{name}") for name in names]
    nearest = next((page for page in own if request.path.startswith(page)), address)
    return request.path.startswith(address) and address == nearest
