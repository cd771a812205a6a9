"""Status addresses: where the caller of a slow run asks again, without a key of ours.

A token names one run and how its webhook answers, and ends after a day. It shows the status and the answer, nothing
else of the run.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from brainops.core import clock
from brainops.core.crypto import signing_keys
from brainops.core.errors import NotFound
from webhooks.models import AnswerMode

PURPOSE = "webhook-status"
HOUR = 3600
GOOD_SECONDS = 24 * HOUR
_HASH_BYTES = 16
_TIME_BYTES = 5
_TOKEN_BYTES = 16 + _TIME_BYTES + 1 + _HASH_BYTES
_MODES = (AnswerMode.RESPOND, AnswerMode.LAST_STEP, AnswerMode.FILE, AnswerMode.STREAM)


@dataclass(frozen=True, slots=True)
class StatusLink:
    """The run that a token names, and how its webhook answers."""

    run_uid: UUID
    mode: AnswerMode


def url_of(link: StatusLink) -> str:
    """The address where the answer can be asked for."""
    return f"{settings.BRAINOPS_PUBLIC_URL}{settings.BRAINOPS_API_PREFIX}/webhooks/status/{token_of(link)}"


def token_of(link: StatusLink) -> str:
    """The address's own part, good from now on for GOOD_SECONDS or a little longer: within an hour it is the same."""
    ends_at = (int(clock.now().timestamp()) // HOUR + 1) * HOUR + GOOD_SECONDS
    body = link.run_uid.bytes + ends_at.to_bytes(_TIME_BYTES, "big") + bytes([_MODES.index(link.mode)])
    return base64.urlsafe_b64encode(body + _hashes(body)[0]).decode().rstrip("=")


def read(token: str) -> StatusLink:
    """What a token is about. Raises NotFound for one that we never made, or whose time is over."""
    try:
        raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotFound from error
    body, given = raw[:-_HASH_BYTES], raw[-_HASH_BYTES:]
    if len(raw) != _TOKEN_BYTES or not any(hmac.compare_digest(given, one) for one in _hashes(body)):
        raise NotFound
    if int.from_bytes(body[16 : 16 + _TIME_BYTES], "big") < clock.now().timestamp():
        raise NotFound
    return StatusLink(UUID(bytes=body[:16]), _MODES[body[-1]])


def _hashes(body: bytes) -> list[bytes]:
    return [hmac.digest(key, body, "sha256")[:_HASH_BYTES] for key in signing_keys(PURPOSE)]
