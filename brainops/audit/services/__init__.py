"""Write the audit log, seal it, verify it."""

from brainops.audit.services.recording import Deed, record, record_many
from brainops.audit.services.sealing import seal
from brainops.audit.services.verifying import verify, verify_part

__all__ = ["Deed", "record", "record_many", "seal", "verify", "verify_part"]
