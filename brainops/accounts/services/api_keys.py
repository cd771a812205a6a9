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
from brainops.accounts.services import api_key_reading
from brainops.accounts.services.api_key_reading import MARK
from brainops.accounts.services.networks import checked_networks, is_within
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core import clock, logs, redact
from brainops.core.errors import InvalidInput, NotAuthenticated, PermissionDenied, Problem
from brainops.core.web.clients import current_ip

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX_LETTERS = 10
_SECRET_LETTERS = 43  # 62**43 > 2**256
_LENGTH = len(MARK) + _PREFIX_LETTERS + 1 + _SECRET_LETTERS


log = logs.get_logger(__name__)


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
    networks: Iterable[str] = (),
) -> NewKey:
    """Make a key for the caller's own user in the caller's workspace. Nobody gives more than they have."""
    caller.require(Permission.KEYS_WRITE)
    if caller.user_id is None:
        raise PermissionDenied("A key belongs to a user; the system itself cannot have one.")
    if role.rank > caller.role.rank:
        _refuse("role", f"Your role is {caller.role}; a key cannot have the higher role {role}.")
    wanted = policy.check_scopes(scopes, pointer="/scopes")
    check_no_wider(caller, wanted)
    check_expiry(expires_at)
    allowed = checked_networks(networks)
    user = User.objects.get(id=caller.user_id)
    workspace = Workspace.objects.get(id=caller.workspace())
    return issue(
        user, workspace, name=name, role=role, scopes=wanted, expires_at=expires_at, networks=allowed, by=caller
    )


def issue(
    user: User,
    workspace: Workspace,
    *,
    name: str,
    role: Role,
    scopes: Iterable[str],
    by: HasActor,
    expires_at: datetime | None = None,
    networks: Iterable[str] = (),
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
            networks=list(networks),
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
    """End a key; it is refused from the next request on. Revoking it again does no harm.

    One's own, and for admins everybody's. Raises NotFound for a key that the caller does not see.
    """
    revoke_row(api_key_reading.get_visible(caller, key_id, Permission.KEYS_WRITE), by=caller)


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
    select k.id, k.digest, k.workspace_id, k.role, k.scopes, m.role, u.id, u.email, k.name, w.requires_if_match,
           k.networks, k.last_used_at is null or k.last_used_at < now() - interval '1 minute'
      from accounts_apikey k
      join accounts_user u on u.id = k.user_id
      join accounts_membership m on m.user_id = k.user_id and m.workspace_id = k.workspace_id
      join accounts_workspace w on w.id = k.workspace_id
     where k.prefix = %(prefix)s and k.revoked_at is null and u.is_active
       and (k.expires_at is null or k.expires_at > now())
"""


def recognise(text: str) -> Caller:
    """The caller behind a key, used from the address of this request.

    Raises NotAuthenticated, the same for unknown, wrong, expired, revoked and used from elsewhere.
    """
    refusal = NotAuthenticated(
        "The API key is not valid. It may be mistyped, expired, revoked, or not meant for your network.",
        code="key_invalid",
    )
    prefix = text[len(MARK) : len(MARK) + _PREFIX_LETTERS]
    if len(text) != _LENGTH or not (text.isascii() and prefix.isalnum()):
        raise refusal
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"prefix": prefix})
        row = cursor.fetchone()
        if row is None or not hmac.compare_digest(bytes(row[1]), _digest(text)):
            raise refusal
        if row[-2] and not is_within(current_ip.get(), row[-2]):
            log.warning("api_key_from_elsewhere", key=f"{MARK}{prefix}", ip=current_ip.get())
            raise refusal
        if row[-1]:
            _note_use(cursor, row[0])
    key_id, _, workspace_id, key_role, scopes, member_role, user_id, email, name, requires_if_match, _, _ = row
    return Caller(
        user_id=user_id,
        label=f"{name} ({email})",
        via="api_key",
        workspace_id=workspace_id,
        role=Role(key_role).at_most(Role(member_role)),
        scopes=frozenset(scopes),
        credential_id=key_id,
        requires_if_match=requires_if_match,
    )


def _note_use(cursor: Any, key_id: UUID) -> None:
    # skip locked: somebody else writes the same minute, and a login must not wait for it
    cursor.execute(
        "update accounts_apikey set last_used_at = now() where id in "
        "(select id from accounts_apikey where id = %s for no key update skip locked)",
        [key_id],
    )


def check_no_wider(caller: Caller, scopes: Iterable[str]) -> None:
    """Refuse a scope beyond those of the key that makes the new one."""
    for permission in Permission:
        if policy.scopes_allow(list(scopes), permission) and not policy.scopes_allow(caller.scopes, permission):
            _refuse("scopes", f"Your own key has no scope for {permission}, so it cannot give it to another.")


def check_expiry(expires_at: datetime | None) -> None:
    """Refuse an end that has passed already."""
    if expires_at is not None and expires_at <= clock.now():
        _refuse("expires_at", f"expires_at must lie in the future, got {expires_at.isoformat()}.")


def _refuse(field: str, message: str) -> NoReturn:
    raise InvalidInput.from_problems([Problem("not_allowed", message, f"/{field}")])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _random(letters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(letters))
