"""The record of what was done, and the seals that prove it."""

from brainops.audit.models.entry import AuditEntry
from brainops.audit.models.seal import AuditChain, AuditSeal

__all__ = ["AuditChain", "AuditEntry", "AuditSeal"]
