"""Which keys the audit log needs: its hashes are made with the encryption keys and cannot be made anew."""

from __future__ import annotations

from brainops.audit.models import AuditEntry
from brainops.audit.services.content import PURPOSE, mac_of
from brainops.core.crypto import remaining_keys


def older_key_needed() -> str | None:
    """Why an older encryption key must not be forgotten; None when the oldest entry was written with the first one.

    Keys follow each other in time, so the oldest entry tells for all. A retired key is no obstacle: it verifies and
    decrypts nothing.
    """
    entry = AuditEntry.objects.order_by("id").first()
    if entry is None:
        return None
    mac = bytes(entry.mac)
    if any(mac_of(entry, key) == mac for key in remaining_keys(PURPOSE)):
        return None
    return (
        "The audit log holds hashes made with an older key. Move that key from BRAINOPS_ENCRYPTION_KEYS to "
        "BRAINOPS_RETIRED_KEYS, where it only verifies; without it `audit_verify` takes these entries for forged ones."
    )
