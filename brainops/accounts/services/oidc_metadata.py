"""What an identity provider publishes about itself: its endpoints and its keys, fetched through the outbound door.

The door of this room opens the provider's own host even when that is private, since the operator named it; every other
host its metadata names must be public. Workflows gain nothing by that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from brainops.core import logs
from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.client import Client
from brainops.core.egress.errors import EgressError
from brainops.core.egress.http import Request
from brainops.core.errors import Unavailable
from brainops.core.identity_providers import Provider

_KEPT_SECONDS = 3600.0
_KEYS_AGAIN_SECONDS = 60.0  # a token with an unknown key makes us look again, but not for each of a flood
_AWAY_SECONDS = 5.0  # after a failure: those who waited for it do not wait for another one, each in their turn
_TOTAL_SECONDS = 10.0
_MAX_BYTES = 256 * 1024
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The checked part of a provider's discovery document (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: tuple[str, ...]
    auth_methods: tuple[str, ...]
    sends_issuer: bool  # in the answer to the browser (RFC 9207)


class Publisher:
    """A provider's documents, kept for an hour. Safe for any number of threads."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, list[dict[str, Any]]] | None = None
        self._away_until = 0.0

    def metadata(self) -> Metadata:
        """The endpoints. Raises Unavailable when the provider is away or publishes something else."""
        with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata[0] > _KEPT_SECONDS:
                url = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._metadata = (time.monotonic(), _checked(self._provider, self._ask(url)))
            return self._metadata[1]

    def keys(self, *, anew: bool = False) -> list[dict[str, Any]]:
        """The public keys (RFC 7517). `anew` asks again, at most once a minute. Raises Unavailable."""
        uri = self.metadata().jwks_uri
        with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys else float("inf")
            if age > (_KEYS_AGAIN_SECONDS if anew else _KEPT_SECONDS):
                found = self._ask(uri).get("keys")
                keys = [key for key in found if isinstance(key, dict)] if isinstance(found, list) else []
                self._keys = (time.monotonic(), keys)
            return self._keys[1] if self._keys else []

    def _ask(self, url: str) -> dict[str, Any]:
        """A document, unless the provider was away a moment ago: the lock is held, and it may take ten seconds."""
        if time.monotonic() < self._away_until:
            raise _away(self._provider)
        try:
            return fetch(self._provider, "GET", url)
        except Unavailable:
            self._away_until = time.monotonic() + _AWAY_SECONDS
            raise


@lru_cache(maxsize=32)
def publisher(provider_id: str, issuer: str) -> Publisher:
    """The publisher of one provider of the settings."""
    return Publisher(settings.BRAINOPS_OIDC_PROVIDERS[provider_id])


def fetch(
    provider: Provider, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> dict[str, Any]:
    """A JSON object from the provider. Raises Unavailable; a refusal of the token endpoint is returned as it came."""
    given = {"accept": "application/json", **(headers or {})}
    request = Request(method, url, given, body, total_seconds=_TOTAL_SECONDS, max_bytes=_MAX_BYTES)
    try:
        answer = _door(provider.issuer).send(request)
        value = orjson.loads(answer.body)
    except (EgressError, orjson.JSONDecodeError) as error:
        log.warning("identity_provider_failed", provider=provider.id, error=type(error).__name__)
        raise _away(provider) from error
    if not isinstance(value, dict) or answer.status >= 500 or (answer.status != 200 and method == "GET"):
        log.warning("identity_provider_failed", provider=provider.id, status=answer.status)
        raise _away(provider)
    return value


def _checked(provider: Provider, document: Mapping[str, Any]) -> Metadata:
    """Take the document for what it says only when it is this issuer's own (Discovery 1.0, section 4.3)."""
    is_strict = urlsplit(provider.issuer).scheme == "https"
    endpoints = {name: document.get(name) for name in (*_ENDPOINTS, "userinfo_endpoint")}
    schemes = ("https://",) if is_strict else ("https://", "http://")
    for name, url in endpoints.items():
        is_wanted = name in _ENDPOINTS or url is not None
        if is_wanted and not (isinstance(url, str) and url.startswith(schemes)):
            log.warning("identity_provider_misfit", provider=provider.id, member=name)
            raise _away(provider)
    if document.get("issuer") != provider.issuer:
        log.warning("identity_provider_misfit", provider=provider.id, member="issuer")
        raise _away(provider)
    return Metadata(
        authorization_endpoint=str(endpoints["authorization_endpoint"]),
        token_endpoint=str(endpoints["token_endpoint"]),
        jwks_uri=str(endpoints["jwks_uri"]),
        userinfo_endpoint=endpoints["userinfo_endpoint"],
        algorithms=_texts(document.get("id_token_signing_alg_values_supported"), ("RS256",)),
        auth_methods=_texts(document.get("token_endpoint_auth_methods_supported"), ("client_secret_basic",)),
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _texts(value: Any, usual: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else usual


@lru_cache(maxsize=32)
def _door(issuer: str) -> Client:
    parts = urlsplit(issuer)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return Client(parse_allow_list([f"{host}:{port}"]))


def _away(provider: Provider) -> Unavailable:
    message = f"{provider.name} does not answer as it should. Try again; the log says what is wrong."
    return Unavailable(message, code="identity_provider_away", retry_after_seconds=10)
