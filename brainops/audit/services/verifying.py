"""Verify the log: recompute every hash and name what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Literal
from uuid import UUID

from django.db import connection

from brainops.audit.models import AuditChain, AuditEntry, AuditSeal
from brainops.audit.services.content import SYSTEM_CHAIN, is_any, mac_of, seal_of

Fault = Literal["edited", "deleted", "inserted", "reordered", "cut"]
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. `position` is the place in the chain, 0 for an entry outside of it."""

    fault: Fault
    chain: UUID
    position: int
    entry_id: int | None
    message: str


@dataclass(slots=True)
class Verdict:
    """What a verification saw. `heads` is worth keeping elsewhere: it proves later that no end was cut off."""

    sealed: int = 0
    unsealed: int = 0  # the tail: written, not chained yet
    findings: list[Finding] = field(default_factory=list)
    heads: dict[UUID, tuple[int, str]] = field(default_factory=dict)

    @property
    def is_intact(self) -> bool:
        """True when nothing was found."""
        return not self.findings


def verify(*, expected_heads: dict[UUID, tuple[int, str]] | None = None) -> Verdict:
    """Check every seal and every entry. `expected_heads` are the heads of an earlier verdict, kept elsewhere."""
    verdict = Verdict()
    for end in AuditChain.objects.order_by("workspace_id"):
        verdict.findings += _chain_findings(end, verdict)
    verdict.findings += _outside_findings(verdict)
    for chain, (position, seal) in (expected_heads or {}).items():
        verdict.findings += _head_findings(chain, position, seal)
    return verdict


Head = tuple[int, str]  # the position of a seal, and the seal in hexadecimal


@dataclass(frozen=True, slots=True)
class Part:
    """What the verification of a stretch of one chain saw. `head` is where to go on; None: nothing is sealed yet."""

    sealed: int
    unsealed: int
    findings: tuple[Finding, ...]
    head: Head | None
    is_complete: bool  # the chain was followed to its end

    @property
    def is_intact(self) -> bool:
        """True when nothing was found."""
        return not self.findings


def verify_part(chain: UUID | None, *, after: Head | None = None, most: int) -> Part:
    """Check the chain of one workspace (None: of the installation), from a head noted earlier on, `most` entries.

    A head that is not in the chain any more means that its end was cut off and sealed anew.
    """
    chain = chain or UUID(SYSTEM_CHAIN)
    findings = list(_head_findings(chain, *after)) if after else []
    position, previous = (after[0], bytes.fromhex(after[1])) if after else (0, b"")
    sealed = 0
    for seal, entry in islice(_links(chain, after=position), most):
        position += 1
        sealed += 1
        findings += _place_findings(seal, position)
        findings += _link_findings(seal, entry, previous)
        position, previous = seal.position, bytes(seal.seal)
    end = AuditChain.objects.filter(workspace_id=chain).first() or AuditChain(workspace_id=chain)
    is_complete = sealed < most or position == end.position
    tail = Verdict()
    if is_complete:
        findings += _end_findings(end, position, previous)
        findings += _outside_findings(tail, chain)
    head = (position, previous.hex()) if previous else None
    return Part(sealed, tail.unsealed, tuple(findings), head, is_complete)


def _chain_findings(end: AuditChain, verdict: Verdict) -> Iterator[Finding]:
    chain, previous, position = end.workspace_id, b"", 0
    for seal, entry in _links(chain):
        position += 1
        verdict.sealed += 1
        yield from _place_findings(seal, position)
        position = seal.position
        yield from _link_findings(seal, entry, previous)
        previous = bytes(seal.seal)
    verdict.heads[chain] = (position, previous.hex())
    yield from _end_findings(end, position, previous)


def _place_findings(seal: AuditSeal, position: int) -> Iterator[Finding]:
    """Seals that are missing before this one, which should stand at `position`."""
    if seal.position != position:
        message = f"Seals {position} to {seal.position - 1} are gone."
        yield Finding("cut", seal.chain, position, None, message)


def _end_findings(end: AuditChain, position: int, previous: bytes) -> Iterator[Finding]:
    """The chain's own end says otherwise than its last seal."""
    if (position, previous) != (end.position, bytes(end.seal)):
        message = f"The chain ends at {position}, but {end.position} entries were sealed."
        yield Finding("cut", end.workspace_id, position, None, message)


def _link_findings(seal: AuditSeal, entry: AuditEntry | None, previous: bytes) -> Iterator[Finding]:
    def found(fault: Fault, message: str) -> Finding:
        return Finding(fault, seal.chain, seal.position, seal.entry_id, message)

    if entry is None:
        yield found("deleted", f"Entry {seal.entry_id} was sealed and is gone.")
        return
    mac = bytes(entry.mac)
    if not is_any(mac, partial(mac_of, entry)):
        yield found("edited", f"Entry {entry.id} ({entry.action}) does not have the content it was written with.")
    made = partial(seal_of, mac, chain=str(seal.chain), position=seal.position, previous=previous)
    if not is_any(bytes(seal.seal), made):
        yield found("reordered", f"Entry {entry.id} is not the one that was sealed at this place.")


def _outside_findings(verdict: Verdict, chain: UUID | None = None) -> Iterator[Finding]:
    """Entries without a seal, of one chain or of all: the tail is normal, anything else was put in by hand."""
    line = AuditSeal.objects.order_by("-transaction_id").values_list("transaction_id", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (horizon,) = cursor.fetchone()
    entries = AuditEntry.objects.filter(sealed__isnull=True)
    if chain is not None:
        entries = entries.filter(workspace_id=None if chain == UUID(SYSTEM_CHAIN) else chain)
    for entry in entries.order_by("id").iterator(_PAGE):
        if not is_any(bytes(entry.mac), partial(mac_of, entry)):
            message = f"Entry {entry.id} ({entry.action}) was not written by the application."
        elif entry.transaction_id < min(line, horizon):
            message = f"Entry {entry.id} ({entry.action}) stands among sealed entries without a seal."
        else:
            verdict.unsealed += 1
            continue
        yield Finding("inserted", entry.workspace_id or UUID(SYSTEM_CHAIN), 0, entry.id, message)


def _head_findings(chain: UUID, position: int, seal: str) -> Iterator[Finding]:
    stored = AuditSeal.objects.filter(chain=chain, position=position).first()
    if stored is None or bytes(stored.seal).hex() != seal:
        yield Finding(
            "cut", chain, position, None, f"The head noted earlier ({position}) is not in the chain any more."
        )


def _links(chain: UUID, *, after: int = 0) -> Iterator[tuple[AuditSeal, AuditEntry | None]]:
    """Seals in order with their entries, a page at a time."""
    last = after
    while page := list(AuditSeal.objects.filter(chain=chain, position__gt=last).order_by("position")[:_PAGE]):
        entries = AuditEntry.objects.in_bulk([seal.entry_id for seal in page])
        yield from ((seal, entries.get(seal.entry_id)) for seal in page)
        last = page[-1].position
