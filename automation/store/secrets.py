"""Stored secrets for runs: read anew for each call, decrypted once per value.

What a worker keeps is found by the ciphertext, which is another one after every change: a changed secret counts for the
next step of every worker, without news from anybody.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.engine.secrets import Opened
from automation.models import Secret
from brainops.core import crypto, redact
from brainops.core.fields import EncryptedTextField
from brainops.core.redact import SecretValues

MOST_KEPT = 256  # decrypted values, and sets of them to mask

FIND = """
select id, name, value, hosts::text, coalesce(last_used_at < now() - interval '1 minute', true)
from automation_secret where workspace_id = %(workspace)s and name = any(%(names)s)
"""

# Who used it last, to the minute: a secret that a thousand steps send is not written a thousand times. Two runs that
# mark the same one do not wait for each other.
MARK_USED = """
update automation_secret set last_used_at = now(), last_used_by_id = %(workflow)s
where id in (select id from automation_secret where id = any(%(ids)s) order by id for no key update skip locked)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A secret as it is in the database. `is_due`: its last use was noted more than a minute ago."""

    id: UUID
    name: str
    ciphertext: str
    hosts: tuple[str, ...]
    is_due: bool


def find(cursor: Any, workspace_id: UUID, names: Sequence[str]) -> dict[str, Stored]:
    """The secrets of a workspace that have these names."""
    cursor.execute(FIND, {"workspace": workspace_id, "names": list(names)})
    rows = (Stored(id_, name, value, tuple(orjson.loads(hosts)), due) for id_, name, value, hosts, due in cursor)
    return {row.name: row for row in rows}


def mark_used(cursor: Any, rows: Iterable[Stored], workflow_id: UUID) -> None:
    """Note who used these secrets, where the last note is old."""
    due = [row.id for row in rows if row.is_due]
    if due:
        cursor.execute(MARK_USED, {"ids": due, "workflow": workflow_id})


def opened(rows: dict[str, Stored], sent: Iterable[str]) -> Opened:
    """The values of the `sent` ones, and a mask of all. Raises SecretUnreadable."""
    chosen = {name: rows[name] for name in sent}
    values = {name: _kept.value(row) for name, row in chosen.items()}
    bounds = tuple(frozenset(row.hosts) for row in chosen.values() if row.hosts)
    return Opened(values, _kept.mask(tuple(rows.values())).without, bounds)


class _Kept:
    """Decrypted values and masks, by ciphertext; the longest unused go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[str, str] = OrderedDict()
        self._masks: OrderedDict[frozenset[str], SecretValues] = OrderedDict()

    def value(self, row: Stored) -> str:
        with self._lock:
            known = self._values.get(row.ciphertext)
            if known is not None:
                self._values.move_to_end(row.ciphertext)
                return known
        plain = crypto.key_ring().decrypt(row.ciphertext, associated=associated_data(row.id))
        redact.register_for_logs(plain)
        self._put(self._values, row.ciphertext, plain)
        return plain

    def mask(self, rows: Sequence[Stored]) -> SecretValues:
        key = frozenset(row.ciphertext for row in rows)
        with self._lock:
            known = self._masks.get(key)
        if known is None:
            known = SecretValues()
            for row in rows:
                known.register(self.value(row))
            self._put(self._masks, key, known)
        return known

    def forget(self) -> None:
        with self._lock:
            self._values.clear()
            self._masks.clear()

    def _put(self, kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)


_kept = _Kept()
forget = _kept.forget


def associated_data(secret_id: UUID) -> str:
    """What the ciphertext of a secret is bound to, as its field says."""
    field = Secret._meta.get_field("value")
    assert isinstance(field, EncryptedTextField)  # noqa: S101 - the model says so
    return field.associated_data(Secret(id=secret_id))
