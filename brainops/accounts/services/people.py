"""Users, workspaces and memberships that are made on demand, for commands and the launcher."""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.models.user import same_username
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.errors import InvalidInput

PASSWORD_LETTERS = 20  # about 117 bits
_READABLE = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that looks like something else


def ensure_user(name: str, *, by: Actor, is_staff: bool = False) -> User:
    """The user of an e-mail address or user name, made without a password when missing."""
    with transaction.atomic():
        try:
            return User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            user = _create_user(name, is_staff=is_staff)
        record(
            actor=by,
            workspace_id=None,
            action="user.create",
            target_kind="user",
            target_id=user.id,
            summary=f"Made the user {user.email}.",
        )
        return user


def ensure_workspace(name: str, *, by: Actor) -> Workspace:
    """The workspace of a slug or name, made when missing."""
    slug = slugify(name)[:50]
    if not slug:
        raise InvalidInput(f"A workspace needs a name with letters or digits, got {name!r}.")
    with transaction.atomic():
        workspace, is_new = Workspace.objects.get_or_create(slug=slug, defaults={"name": name[:100]})
        if is_new:
            record(
                actor=by,
                workspace_id=workspace.id,
                action="workspace.create",
                target_kind="workspace",
                target_id=workspace.id,
                summary=f"Made the workspace {workspace.slug}.",
            )
    return workspace


def ensure_membership(user: User, workspace: Workspace, role: Role, *, by: Actor) -> Membership:
    """A membership of at least this role. An existing higher role stays."""
    with transaction.atomic():
        member, is_new = Membership.objects.select_for_update().get_or_create(
            user=user, workspace=workspace, defaults={"role": role}
        )
        before = None if is_new else Role(member.role)
        if before is not None and before.rank >= role.rank:
            return member
        member.role = role
        member.save(update_fields=["role"])
        record(
            actor=by,
            workspace_id=workspace.id,
            action="member.create" if is_new else "member.update",
            target_kind="user",
            target_id=user.id,
            summary=f"{user.email} is {role} of {workspace.slug}.",
            changes={"role": [before, role]},
        )
    return member


def set_random_password(user: User, *, by: Actor) -> str:
    """Give a user a new random password and end all their logins; returns the password."""
    password = "".join(secrets.choice(_READABLE) for _ in range(PASSWORD_LETTERS))
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password", "token_version"])
        record(
            actor=by,
            workspace_id=None,
            action="user.password",
            target_kind="user",
            target_id=user.id,
            summary=f"Set a new password for {user.email}.",
        )
    return password


def _create_user(name: str, *, is_staff: bool) -> User:
    """A user of an address, or of a bare name, which gets an address that no mail reaches (RFC 2606)."""
    email = name if "@" in name else f"{slugify(name) or 'user'}@{slugify(name) or 'user'}.invalid"
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{name!r} is neither an e-mail address nor a user name.") from error
    username = free_username(name.partition("@")[0])
    return User.objects.create_user(email, username=username, is_staff=is_staff, is_superuser=is_staff)


def free_username(wanted: str) -> str:
    """A user name like the wanted one that nobody has."""
    base = "".join(letter for letter in wanted if letter.isalnum() or letter in ".+-_")[:140] or "user"
    if not User.objects.filter(same_username(base)).exists():
        return base
    return f"{base}-{secrets.token_hex(4)}"
