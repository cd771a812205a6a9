"""Mails of the outbox that no rule asks for: something of somebody's ended, and they should know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from automation.engine.notices import LIFETIME_SECONDS
from automation.models import NoticeChannel, NoticeDelivery
from automation.services.notice_people import named_members
from brainops.core import clock, mail
from brainops.core.redact import redact

Json = Any


def mail_to(workspace_id: UUID, named: Iterable[str], *, event: str, about: Mapping[str, Json]) -> list[NoticeDelivery]:
    """Put one mail for each of the members that `named` means into the outbox, in the caller's transaction.

    Nothing without a mail server. These mails cannot be silenced: each says that something ended, once.
    """
    if not mail.has_server():
        return []
    content = {"event": event, "count": 1, "since": None, "workflow": None, "run": None, "rule": None, **about}
    told = dict(redact(content))
    ends_at = clock.now() + timedelta(seconds=LIFETIME_SECONDS)
    rows = [
        NoticeDelivery(
            workspace_id=workspace_id,
            event=event,
            channel=NoticeChannel.EMAIL,
            address=address,
            content=told,
            ends_at=ends_at,
        )
        for address in named_members(workspace_id, named)
    ]
    return NoticeDelivery.objects.bulk_create(rows)
