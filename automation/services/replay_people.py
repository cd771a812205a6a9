"""Who asked for a replay or a transfer, and what that person may do now: work lasts, and rights may be lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from automation.models import Direction, Replay, Transfer
from brainops.accounts.caller import Caller
from brainops.accounts.models import ApiKey, Membership, Role, User


def remember(caller: Caller) -> dict[str, Any]:
    """What a replay or transfer keeps of its caller."""
    return {
        "via": caller.via,
        "label": caller.label,
        "role": caller.role.value,
        "scopes": sorted(caller.scopes),
        "is_staff": caller.is_staff,
        "credential_id": str(caller.credential_id) if caller.credential_id else None,
    }


def who_asked(replay: Replay | Transfer) -> Caller | None:
    """The caller as of now, with the lower of the role then and the role today; None when nothing of it is left."""
    asked = replay.options.get("by", {})
    user = replay.created_by
    if user is None or not user.is_active or not _key_holds(asked):
        return None
    role = Role(asked["role"])
    if asked["via"] == "admin":
        if not (user.is_staff and user.has_perm(_permission(replay))):
            return None
    else:
        today = Membership.objects.filter(user=user, workspace_id=replay.workspace_id).values_list("role", flat=True)
        if not today:
            return None
        role = role.at_most(Role(today[0]))
    return _caller(replay, user, role, asked)


def _permission(asked: Replay | Transfer) -> str:
    """What staff needs in the admin to go on with it."""
    if isinstance(asked, Replay):
        return "automation.retry_run"
    return "automation.view_workflow" if asked.direction == Direction.EXPORT else "automation.add_workflow"


def _key_holds(asked: dict[str, Any]) -> bool:
    """False when it was an API key that asked and that key has expired or was revoked: nothing may be done with it."""
    if asked["via"] != "api_key":
        return True
    keys = ApiKey.objects.filter(id=asked["credential_id"], revoked_at=None)
    return keys.filter(Q(expires_at=None) | Q(expires_at__gt=Now())).exists()


def _caller(replay: Replay | Transfer, user: User, role: Role, asked: dict[str, Any]) -> Caller:
    return Caller(
        user_id=user.id,
        label=asked["label"],
        via=asked["via"],
        workspace_id=replay.workspace_id,
        role=role,
        scopes=frozenset(asked["scopes"]),
        is_staff=asked["is_staff"],
        credential_id=UUID(asked["credential_id"]) if asked["credential_id"] else None,
    )
