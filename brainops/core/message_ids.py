"""Message-IDs of the mails that this installation sends: `<uuid@host>`, so that it knows them when one comes back."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit

from django.conf import settings

_OURS = re.compile(r"<[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}@([^<>\s@]+)>")


def new_message_id() -> str:
    """A Message-ID that `is_ours` knows."""
    return f"<{uuid.uuid4()}@{_host()}>"


def is_ours(message_id: str) -> bool:
    """True for a Message-ID in the form of ours. Whoever forges one only has a mail ignored, which is their own."""
    found = _OURS.fullmatch(message_id.lower())
    return found is not None and found[1] == _host()


def _host() -> str:
    return urlsplit(settings.BRAINOPS_PUBLIC_URL).hostname or "localhost"
