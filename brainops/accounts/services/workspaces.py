"""Workspaces: make one, change it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.text import slugify

from brainops.accounts.caller import Caller
from brainops.accounts.models import LoginSession, Membership, Role, User, Workspace
from brainops.accounts.policy import Permission
from brainops.accounts.services import members
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied, Problem

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_LETTERS = 50
QUOTAS = ("max_workflows", "max_active_triggers", "max_runs_per_day", "max_storage_bytes")
CHANGEABLE = ("name", "slug", "requires_if_match", "requires_mfa", *QUOTAS)


def mine(caller: Caller) -> QuerySet[Workspace]:
    """The workspaces of the caller, each with `my_role` and `member_id`; for a key the one it is for."""
    rows = Workspace.objects.filter(memberships__user=caller.user_id)
    if caller.via == "api_key":
        rows = rows.filter(id=caller.workspace())
    return rows.annotate(my_role=F("memberships__role"), member_id=F("memberships__id"))


def get(caller: Caller) -> Workspace:
    """The workspace of this call. Raises NotFound."""
    row = mine(caller).filter(id=caller.workspace()).first()
    if row is None:
        raise NotFound
    return row


def create(caller: Caller, *, name: str, slug: str = "") -> Workspace:
    """Make a workspace with the caller as its Owner.

    Raises PermissionDenied for keys, which belong to one workspace, and where only staff may; Conflict for who owns
    as many as allowed.
    """
    if caller.via == "api_key" or caller.user_id is None:
        raise PermissionDenied("An API key belongs to one workspace. Log in to make another.")
    if settings.BRAINOPS_WORKSPACE_CREATION == "staff" and not caller.is_staff:
        raise PermissionDenied("Only staff makes workspaces here. Ask an administrator of this installation.")
    with transaction.atomic():
        # the person's row makes two of their requests take turns, else both count the same
        user = User.objects.select_for_update(no_key=True).get(id=caller.user_id)
        _check_owns_few(caller)
        workspace = insert(name=name, slug=slug, by=caller)
        members.add(user, workspace.id, Role.OWNER, by=caller)
    return workspace


def insert(*, name: str, slug: str, by: HasActor) -> Workspace:
    """Write a workspace without members, without a question about rights. A slug is made of the name if none is given.

    Raises InvalidInput for a slug that is taken or means something else.
    """
    given = checked_slug(slug) if slug else _free_slug(name)
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(name=name, slug=given)
    except IntegrityError:
        _refuse_taken(given)
    record(
        actor=by,
        workspace_id=workspace.id,
        action="workspace.create",
        target_kind="workspace",
        target_id=workspace.id,
        summary=f"Made the workspace {workspace.slug}.",
    )
    return workspace


def change(caller: Caller, changes: Mapping[str, Any]) -> Workspace:
    """Change the caller's workspace. Quotas are for staff. Nothing different writes nothing."""
    caller.require(Permission.WORKSPACE_UPDATE)
    _refuse_quotas(caller, changes)
    if changes.get("requires_mfa"):
        _require_own_factor(caller)
    write(caller.workspace(), changes, by=caller)
    return get(caller)


def set_quotas(staff: Caller, workspace_id: UUID, changes: Mapping[str, Any]) -> Workspace:
    """Set quotas of any workspace. Raises PermissionDenied unless the admin's page would let this member of staff."""
    staff.require_staff()
    if not _may_set_quotas(staff):
        raise PermissionDenied("You may look at quotas, but not set them. Ask a superuser for the right to.")
    return write(workspace_id, changes, by=staff)


def write(workspace_id: UUID, changes: Mapping[str, Any], *, by: HasActor) -> Workspace:
    """Write changes of a workspace, without a question about rights. Raises NotFound, and InvalidInput for the slug."""
    with transaction.atomic():
        row = Workspace.objects.select_for_update(no_key=True).filter(id=workspace_id).first()
        if row is None:
            raise NotFound
        different = {name: value for name, value in changes.items() if getattr(row, name) != value}
        if "slug" in different:
            checked_slug(different["slug"])
        if not different:
            return row
        before = {name: getattr(row, name) for name in different}
        for name, value in different.items():
            setattr(row, name, value)
        try:
            with transaction.atomic():
                row.save(update_fields=[*different])
        except IntegrityError:
            _refuse_taken(different["slug"])
        record(
            actor=by,
            workspace_id=row.id,
            action="workspace.update",
            target_kind="workspace",
            target_id=row.id,
            summary=f"Changed the workspace {row.slug}: {', '.join(different)}.",
            changes={name: [before[name], value] for name, value in different.items()},
        )
    return row


def checked_slug(slug: str) -> str:
    """The slug. Raises InvalidInput for one of another form, and for what could be taken for an id."""
    if not SLUG.fullmatch(slug) or len(slug) > SLUG_LETTERS:
        _refuse(
            "invalid_slug", f"A slug is 1-{SLUG_LETTERS} small letters and digits, with single dashes between them."
        )
    if _is_id(slug):  # the header Brainops-Workspace takes either, and must not mean two workspaces
        _refuse("invalid_slug", "A slug must not look like an id.")
    return slug


def _refuse_quotas(caller: Caller, changes: Mapping[str, Any]) -> None:
    problems = [
        Problem("staff_only", f"{name} is set by staff of this installation.", f"/{name}")
        for name in changes
        if name in QUOTAS
    ]
    if problems and not _may_set_quotas(caller):
        raise InvalidInput.from_problems(problems)


def _may_set_quotas(caller: Caller) -> bool:
    """Staff with the right that the admin's page of workspaces asks for."""
    return caller.is_staff and User.objects.get(pk=str(caller.user_id)).has_perm("accounts.change_workspace")


def _require_own_factor(caller: Caller) -> None:
    """Who demands a second factor has one: else the first to be locked out would be the one who could undo it."""
    session = LoginSession.objects.filter(user=caller.user_id, amr__contains=["mfa"]) if caller.via == "token" else None
    if session is None or not session.filter(pk__in=[caller.credential_id]).exists():
        raise Conflict("Log in with a second factor yourself first (/me/mfa), then demand it.", code="mfa_required")


def _check_owns_few(caller: Caller) -> None:
    most: int = settings.BRAINOPS_LIMITS["owned_workspaces"]
    if not caller.is_staff and Membership.objects.filter(user=caller.user_id, role=Role.OWNER).count() >= most:
        raise Conflict(
            f"You own {most} workspaces, as many as one person may. Delete one, or hand one over.",
            code="too_many_workspaces",
        )


def _free_slug(name: str) -> str:
    base = slugify(name)[: SLUG_LETTERS - 9].strip("-_").replace("_", "-") or "workspace"
    if SLUG.fullmatch(base) and not _is_id(base) and not Workspace.objects.filter(slug=base).exists():
        return base
    return f"{base if SLUG.fullmatch(base) else 'workspace'}-{secrets.token_hex(4)}"


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _refuse_taken(slug: str) -> NoReturn:
    _refuse("taken", f"The slug {slug!r} is taken. Choose another.")


def _refuse(code: str, message: str) -> NoReturn:
    raise InvalidInput.from_problems([Problem(code, message, "/slug")])
