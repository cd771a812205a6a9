"""Change an API key of one's own: its name, networks and end, or the key itself (rotation)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from brainops.accounts.caller import Caller
from brainops.accounts.models import ApiKey, Role
from brainops.accounts.policy import Permission
from brainops.accounts.services import api_key_reading, api_keys
from brainops.accounts.services.api_key_reading import MARK
from brainops.accounts.services.api_keys import NewKey
from brainops.accounts.services.networks import checked_networks
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, PermissionDenied

LONGEST_OVERLAP_SECONDS = 30 * 24 * 3600
_EXPIRES_SOON = timedelta(days=14)


def state_of(key: ApiKey) -> str:
    """One word: active, expired or revoked."""
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= clock.now() else "active"


def warning_of(key: ApiKey) -> str | None:
    """What its holder should do something about: an end within two weeks."""
    if state_of(key) != "active" or key.expires_at is None or key.expires_at - clock.now() > _EXPIRES_SOON:
        return None
    days = (key.expires_at - clock.now()).days
    return f"Expires in {days} days. Rotate it." if days else "Expires within a day. Rotate it."


def change(caller: Caller, key_id: UUID | str, changes: Mapping[str, Any]) -> ApiKey:
    """Change name, networks or expires_at of a key of one's own. Raises Conflict for one that has ended."""
    wanted = dict(changes)
    api_keys.check_expiry(wanted.get("expires_at"))
    if "networks" in wanted:
        wanted["networks"] = checked_networks(wanted["networks"])
    with transaction.atomic():
        key = _own(caller, key_id)
        different = {name: value for name, value in wanted.items() if getattr(key, name) != value}
        before = {name: getattr(key, name) for name in different}
        for name, value in different.items():
            setattr(key, name, value)
        if different:
            key.save(update_fields=[*different])
            changed = {name: [before[name], value] for name, value in different.items()}
            _record(caller, key, "update", f"Changed {', '.join(different)} of", changed)
    return key


def rotate(caller: Caller, key_id: UUID | str, *, overlap_seconds: int = 0) -> NewKey:
    """Make a new key with the same rights in place of one of the caller's own.

    The old one ends after the overlap, or at its own end if that is sooner. A key that had an end gets one as far away
    as the old one's was when it was made. Raises Conflict for a key that has ended or was replaced before.
    """
    with transaction.atomic():
        key = _own(caller, key_id)
        return replace(key, overlap_seconds=overlap_seconds, by=caller)


def rotate_row(key_id: UUID, *, overlap_seconds: int, by: HasActor) -> NewKey:
    """Rotate a key, without a question about rights: for the admin. Raises Conflict for a key that has ended."""
    with transaction.atomic():
        return replace(_locked(key_id), overlap_seconds=overlap_seconds, by=by)


def replace(key: ApiKey, *, overlap_seconds: int, by: HasActor) -> NewKey:
    """Rotate a locked key."""
    if key.replaced_by_id is not None:
        raise Conflict("This key was rotated before. Rotate the newer one.", code="already_rotated")
    new = api_keys.issue(
        key.user,
        key.workspace,
        name=key.name,
        role=Role(key.role),
        scopes=key.scopes,
        expires_at=_next_end(key),
        networks=key.networks,
        by=by,
    )
    end = clock.now() + timedelta(seconds=overlap_seconds)
    key.replaced_by = new.row
    key.expires_at = min(key.expires_at, end) if key.expires_at else end
    key.save(update_fields=["replaced_by", "expires_at"])
    _record(by, key, "rotate", "Rotated", {"replaced_by": [None, new.row.id], "expires_at": [None, key.expires_at]})
    if not overlap_seconds:  # at once, whatever the clocks of web and database say
        api_keys.revoke_row(key, by=by)
    return new


def _own(caller: Caller, key_id: UUID | str) -> ApiKey:
    """A key that still works, locked. Raises NotFound, PermissionDenied for another's, Conflict for an ended one."""
    seen = api_key_reading.get_visible(caller, key_id)
    if seen.user_id != caller.user_id:
        raise PermissionDenied("This key acts as somebody else, so only they may change it. You may revoke it.")
    # A stolen key must not make itself last: a key changes keys only with the role and the scope to make them.
    if caller.via == "api_key":
        caller.require(Permission.KEYS_WRITE)
        api_keys.check_no_wider(caller, seen.scopes)
        _check_role(caller, Role(seen.role))
    return _locked(seen.id)


def _locked(key_id: UUID) -> ApiKey:
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("user", "workspace").get(id=key_id)
    if state_of(key) != "active":
        raise Conflict(f"This key is {state_of(key)}. Make a new one.", code="key_ended")
    return key


def _check_role(caller: Caller, role: Role) -> None:
    if role.rank > caller.role.rank:
        raise PermissionDenied(f"The key that asks is {caller.role}; it cannot change one of the higher role {role}.")


def _next_end(key: ApiKey) -> datetime | None:
    return clock.now() + (key.expires_at - key.created_at) if key.expires_at else None


def _record(by: HasActor, key: ApiKey, verb: str, word: str, changes: dict[str, Any]) -> None:
    record(
        actor=by,
        workspace_id=key.workspace_id,
        action=f"api_key.{verb}",
        target_kind="api_key",
        target_id=key.id,
        summary=f"{word} the API key {key.name!r} ({MARK}{key.prefix}_…).",
        changes=changes,
    )
