"""Routes of accounts."""

from typing import Any

from django.urls import path

from brainops.accounts.api.api_keys import ApiKeyViewSet
from brainops.accounts.api.audit import AdminAuditViewSet, AuditExportView, AuditVerifyView, AuditViewSet
from brainops.accounts.api.invitations import AcceptView, DeclineView, InvitationViewSet
from brainops.accounts.api.logins import LoginView, LogoutView, RefreshView, SecondFactorView
from brainops.accounts.api.me import MeView
from brainops.accounts.api.members import MemberViewSet
from brainops.accounts.api.my_factors import ConfirmFactorView, MyFactorsView, RecoveryCodesView, RemoveFactorsView
from brainops.accounts.api.my_sessions import MySessionViewSet
from brainops.accounts.api.passwords import MyPasswordView, ResetConfirmView, ResetView
from brainops.accounts.api.quotas import QuotasView
from brainops.accounts.api.sign_on import ProvidersView, StartView, TokenView
from brainops.accounts.api.workspaces import WorkspaceViewSet

ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

urlpatterns = [
    path("auth/token", LoginView.as_view(), name="auth-token"),
    path("auth/token/mfa", SecondFactorView.as_view(), name="auth-token-mfa"),
    path("auth/token/refresh", RefreshView.as_view(), name="auth-token-refresh"),
    path("auth/logout", LogoutView.as_view(), name="auth-logout"),
    path("auth/oidc", ProvidersView.as_view(), name="auth-oidc"),
    path("auth/oidc/token", TokenView.as_view(), name="auth-oidc-token"),
    path("auth/oidc/<slug:provider>/start", StartView.as_view(), name="auth-oidc-start"),
    path("auth/password/reset", ResetView.as_view(), name="auth-password-reset"),
    path("auth/password/reset/confirm", ResetConfirmView.as_view(), name="auth-password-reset-confirm"),
    path("me/sessions", MySessionViewSet.as_view({"get": "list"}), name="my-sessions"),
    path("me/sessions/revoke-all", MySessionViewSet.as_view({"post": "revoke_all"}), name="my-sessions-revoke-all"),
    path("me/sessions/<uuid:id>", MySessionViewSet.as_view({"delete": "destroy"}), name="my-session"),
    path("me/password", MyPasswordView.as_view(), name="my-password"),
    path("me/mfa", MyFactorsView.as_view(), name="my-mfa"),
    path("me/mfa/confirm", ConfirmFactorView.as_view(), name="my-mfa-confirm"),
    path("me/mfa/remove", RemoveFactorsView.as_view(), name="my-mfa-remove"),
    path("me/mfa/recovery-codes", RecoveryCodesView.as_view(), name="my-mfa-recovery-codes"),
    path("me", MeView.as_view(), name="me"),
    path("api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"}), name="api-keys"),
    path("api-keys/<uuid:id>", ApiKeyViewSet.as_view(ONE), name="api-key"),
    path("api-keys/<uuid:id>/rotate", ApiKeyViewSet.as_view({"post": "rotate"}), name="api-key-rotate"),
    path("workspaces", WorkspaceViewSet.as_view({"get": "list", "post": "create"}), name="workspaces"),
    path("workspaces/<uuid:id>", WorkspaceViewSet.as_view(ONE), name="workspace"),
    path("workspaces/<uuid:id>/transfer", WorkspaceViewSet.as_view({"post": "transfer"}), name="workspace-transfer"),
    path("admin/workspaces/<uuid:id>/quotas", QuotasView.as_view(), name="workspace-quotas"),
    path("members", MemberViewSet.as_view({"get": "list"}), name="members"),
    path("members/<uuid:id>", MemberViewSet.as_view(ONE), name="member"),
    path("invitations", InvitationViewSet.as_view({"get": "list", "post": "create"}), name="invitations"),
    path("invitations/accept", AcceptView.as_view(), name="invitation-accept"),
    path("invitations/decline", DeclineView.as_view(), name="invitation-decline"),
    path("invitations/<uuid:id>", InvitationViewSet.as_view({"delete": "destroy"}), name="invitation"),
    path("invitations/<uuid:id>/resend", InvitationViewSet.as_view({"post": "resend"}), name="invitation-resend"),
    path("audit", AuditViewSet.as_view({"get": "list"}), name="audit"),
    path("audit/export", AuditExportView.as_view(), name="audit-export"),
    path("audit/verify", AuditVerifyView.as_view(), name="audit-verify"),
    path("audit/<uuid:uid>", AuditViewSet.as_view({"get": "retrieve"}), name="audit-entry"),
    path("admin/audit", AdminAuditViewSet.as_view({"get": "list"}), name="admin-audit"),
    path("admin/audit/verify", AdminAuditViewSet.as_view({"post": "verify"}), name="admin-audit-verify"),
]
