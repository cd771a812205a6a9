"""Record an action in the transaction that does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
_AT_ONCE = 500  # rows of one INSERT


@dataclass(frozen=True, slots=True)
class Deed:
    """One of many things done together: what `record` is told of a single one."""

    workspace_id: UUID | None
    action: str
    target_kind: str
    target_id: UUID | str
    summary: str
    changes: Mapping[str, Any] | None = None


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
    deed = Deed(workspace_id, action, target_kind, target_id, summary, changes)
    entry = _entry(actor, deed, (client_ip(request) if request else current_ip.get()) or None)
    entry.save(force_insert=True)
    return entry


def record_many(actor: HasActor | None, deeds: Iterable[Deed]) -> None:
    """Write an entry for each of many deeds of one actor, in their order; they stand or fall together."""
    ip = current_ip.get() or None
    AuditEntry.objects.bulk_create([_entry(actor, deed, ip) for deed in deeds], batch_size=_AT_ONCE)


def _entry(actor: HasActor | None, deed: Deed, ip: str | None) -> AuditEntry:
    who = actor.actor if actor else Actor.anonymous()
    entry = AuditEntry(
        at=clock.now(),
        workspace_id=deed.workspace_id,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=_clean(who.label)[:254],
        ip=ip,
        request_id=logs.request_id.get(),
        action=deed.action,
        target_kind=deed.target_kind,
        target_id=str(deed.target_id),
        summary=_clean(redact_text(deed.summary))[:_SUMMARY_LIMIT],
        changes=_json(redact(dict(deed.changes))) if deed.changes else None,
    )
    entry.mac = mac_of(entry, keys()[0])
    return entry


def _clean(text: str) -> str:
    """Without what PostgreSQL cannot store."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _json(value: Any) -> Any:
    """Plain JSON: dates and ids as text."""
    return orjson.loads(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
