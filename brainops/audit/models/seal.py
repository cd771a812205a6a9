"""AuditSeal and AuditChain: the hash chain over the entries of a workspace."""

from __future__ import annotations

from django.db import models


class AuditChain(models.Model):
    """The end of one workspace's chain. The row's lock makes sealers take turns."""

    workspace_id = models.UUIDField(primary_key=True)  # all zeros = the installation itself
    position = models.BigIntegerField(default=0)  # how many entries are sealed
    seal = models.BinaryField(max_length=32, default=bytes)  # of the last one

    def __str__(self) -> str:
        return f"chain {self.workspace_id} at {self.position}"


class AuditSeal(models.Model):
    """The seal of one entry: a keyed hash over the seal before it, its position and the entry.

    Kept apart from the entries, which never change. Append-only by trigger, too.
    """

    # no constraint in the database: a deleted entry has to be found by its seal, not to be made impossible to look for
    entry = models.OneToOneField(
        "audit.AuditEntry", primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="sealed"
    )
    chain = models.UUIDField()
    position = models.BigIntegerField()
    transaction_id = models.BigIntegerField()  # of the entry: everything up to here is sealed
    seal = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "position"], name="audit_seal_position")]
        indexes = [models.Index(fields=["transaction_id"], name="audit_seal_order")]  # where the sealer goes on

    def __str__(self) -> str:
        return f"seal {self.position} of {self.chain}"
