"""Routes of accounts."""

from django.urls import path

from brainops.accounts.api.api_keys import ApiKeyViewSet
from brainops.accounts.api.logins import LoginView, LogoutView, RefreshView
from brainops.accounts.api.me import MeView

urlpatterns = [
    path("auth/token", LoginView.as_view(), name="auth-token"),
    path("auth/token/refresh", RefreshView.as_view(), name="auth-token-refresh"),
    path("auth/logout", LogoutView.as_view(), name="auth-logout"),
    path("me", MeView.as_view(), name="me"),
    path("api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"}), name="api-keys"),
    path("api-keys/<uuid:id>", ApiKeyViewSet.as_view({"delete": "destroy"}), name="api-key"),
]
