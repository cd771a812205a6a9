"""Write the audit log, seal it, verify it."""

from brainops.audit.services.recording import record
from brainops.audit.services.sealing import seal
from brainops.audit.services.verifying import verify

__all__ = ["record", "seal", "verify"]
