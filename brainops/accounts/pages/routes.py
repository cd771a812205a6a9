"""Addresses of our pages outside of the admin."""

from django.urls import path

from brainops.accounts.pages import password_reset, sign_on

urlpatterns = [
    path("auth/oidc/callback", sign_on.come_back, name="sign-on-callback"),
    path("auth/oidc/<slug:provider_id>/begin", sign_on.begin, name="sign-on"),
    path("auth/password/reset", password_reset.ask_page, name="admin_password_reset"),  # unfold's login links this name
    path("auth/password/reset/<str:token>", password_reset.choose_page, name="password-reset"),
]
