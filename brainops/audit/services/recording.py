"""Record an action in the transaction that does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest

from brainops.audit.actor import Actor, HasActor
from brainops.audit.models import AuditEntry
from brainops.audit.services.content import keys, mac_of
from brainops.core import clock, logs
from brainops.core.redact import redact, redact_text
from brainops.core.web.clients import client_ip, current_ip

_SUMMARY_LIMIT = 1000  # characters


def record(
    *,
    actor: HasActor | None,
    workspace_id: UUID | None,
    action: str,
    target_kind: str,
    target_id: UUID | str,
    summary: str,
    changes: Mapping[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> AuditEntry:
    """Write one entry; it stands or falls with the caller's transaction.

    `action` is `noun.verb` ("workflow.update"). `changes` maps a field to `[old, new]`; secrets in it are masked. The
    address and the request id are those of the request being served, so `request` is seldom needed.
    """
    who = actor.actor if actor else Actor.anonymous()
    entry = AuditEntry(
        at=clock.now(),
        workspace_id=workspace_id,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=_clean(who.label)[:254],
        ip=(client_ip(request) if request else current_ip.get()) or None,
        request_id=logs.request_id.get(),
        action=action,
        target_kind=target_kind,
        target_id=str(target_id),
        summary=_clean(redact_text(summary))[:_SUMMARY_LIMIT],
        changes=_json(redact(dict(changes))) if changes else None,
    )
    entry.mac = mac_of(entry, keys()[0])
    entry.save(force_insert=True)
    return entry


def _clean(text: str) -> str:
    """Without what PostgreSQL cannot store."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _json(value: Any) -> Any:
    """Plain JSON: dates and ids as text."""
    return orjson.loads(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
