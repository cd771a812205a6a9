"""Invitations: offer a membership by mail, send it again, take it back."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from brainops.accounts.caller import Caller
from brainops.accounts.models import Invitation, Membership, Role
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.accounts.services.invitation_mail import send
from brainops.accounts.services.login_limits import Limit, take_one
from brainops.accounts.services.members import require_rank
from brainops.accounts.services.people_lock import lock_people, people_locked
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core import clock, mail, redact
from brainops.core.errors import Conflict

OPEN = Q(accepted_at=None, declined_at=None, revoked_at=None)
STATES = ("open", "accepted", "declined", "revoked", "expired")

# Mails go to whatever address a caller names, so a workspace is no good relay: 20 at once, then one every two minutes.
MAILS = Limit("invitation mails", burst=20, seconds=120)
# And nobody's mailbox is filled by one button: three at once for one address, then one every ten minutes.
MAILS_TO_ONE = Limit("invitation mails to one", burst=3, seconds=600)


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation and what became of its mail.

    `link` is the address to accept it at, "" unless no mail server is configured: then the inviter passes it on.
    """

    row: Invitation
    delivery: mail.Delivery
    link: str


def find(caller: Caller, *, state: str | None = None, search: str | None = None) -> QuerySet[Invitation]:
    """The invitations of the caller's workspace. `search` looks into the address."""
    caller.require(Permission.MEMBERS_WRITE)
    rows = scoped(Invitation.objects.select_related("invited_by", "accepted_by"), caller)
    if search:
        rows = rows.filter(email__icontains=search)
    return rows.filter(in_state(state)) if state else rows


def invite(caller: Caller, *, email: str, role: Role, message: str = "") -> Sent:
    """Offer a membership to an address; an open offer to the same address is replaced.

    Nobody offers a role above their own, or replaces an offer of one. Raises Conflict for the address of a member,
    TooManyRequests.
    """
    caller.require(Permission.MEMBERS_WRITE)
    email = email.strip().lower()
    token = new_token()
    with people_locked(caller) as now:
        now.require(Permission.MEMBERS_WRITE)
        require_rank(now, role)
        if Membership.objects.filter(workspace=now.workspace(), user__email=email).exists():
            raise Conflict(f"{email} is a member already.", code="already_member")
        _take_pace(caller.workspace(), email)
        for replaced in scoped(Invitation.objects.filter(OPEN, email=email), now):
            require_rank(now, Role(replaced.role))
            end(replaced, "revoked", by=caller, why="by a newer one")
        row = Invitation.objects.create(
            workspace_id=now.workspace(),
            email=email,
            role=role,
            digest=digest(token),
            message=message,
            invited_by_id=caller.user_id,
            expires_at=_end(),
        )
        _record(row, "create", f"Invited {email} as {role}.", {"role": [None, role]}, by=caller)
    return send_link(row, token)


def resend(caller: Caller, invitation_id: UUID | str) -> Sent:
    """Send an open or expired invitation again, with a new link; the old one ends. Raises Conflict for an ended one."""
    caller.require(Permission.MEMBERS_WRITE)
    with people_locked(caller) as now:
        now.require(Permission.MEMBERS_WRITE)
        row = get_scoped(Invitation.objects.select_related("workspace", "invited_by"), now, invitation_id)
        require_rank(now, Role(row.role))
        token = renew(row, by=caller)
    return send_link(row, token)


def renew(row: Invitation, *, by: HasActor) -> str:
    """Give an invitation a new link and a new term, without a question about rights; returns the token."""
    if state_of(row) not in ("open", "expired"):
        raise Conflict(f"This invitation was {state_of(row)}. Make a new one.", code="invitation_ended")
    _take_pace(row.workspace_id, row.email)
    token = new_token()
    row.digest, row.expires_at = digest(token), _end()
    if by.actor.kind == "user":
        row.invited_by_id = by.actor.id
    row.save(update_fields=["digest", "expires_at", "invited_by"])
    _record(row, "resend", f"Sent the invitation of {row.email} again.", by=by)
    return token


def revoke(caller: Caller, invitation_id: UUID | str) -> None:
    """End an open invitation; its link is unknown from the next request on. Revoking it again does no harm."""
    caller.require(Permission.MEMBERS_WRITE)
    row = get_scoped(Invitation.objects.all(), caller, invitation_id)
    require_rank(caller, Role(row.role))
    revoke_row(row, by=caller)


def revoke_row(row: Invitation, *, by: HasActor) -> None:
    """End an open invitation, without a question about rights: for the admin, and behind `revoke`."""
    with transaction.atomic():
        lock_people(row.workspace_id)  # somebody may accept it in this moment
        row.refresh_from_db()
        if state_of(row) in ("open", "expired"):
            end(row, "revoked", by=by)


def state_of(row: Invitation) -> str:
    """One word of STATES."""
    for word in ("accepted", "declined", "revoked"):
        if getattr(row, f"{word}_at"):
            return word
    return "expired" if row.expires_at <= clock.now() else "open"


def in_state(state: str) -> Q:
    """The condition of a state."""
    if state == "open":
        return OPEN & Q(expires_at__gt=clock.now())
    if state == "expired":
        return OPEN & Q(expires_at__lte=clock.now())
    return Q(**{f"{state}_at__isnull": False})


def send_link(row: Invitation, token: str) -> Sent:
    """Mail the link of an invitation. Call it outside of a transaction: it waits for the mail server."""
    link = f"{settings.BRAINOPS_PUBLIC_URL}/invitations/{token}"
    delivery = send(row, link)
    if delivery is mail.Delivery.SENT:
        row.sent_at = clock.now()
        Invitation.objects.filter(id=row.id).update(sent_at=row.sent_at)
    return Sent(row, delivery, link if delivery is mail.Delivery.NO_SERVER else "")


def new_token() -> str:
    """256 random bits as text that an address can hold."""
    token = secrets.token_urlsafe(32)
    redact.register(token)
    return token


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def end(row: Invitation, word: str, *, by: HasActor, why: str = "", **fields: Any) -> None:
    """Write that an invitation was accepted, declined or revoked. Call it with the people locked."""
    for name, value in {f"{word}_at": clock.now(), **fields}.items():
        setattr(row, name, value)
    row.save(update_fields=[f"{word}_at", *fields])
    verb = {"revoked": "revoke", "accepted": "accept", "declined": "decline"}[word]
    _record(row, verb, f"The invitation of {row.email} as {row.role} was {word} {why}".strip() + ".", by=by)


def _take_pace(workspace_id: UUID, email: str) -> None:
    sentence = "Too many invitations were sent. Wait, then go on."
    take_one(MAILS_TO_ONE, str(workspace_id), email, sentence=sentence)
    take_one(MAILS, str(workspace_id), sentence=sentence)


def _end() -> datetime:
    return clock.now() + timedelta(days=settings.BRAINOPS_INVITATION_DAYS)


def _record(row: Invitation, verb: str, summary: str, changes: dict[str, Any] | None = None, *, by: HasActor) -> None:
    record(
        actor=by,
        workspace_id=row.workspace_id,
        action=f"invitation.{verb}",
        target_kind="invitation",
        target_id=row.id,
        summary=summary,
        changes=changes,
    )
