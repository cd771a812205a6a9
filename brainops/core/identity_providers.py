"""Identity providers for single sign-on, as the environment names them (`BRAINOPS_OIDC`, docs/signing-in.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from brainops.core.environment import Environment

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]|[a-z0-9]")
_ROLES = ("viewer", "operator", "builder", "admin", "owner")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenID Connect provider. `issuer` is compared letter by letter with what its tokens say."""

    id: str
    name: str  # on the button
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)  # none: a public client, with PKCE alone
    scopes: str = "openid email profile"
    domains: tuple[str, ...] = ()  # of e-mail addresses that may sign in; none: any
    creates_users: bool = False  # else only people who are here already
    trusts_email: bool = False  # takes an address as verified although the provider does not say so
    trusts_mfa: bool = False  # a second factor the provider has seen (`amr`) counts here as well
    workspace: str = ""  # slug that people of this provider become members of
    role: str = ""  # in that workspace
    role_claim: str = ""  # a claim whose values give a role
    roles: Mapping[str, str] = field(default_factory=dict)  # value of that claim → role


def read_providers(env: Environment) -> dict[str, Provider]:
    """The providers by id. What is wrong is added to the environment's problems, without any value that may be secret.

    `BRAINOPS_OIDC` is a JSON list of objects; for a single provider BRAINOPS_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET,
    _NAME and the like do.
    """
    found: dict[str, Provider] = {}
    for position, entry in enumerate(_entries(env), start=1):
        try:
            provider = _provider(entry if isinstance(entry, dict) else {})
        except ValueError as error:
            env.refuse(f"BRAINOPS_OIDC entry {position} {error}.")
            continue
        if provider.id in found:
            env.refuse(f"BRAINOPS_OIDC entry {position} repeats the id {provider.id!r}.")
        found[provider.id] = provider
    return found


def _entries(env: Environment) -> list[Any]:
    text = env.text("BRAINOPS_OIDC", "")
    single = _single(env)
    if not text:
        return [single] if single else []
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        env.refuse("BRAINOPS_OIDC must be a JSON list of objects, one for each provider.")
        return []
    return [*entries, single] if single else entries


_TEXTS_OF_ONE = {
    "id": "BRAINOPS_OIDC_ID",
    "name": "BRAINOPS_OIDC_NAME",
    "client_id": "BRAINOPS_OIDC_CLIENT_ID",
    "client_secret": "BRAINOPS_OIDC_CLIENT_SECRET",
    "workspace": "BRAINOPS_OIDC_WORKSPACE",
    "role": "BRAINOPS_OIDC_ROLE",
    "role_claim": "BRAINOPS_OIDC_ROLE_CLAIM",
}
_FLAGS_OF_ONE = {
    "creates_users": "BRAINOPS_OIDC_CREATES_USERS",
    "trusts_email": "BRAINOPS_OIDC_TRUSTS_EMAIL",
    "trusts_mfa": "BRAINOPS_OIDC_TRUSTS_MFA",
}


def _single(env: Environment) -> dict[str, Any] | None:
    issuer = env.text("BRAINOPS_OIDC_ISSUER", "")
    if not issuer:
        return None
    texts = {member: env.text(name, "") for member, name in _TEXTS_OF_ONE.items()}
    return {
        "id": "sso",
        **{member: text for member, text in texts.items() if text},
        **{member: env.flag(name, default=False) for member, name in _FLAGS_OF_ONE.items()},
        "issuer": issuer,
        "domains": env.names("BRAINOPS_OIDC_DOMAINS", []),
    }


_KINDS: dict[str, type] = {
    **dict.fromkeys(("id", "name", "issuer", "client_id", "client_secret", "scopes", "workspace"), str),
    **dict.fromkeys(("role", "role_claim"), str),
    **dict.fromkeys(("creates_users", "trusts_email", "trusts_mfa"), bool),
    "domains": list,
    "roles": dict,
}


def _provider(entry: dict[str, Any]) -> Provider:
    unknown = sorted(set(entry) - set(_KINDS))
    if unknown:
        raise ValueError(f"has the unknown key {unknown[0]!r}; known: {', '.join(_KINDS)}")
    for name, kind in _KINDS.items():
        if name in entry and type(entry[name]) is not kind:
            raise ValueError(f"must give {name} as a {kind.__name__}")
    missing = [name for name in ("id", "issuer", "client_id") if not entry.get(name)]
    if missing:
        raise ValueError(f"has no {missing[0]}")
    if not _ID.fullmatch(entry["id"]):
        raise ValueError("must have an id of small letters, digits and dashes, at most 40")
    _check_issuer(entry["issuer"])
    _check_roles(entry)
    domains = tuple(str(domain).strip().lower() for domain in entry.get("domains", ()))
    return Provider(**{"name": entry["id"].title(), **entry, "domains": domains})


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must have an https:// issuer without a question mark (http:// only on this machine)")


def _check_roles(entry: Mapping[str, Any]) -> None:
    wanted = [entry["role"]] if entry.get("role") else []
    for role in [*wanted, *entry.get("roles", {}).values()]:
        if role not in _ROLES:
            raise ValueError(f"names the role {role!r}; there are {', '.join(_ROLES)}")
    if entry.get("roles") and not entry.get("role_claim"):
        raise ValueError("has roles but no role_claim")
    if (wanted or entry.get("roles")) and not entry.get("workspace"):
        raise ValueError("gives a role but names no workspace")
