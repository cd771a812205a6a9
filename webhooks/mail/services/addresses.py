"""Addresses: every trigger that receives mail has one of its own."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from automation.triggers.contract import TriggerRow
from webhooks.mail.models import MailAddress

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 that are not taken for one another: 5 bits each
_CHARACTERS = 25

NOT_RECEIVED = (
    "This installation receives no mail yet: an operator sets BRAINOPS_INBOUND_MAIL_DOMAIN and leads the domain's mail "
    "to the consumer process."
)


def follow(trigger: TriggerRow, *, receives: bool) -> dict[str, Any]:
    """Give a trigger its address, or take it away; returns what is shown of it. In the transaction that saves it."""
    if not receives:
        MailAddress.objects.filter(trigger_id=trigger.id).delete()
        return {}
    row, _ = MailAddress.objects.get_or_create(
        trigger_id=trigger.id, defaults={"workspace_id": trigger.workspace_id, "local_part": new_local_part()}
    )
    return {"email": shown(row)}


def described(triggers: Sequence[TriggerRow]) -> dict[UUID, dict[str, Any]]:
    """What the answers about triggers show of their addresses: one query."""
    rows = MailAddress.objects.filter(trigger_id__in=[trigger.id for trigger in triggers])
    return {row.trigger_id: {"email": shown(row)} for row in rows}


def shown(row: MailAddress) -> dict[str, Any]:
    """The address, and why nothing comes there."""
    problem = None if settings.BRAINOPS_INBOUND_MAIL["domain"] else NOT_RECEIVED
    return {"address": row.address, "problem": problem}


class Known(NamedTuple):
    """Whose address it is, and whether its trigger is switched on."""

    trigger_id: UUID
    is_active: bool


def find(local_parts: Collection[str]) -> dict[str, Known]:
    """Those of the local parts, in lower case, that are addresses."""
    rows = MailAddress.objects.filter(local_part__in=local_parts)
    found = rows.values_list("local_part", "trigger_id", "trigger__is_active")
    return {local_part: Known(trigger_id, is_active) for local_part, trigger_id, is_active in found}


def new_local_part() -> str:
    """One that nobody guesses, in characters that survive being read aloud."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))
