"""API keys: create, revoke, recognise."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from django.db import connection, transaction

from brainops.accounts import policy
from brainops.accounts.caller import Caller
from brainops.accounts.models import ApiKey, Role, User, Workspace
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core import clock, redact
from brainops.core.errors import InvalidInput, NotAuthenticated, PermissionDenied, Problem

MARK = "bo_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX_LETTERS = 10
_SECRET_LETTERS = 43  # 62**43 > 2**256
_LENGTH = len(MARK) + _PREFIX_LETTERS + 1 + _SECRET_LETTERS


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `text` is the key itself and is never to be had again."""

    row: ApiKey
    text: str


def create(
    caller: Caller,
    *,
    name: str,
    role: Role,
    scopes: Iterable[str] = (policy.ALL_SCOPES,),
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key for the caller's own user in the caller's workspace. Nobody gives more than they have."""
    caller.require(Permission.KEYS_WRITE)
    if caller.user_id is None:
        raise PermissionDenied("A key belongs to a user; the system itself cannot have one.")
    if role.rank > caller.role.rank:
        _refuse("role", f"Your role is {caller.role}; a key cannot have the higher role {role}.")
    wanted = policy.check_scopes(scopes, pointer="/scopes")
    _check_no_wider(caller, wanted)
    if expires_at is not None and expires_at <= clock.now():
        _refuse("expires_at", f"expires_at must lie in the future, got {expires_at.isoformat()}.")
    user = User.objects.get(id=caller.user_id)
    workspace = Workspace.objects.get(id=caller.workspace())
    return issue(user, workspace, name=name, role=role, scopes=wanted, expires_at=expires_at, by=caller)


def issue(
    user: User,
    workspace: Workspace,
    *,
    name: str,
    role: Role,
    scopes: Iterable[str],
    by: HasActor,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key, without a question about rights: for commands, and behind `create`."""
    prefix, secret = _random(_PREFIX_LETTERS), _random(_SECRET_LETTERS)
    text = f"{MARK}{prefix}_{secret}"
    redact.register(text)
    with transaction.atomic():
        row = ApiKey.objects.create(
            user=user,
            workspace=workspace,
            name=name,
            prefix=prefix,
            digest=_digest(text),
            role=role,
            scopes=list(scopes),
            expires_at=expires_at,
            created_by_id=by.actor.id if by.actor.kind == "user" else None,
        )
        record(
            actor=by,
            workspace_id=workspace.id,
            action="api_key.create",
            target_kind="api_key",
            target_id=row.id,
            summary=f"Made the API key {name!r} ({MARK}{prefix}_…) as {role} for {user.email}.",
            changes={"role": [None, role], "scopes": [None, row.scopes]},
        )
    return NewKey(row, text)


def revoke(caller: Caller, key_id: UUID) -> None:
    """End a key; it is refused from the next request on. Revoking it again does no harm."""
    caller.require(Permission.KEYS_WRITE)
    revoke_row(get_scoped(ApiKey.objects.all(), caller, key_id), by=caller)


def revoke_row(key: ApiKey, *, by: HasActor) -> None:
    """End a key, without a question about rights: for the admin, and behind `revoke`."""
    with transaction.atomic():
        # two may get here: the row count tells who ended it
        if not ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=clock.now()):
            return
        record(
            actor=by,
            workspace_id=key.workspace_id,
            action="api_key.revoke",
            target_kind="api_key",
            target_id=key.id,
            summary=f"Revoked the API key {key.name!r} ({MARK}{key.prefix}_…).",
        )


# One indexed query a request, by hand since every call of a program pays for it. The membership counts each time: a
# key dies with it, and never has more rights than its user has now. The last use is noted to the minute.
_FIND = """
    select k.id, k.digest, k.workspace_id, k.role, k.scopes, m.role, u.id, u.email, k.name,
           k.last_used_at is null or k.last_used_at < now() - interval '1 minute'
      from accounts_apikey k
      join accounts_user u on u.id = k.user_id
      join accounts_membership m on m.user_id = k.user_id and m.workspace_id = k.workspace_id
     where k.prefix = %(prefix)s and k.revoked_at is null and u.is_active
       and (k.expires_at is null or k.expires_at > now())
"""


def recognise(text: str) -> Caller:
    """The caller behind a key. Raises NotAuthenticated, the same for unknown, wrong, expired and revoked."""
    refusal = NotAuthenticated("The API key is not valid. It may be mistyped, expired or revoked.", code="key_invalid")
    prefix = text[len(MARK) : len(MARK) + _PREFIX_LETTERS]
    if len(text) != _LENGTH or not (text.isascii() and prefix.isalnum()):
        raise refusal
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"prefix": prefix})
        row = cursor.fetchone()
        if row is None or not hmac.compare_digest(bytes(row[1]), _digest(text)):
            raise refusal
        if row[-1]:
            _note_use(cursor, row[0])
    key_id, _, workspace_id, key_role, scopes, member_role, user_id, email, name, _ = row
    return Caller(
        user_id=user_id,
        label=f"{name} ({email})",
        via="api_key",
        workspace_id=workspace_id,
        role=Role(key_role).at_most(Role(member_role)),
        scopes=frozenset(scopes),
        credential_id=key_id,
    )


def _note_use(cursor: Any, key_id: UUID) -> None:
    # skip locked: somebody else writes the same minute, and a login must not wait for it
    cursor.execute(
        "update accounts_apikey set last_used_at = now() where id in "
        "(select id from accounts_apikey where id = %s for no key update skip locked)",
        [key_id],
    )


def _check_no_wider(caller: Caller, scopes: Iterable[str]) -> None:
    """Refuse a scope beyond those of the key that makes the new one."""
    for permission in Permission:
        if policy.scopes_allow(list(scopes), permission) and not policy.scopes_allow(caller.scopes, permission):
            _refuse("scopes", f"Your own key has no scope for {permission}, so it cannot give it to another.")


def _refuse(field: str, message: str) -> NoReturn:
    raise InvalidInput.from_problems([Problem("not_allowed", message, f"/{field}")])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _random(letters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(letters))
