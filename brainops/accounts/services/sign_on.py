"""Single sign-on: authorization code flow with PKCE (RFC 7636), state, nonce and issuer check (RFC 9700).

A visit begins with `start` and ends with `complete`. Its `state` is a one-time token; besides it, whoever began the
visit holds a ticket, which never passes the provider or the address bar: a state or code that somebody else slips in is
worth nothing (login CSRF, code injection).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from django.conf import settings

from brainops.accounts.models import OneTimeToken, TokenPurpose, User
from brainops.accounts.services import id_tokens, identities, login_limits, one_time
from brainops.accounts.services.oidc_metadata import Publisher, fetch, publisher
from brainops.core import redact
from brainops.core.errors import NotAuthenticated, NotFound
from brainops.core.identity_providers import Provider
from brainops.core.web.clients import current_ip

VISIT_SECONDS = 600
CALLBACK_PATH = "/auth/oidc/callback"
Door = Literal["admin", "api"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to a provider that has begun."""

    url: str  # where the browser goes
    state: str
    ticket: str  # the secret of whoever began it


def providers() -> list[Provider]:
    """The providers of the settings."""
    found: dict[str, Provider] = settings.BRAINOPS_OIDC_PROVIDERS
    return list(found.values())


def provider_named(provider_id: str) -> Provider:
    """One provider of the settings. Raises NotFound."""
    provider: Provider | None = settings.BRAINOPS_OIDC_PROVIDERS.get(provider_id)
    if provider is None:
        raise NotFound(f"There is no identity provider {provider_id[:40]!r} here.")
    return provider


def start(provider: Provider, *, door: Door, next_path: str = "") -> Visit:
    """Begin a visit. Raises TooManyRequests, and Unavailable when the provider is away."""
    login_limits.take_visit(current_ip.get())
    endpoint = _publisher(provider).metadata().authorization_endpoint
    ticket, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    redact.register(ticket)
    state = one_time.issue(
        TokenPurpose.SIGN_ON,
        seconds=VISIT_SECONDS,
        data={"provider": provider.id, "door": door, "next": next_path, "ticket": _hash(ticket)},
        secret=json.dumps({"verifier": verifier, "nonce": nonce}),
    )
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(),
        "scope": provider.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    return Visit(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", state, ticket)


def find(state: str) -> OneTimeToken | None:
    """The visit of a state, which stays as it is: to know which door it came from."""
    login_limits.take_visit(current_ip.get())
    return one_time.find(TokenPurpose.SIGN_ON, state)


def complete(*, door: Door, ticket: str, state: str, code: str, issuer: str | None) -> tuple[User, list[str]]:
    """The user behind the provider's answer, and how they proved it. Uses the visit up.

    Raises NotAuthenticated, TooManyRequests, and Unavailable when the provider is away.
    """
    row = find(state)
    if row is None or row.data["door"] != door or not hmac.compare_digest(row.data["ticket"], _hash(ticket)):
        raise _failed("This sign-on is over, or it was begun by somebody else. Begin anew.")
    kept = json.loads(row.secret or "{}")
    if not one_time.take(row):
        raise _failed("This answer was used already. Begin anew.")
    provider = provider_named(row.data["provider"])
    known = _publisher(provider)
    if (issuer is None and known.metadata().sends_issuer) or issuer not in (None, provider.issuer):
        raise _failed("The answer comes from another identity provider than the one that was asked.")
    answer = _exchange(provider, known, code=code, verifier=kept["verifier"])
    claims = id_tokens.read(answer.get("id_token"), provider, known, nonce=kept["nonce"])
    claims = _with_userinfo(provider, known, claims, answer.get("access_token"))
    return identities.user_of(provider, claims), _amr(provider, claims)


def redirect_uri() -> str:
    """The one address that providers send browsers back to; it follows from the settings alone."""
    return f"{settings.BRAINOPS_PUBLIC_URL}{CALLBACK_PATH}"


def _exchange(provider: Provider, known: Publisher, *, code: str, verifier: str) -> dict[str, Any]:
    """The token endpoint's answer to a code (RFC 6749, section 4.1.3)."""
    metadata = known.metadata()
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(),
        "client_id": provider.client_id,
        "code_verifier": verifier,
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if provider.client_secret and "client_secret_basic" in metadata.auth_methods:
        pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"  # RFC 6749, 2.3.1
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif provider.client_secret:
        body["client_secret"] = provider.client_secret
    answer = fetch(provider, "POST", metadata.token_endpoint, headers=headers, body=urlencode(body).encode())
    if "error" in answer:
        raise _failed("The identity provider refused the code. It may be old, or it was used before. Begin anew.")
    return answer


def _with_userinfo(provider: Provider, known: Publisher, claims: dict[str, Any], access_token: Any) -> dict[str, Any]:
    """The claims, completed by the userinfo endpoint when the ID token names no address."""
    endpoint = known.metadata().userinfo_endpoint
    if "email" in claims or endpoint is None or not isinstance(access_token, str):
        return claims
    found = fetch(provider, "GET", endpoint, headers={"authorization": f"Bearer {access_token}"})
    if found.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, section 5.3.2
        raise _failed("The identity provider spoke of two people. Begin anew.")
    return {**found, **claims}


def _amr(provider: Provider, claims: dict[str, Any]) -> list[str]:
    given = claims.get("amr")
    has_second = provider.trusts_mfa and isinstance(given, list) and "mfa" in given
    return ["sso", "mfa"] if has_second else ["sso"]


def _publisher(provider: Provider) -> Publisher:
    return publisher(provider.id, provider.issuer)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _failed(message: str) -> NotAuthenticated:
    return NotAuthenticated(message, code="sign_on_failed")
