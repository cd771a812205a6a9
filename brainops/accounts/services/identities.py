"""Who somebody at an identity provider is here: found by subject, linked by verified address, made when allowed."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from brainops.accounts.models import Identity, Role, User, Workspace
from brainops.accounts.services import people, sessions
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core import clock, logs
from brainops.core.errors import NotAuthenticated
from brainops.core.identity_providers import Provider

log = logs.get_logger(__name__)


def user_of(provider: Provider, claims: dict[str, Any]) -> User:
    """The active user of checked claims. Raises NotAuthenticated: nobody is known, or the address is not verified."""
    with transaction.atomic():
        known = (
            Identity.objects.select_for_update(of=["self"])
            .select_related("user")
            .filter(issuer=provider.issuer, subject=claims["sub"])
            .first()
        )
        user = known.user if known else _linked(provider, claims)
        if not user.is_active:
            raise _nobody()
        if known:
            Identity.objects.filter(id=known.id).update(used_at=clock.now())
        _give_role(provider, claims, user)
    return user


def unlink(identity: Identity, *, by: Actor) -> None:
    """Forget a link and end the user's logins, which may have come by it."""
    with transaction.atomic():
        if not Identity.objects.filter(id=identity.id).delete()[0]:
            return
        sessions.end_all(identity.user, reason="account unlinked")
        record(
            actor=by,
            workspace_id=None,
            action="user.unlink",
            target_kind="user",
            target_id=identity.user_id,
            summary=f"Unlinked {identity.user.email} from {identity.provider}.",
        )


def _verified_email(provider: Provider, claims: dict[str, Any]) -> str:
    """The address, in lower case. Only one that the provider has verified may lead to an account here."""
    email = claims.get("email")
    is_verified = claims.get("email_verified") in (True, "true") or provider.trusts_email
    if not _is_address(email) or not is_verified:
        message = f"{provider.name} does not say that your e-mail address is verified. Verify it there, then come back."
        raise NotAuthenticated(message, code="email_not_verified")
    email = str(email).lower()
    if provider.domains and email.rpartition("@")[2] not in provider.domains:
        raise _nobody()
    return email


def _linked(provider: Provider, claims: dict[str, Any]) -> User:
    email = _verified_email(provider, claims)
    user = User.objects.filter(email=email).first()
    if user is None and provider.creates_users:
        user = _made(provider, claims, email)
    if user is None:
        raise _nobody()
    if Identity.objects.filter(user=user, issuer=provider.issuer).exists():
        # the address went on to another person there: two people must not share an account here
        log.warning("identity_changed", provider=provider.id, user_id=str(user.id))
        raise _nobody()
    try:
        with transaction.atomic():
            Identity.objects.create(user=user, provider=provider.id, issuer=provider.issuer, subject=claims["sub"])
    except IntegrityError:  # two answers of one person at once: the other one linked it
        return Identity.objects.select_related("user").get(issuer=provider.issuer, subject=claims["sub"]).user
    _record(user, provider, "user.link", f"Linked {user.email} to {provider.name}.")
    return user


def _is_address(text: Any) -> bool:
    try:
        validate_email(text if isinstance(text, str) and text.isascii() else "")
    except ValidationError:
        return False
    return len(text) <= 254


def _made(provider: Provider, claims: dict[str, Any], email: str) -> User:
    name = claims.get("name")
    user = people.ensure_user(email, by=Actor.system(provider.name))
    if isinstance(name, str):
        user.name = "".join(letter for letter in name if letter.isprintable())[:150]
        user.save(update_fields=["name"])
    return user


def _give_role(provider: Provider, claims: dict[str, Any], user: User) -> None:
    """The role that the settings give people of this provider. A higher one that somebody has stays."""
    role = _role(provider, claims)
    workspace = Workspace.objects.filter(slug=provider.workspace).first() if role else None
    if role and workspace:
        people.ensure_membership(user, workspace, role, by=Actor.system(provider.name))
    elif role:
        log.warning("identity_workspace_missing", provider=provider.id, workspace=provider.workspace)


def _role(provider: Provider, claims: dict[str, Any]) -> Role | None:
    """The highest role of the claim's values, else the provider's usual one."""
    values = claims.get(provider.role_claim) if provider.role_claim else None
    listed = values if isinstance(values, list) else [values]
    found = [Role(provider.roles[value]) for value in listed if isinstance(value, str) and value in provider.roles]
    if found:
        return max(found, key=lambda role: role.rank)
    return Role(provider.role) if provider.role else None


def _record(user: User, provider: Provider, action: str, summary: str) -> None:
    record(
        actor=Actor.system(provider.name),
        workspace_id=None,
        action=action,
        target_kind="user",
        target_id=user.id,
        summary=summary,
    )


def _nobody() -> NotAuthenticated:
    message = "Nobody here is known by this account. Ask an administrator to invite you."
    return NotAuthenticated(message, code="no_account")
