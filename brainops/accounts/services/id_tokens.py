"""ID tokens of identity providers: checked as OpenID Connect Core 1.0, section 3.1.3.7, and RFC 8725 ask."""

from __future__ import annotations

import hmac
from typing import Any

import jwt

from brainops.accounts.services.oidc_metadata import Metadata, Publisher
from brainops.core import clock
from brainops.core.errors import NotAuthenticated
from brainops.core.identity_providers import Provider

# Signatures with a key that only the provider has. HMAC is not among them: there the client secret would be the key.
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"})
_LONGEST = 16 * 1024  # characters
_LEEWAY_SECONDS = 60
_REQUIRED = ["iss", "aud", "sub", "exp", "iat", "nonce"]


def read(text: Any, provider: Provider, publisher: Publisher, *, nonce: str) -> dict[str, Any]:
    """The claims of an ID token that was made for us, by this provider, for this very visit.

    Raises NotAuthenticated, and Unavailable when the keys cannot be had.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise _refused()
    try:
        claims = _verified(text, provider, publisher)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _refused() from error
    now = clock.now().timestamp()
    if not (_is_number(claims["exp"]) and _is_number(claims["iat"])):
        raise _refused()
    if claims["exp"] <= now - _LEEWAY_SECONDS or claims["iat"] > now + _LEEWAY_SECONDS:
        raise _refused()
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise _refused()
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise _refused()
    return claims


def _verified(text: str, provider: Provider, publisher: Publisher) -> dict[str, Any]:
    header = jwt.get_unverified_header(text)
    algorithm = str(header.get("alg"))
    if algorithm not in _allowed(publisher.metadata()):
        raise ValueError("signed by an algorithm that is not accepted")
    key = _key_for(header.get("kid"), publisher)
    claims: dict[str, Any] = jwt.decode(
        text,
        jwt.PyJWK(key, algorithm=algorithm).key,
        algorithms=[algorithm],
        audience=provider.client_id,
        issuer=provider.issuer,
        options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},  # by our own clock
    )
    is_for_many = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", provider.client_id) != provider.client_id or (is_for_many and "azp" not in claims):
        raise ValueError("made for somebody else")
    return claims


def _allowed(metadata: Metadata) -> frozenset[str]:
    return _ALGORITHMS & frozenset(metadata.algorithms)


def _key_for(key_id: Any, publisher: Publisher) -> dict[str, Any]:
    """The key the token names; asked for anew when it is unknown, since providers change theirs."""
    for anew in (False, True):
        fitting = [key for key in publisher.keys(anew=anew) if _fits(key, key_id)]
        if len(fitting) == 1:
            return fitting[0]
    raise ValueError("signed with an unknown key")


def _fits(key: dict[str, Any], key_id: Any) -> bool:
    is_for_signatures = key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")
    return is_for_signatures and (key_id is None or key.get("kid") == key_id)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The identity provider's token is not acceptable here. Begin anew.", code="sign_on_failed")
