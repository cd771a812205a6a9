"""The routes that answer without an API key or token: one list, each with its reason and its own proof.

A view is public only by standing here; a test walks all routes and compares (brainops/accounts/tests/test_routes.py).
"""

from __future__ import annotations

from typing import NamedTuple


class PublicRoute(NamedTuple):
    """Why a route is open, and what stands in for the caller's identity."""

    route: str
    reason: str
    proof: str


PUBLIC_ROUTES = (
    PublicRoute("api/v1/automation/health", "probes of load balancers", "tells one word; details need a staff token"),
    PublicRoute("api/v1/automation/auth/token", "this is the login", "password, limited before hashing"),
    PublicRoute(
        "api/v1/automation/auth/token/mfa",
        "the second half of the login",
        "ticket of the first half and a code, limited",
    ),
    PublicRoute(
        "api/v1/automation/auth/password/reset",
        "whoever forgot the password cannot log in",
        "tells nothing and changes nothing; the link goes to the address alone; limited",
    ),
    PublicRoute(
        "api/v1/automation/auth/password/reset/confirm",
        "the link's owner cannot log in yet",
        "256-bit token of the mail, works once, limited by network",
    ),
    PublicRoute(
        "api/v1/automation/auth/oidc",
        "a client shows its buttons before anybody is logged in",
        "tells names that the login page shows as well",
    ),
    PublicRoute(
        "api/v1/automation/auth/oidc/<slug:provider>/start",
        "this is the login through an identity provider",
        "hands out a state and a ticket that are worth nothing without the provider's code; limited",
    ),
    PublicRoute(
        "api/v1/automation/auth/oidc/token",
        "the end of that login",
        "ticket and state of one visit, the provider's code with PKCE, its signed token with our nonce; limited",
    ),
    PublicRoute("api/v1/automation/auth/token/refresh", "the access token has expired", "refresh token, single use"),
    PublicRoute(
        "api/v1/automation/webhooks/<uuid:webhook_id>/receive",
        "outside services hold no key of ours",
        "signature over the raw bytes",
    ),
    PublicRoute(
        "api/v1/automation/webhooks/<uuid:webhook_id>/receive/<path:path>",
        "outside services hold no key of ours; what stands behind the address is data",
        "signature over the raw bytes",
    ),
    PublicRoute(
        "api/v1/automation/webhooks/test/<uuid:test_id>",
        "outside services hold no key of ours",
        "listens only while a member has opened it; 122 random bits, signature over the raw bytes, limited",
    ),
    PublicRoute(
        "api/v1/automation/webhooks/test/<uuid:test_id>/<path:path>",
        "outside services hold no key of ours; what stands behind the address is data",
        "as the test address itself",
    ),
    PublicRoute(
        "api/v1/automation/webhooks/status/<str:token>",
        "whoever sent a delivery holds no key of ours and asks for its answer",
        "keyed hash over run and end of its time; tells status and answer; limited by network",
    ),
    PublicRoute(
        "api/v1/automation/callbacks/<str:token>",
        "whoever was sent a one-time URL holds no key of ours",
        "256-bit token in the address, works once and only by POST, limited by network",
    ),
    PublicRoute(
        "api/v1/automation/invitations/accept",
        "whoever was invited may have no account yet",
        "256-bit token from the mail, works once, tries limited by network; an existing account has to log in",
    ),
    PublicRoute(
        "api/v1/automation/invitations/decline",
        "whoever was invited may have no account",
        "256-bit token from the mail, works once, tries limited by network",
    ),
    PublicRoute(
        "api/v1/automation/notices/mute/<str:token>",
        "whoever gets a mail may end it without logging in",
        "keyed hash over whose mails of which rule; GET only asks; limited by network",
    ),
    PublicRoute("internal/metrics", "the scraper holds no key of ours", "BRAINOPS_METRICS_TOKEN"),
)

# Pages that open for whoever is not logged in to the admin; all others lead to its login.
PUBLIC_PAGES = (
    PublicRoute("admin/login/", "this is the login", "password, limited before hashing"),
    PublicRoute("admin/login/code/", "the second half of the login", "a session whose password was right, and a code"),
    PublicRoute("admin/logout/", "the way out", "leads to the admin, which leads to the login"),
    PublicRoute("", "what people type", "leads to the admin"),
    PublicRoute("admin", "what people type", "leads to the admin"),
    PublicRoute("auth/oidc/<slug:provider_id>/begin", "the way to an identity provider", "changes nothing; limited"),
    PublicRoute("auth/oidc/callback", "the way back", "state and ticket of one visit, the provider's signed token"),
    PublicRoute("auth/password/reset", "whoever forgot the password cannot log in", "tells nothing; limited"),
    PublicRoute("invitations/<str:token>", "an invited person may have no account yet", "256-bit token of the mail"),
    PublicRoute(
        "forms/<uuid:trigger_id>",
        "whoever is to fill in a form has no account",
        "random address, a token of our page that counts once, a field that people do not see, limited by network",
    ),
    PublicRoute("auth/password/reset/<str:token>", "the link of a mail", "256-bit token, works once, limited"),
)

# What a view asks for when any identity will do: the answer is the same for every workspace and role.
ANY_CALLER = "any"

# What a view asks for that shows all workspaces: a person of the staff, logged in. API keys are never staff: one that
# leaks must not open every workspace.
STAFF = "staff"
