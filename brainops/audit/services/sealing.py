"""Chain new entries: each seal covers the one before it, so nothing can be changed, taken out or put in between.

Order. Ids are given before a transaction commits, so a lower id may appear after a higher one was sealed. Entries are
therefore sealed by (transaction id, id), and only those of transactions older than every transaction still running
(`pg_snapshot_xmin`): below that line nothing can appear any more.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from brainops.audit.models import AuditChain, AuditSeal
from brainops.audit.services.content import SYSTEM_CHAIN, keys, seal_of

BATCH = 1000
_SEALERS_LOCK = 0x5EA1  # advisory, for the transaction: one sealer at a time

# In order over all chains: whatever is below the last sealed transaction is sealed, in every chain.
_NEXT_ENTRIES = """
    select e.id, e.transaction_id, coalesce(e.workspace_id, %(system)s::uuid), e.mac
      from audit_auditentry e
     where e.transaction_id >= coalesce((select max(transaction_id) from audit_auditseal), 0)
       and e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
       and not exists (select from audit_auditseal s where s.entry_id = e.id)
     order by e.transaction_id, e.id
     limit %(batch)s
"""


def seal(*, limit: int = BATCH) -> int:
    """Seal what can be sealed, at most `limit` entries; returns how many. Any number of processes may call it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_SEALERS_LOCK])
        if cursor.fetchone() != (True,):
            return 0  # another one is at it
        cursor.execute(_NEXT_ENTRIES, {"system": SYSTEM_CHAIN, "batch": limit})
        seals = _sealed(cursor.fetchall())
        AuditSeal.objects.bulk_create(seals)
    return len(seals)


def _sealed(entries: list[tuple[int, int, UUID, bytes]]) -> list[AuditSeal]:
    """The seals of the entries; moves the ends of their chains."""
    key = keys()[0]
    ids = {chain for _, _, chain, _ in entries}
    AuditChain.objects.bulk_create([AuditChain(workspace_id=chain) for chain in ids], ignore_conflicts=True)
    ends = AuditChain.objects.in_bulk(ids)
    seals = []
    for entry_id, transaction_id, chain, mac in entries:
        end = ends[chain]
        end.position += 1
        end.seal = seal_of(bytes(mac), key, chain=str(chain), position=end.position, previous=bytes(end.seal))
        seals.append(
            AuditSeal(
                entry_id=entry_id, chain=chain, position=end.position, transaction_id=transaction_id, seal=end.seal
            )
        )
    AuditChain.objects.bulk_update(ends.values(), ["position", "seal"])
    return seals
