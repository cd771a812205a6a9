"""What a polling kind may do while it looks at its source: read a secret, keep a file, ask what is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, BinaryIO
from uuid import UUID

from django.db import connection

from automation.models import Trigger
from automation.services import arrivals, files
from automation.store import secrets as store
from automation.store.sources import Held
from automation.triggers.contract import Json, Poll, SourceError
from brainops.core.egress.bound import is_named
from brainops.core.errors import AppError, SecretUnreadable


class Opened:
    """The secrets that one look has read: none of them stands in what it says."""

    def __init__(self) -> None:
        self._masks: list[Any] = []

    def add(self, mask: Any) -> None:
        """Mask these, too."""
        self._masks.append(mask)

    def mask(self, text: str) -> str:
        """The text without their values."""
        for mask in self._masks:
            text = mask(text)
        return text


def of(trigger: Trigger, held: Held, opened: Opened, *, most: int) -> Poll:
    """The context of one look."""

    def seen(keys: Collection[str]) -> set[str]:
        with connection.cursor() as cursor:
            return arrivals.seen(cursor, trigger.id, keys)

    def keep_file(name: str, content_type: str, data: bytes | BinaryIO) -> dict[str, Json]:
        return _kept(trigger.workspace_id, name, content_type, data)

    def open_file(reference: Mapping[str, Json]) -> BinaryIO:
        try:
            return files.open_file(trigger.workspace_id, reference)
        except AppError as error:
            raise SourceError(error.message, code="file_gone") from error

    return Poll(trigger, held.cursor, most, secrets_of(trigger, opened), seen, keep_file, open_file)


def secrets_of(trigger: Trigger, opened: Opened) -> Callable[..., str]:
    """What reads the secrets of a trigger's workspace, as `Poll.secret`."""

    def secret(name: str, *, host: str = "") -> str:
        return _secret(trigger, opened, name, host)

    return secret


def _secret(trigger: Trigger, opened: Opened, name: str, host: str) -> str:
    with connection.cursor() as cursor:
        rows = store.find(cursor, trigger.workspace_id, [name])
        if name not in rows:
            said = f"There is no secret {name!r} in this workspace. Make it, or name another one in the trigger."
            raise SourceError(said, code="secret_missing")
        store.mark_used(cursor, rows.values(), trigger.workflow_id)
    try:
        found = store.opened(rows, [name])
    except SecretUnreadable as error:
        raise SourceError(error.message, code=error.code) from error
    opened.add(found.mask)
    for hosts in found.hosts:
        if not (is_named(host, hosts) or is_named(host.rpartition(":")[0] or host, hosts)):
            said = f"The secret {name!r} may be sent only to {', '.join(sorted(hosts))}, not to {host or 'any host'}."
            raise SourceError(said, code="host_not_allowed")
    return found.values[name]


def _kept(workspace_id: UUID, name: str, content_type: str, data: bytes | BinaryIO) -> dict[str, Json]:
    try:
        return files.keep(workspace_id, name, content_type, data)
    except AppError as error:
        raise SourceError(error.message, code=error.code) from error
