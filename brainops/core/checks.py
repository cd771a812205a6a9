"""Checks of what is stored: `manage.py check --database default`, and before each migration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from brainops.core import rotation


@register(Tags.database)
def check_stored_keys(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse a key ring that lacks a key stored secrets need: better now than at the first step that sends one."""
    if not databases:
        return []
    found: list[CheckMessage] = []
    for place in rotation.places():
        try:
            counts = place.key_counts()
        except DatabaseError:  # its table comes with the migration that is about to run
            continue
        lost = {key: count for key, count in counts.items() if key not in settings.BRAINOPS_ENCRYPTION_KEYS}
        found += [
            Error(
                f"{place.name}: {count} secrets are encrypted with the key {key[:40]!r}, which is not there.",
                hint="Put the key back into BRAINOPS_ENCRYPTION_KEYS, or delete these secrets and enter them again.",
                id="core.E001",
            )
            for key, count in sorted(lost.items())
        ]
    return found
