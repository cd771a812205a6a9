"""What most HMAC schemes are: a header with a prefix and an encoding, over a text made of the request.

A provider's file declares a `Recipe`; reading the header, the clock and the comparison are here, once.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from webhooks.signatures.contract import Attempt, Draft, Verdict, refused, verified
from webhooks.signatures.digests import body_identity, matches_any
from webhooks.signatures.moments import Unit, on_time, read_moment, written
from webhooks.signatures.stamps import MOST_SIGNATURES, decode_base64

Encoding = Literal["hex", "base64"]
Content = Callable[[Attempt, str], bytes]  # the attempt and the timestamp as it was sent

DIGEST_BYTES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
_HEX = re.compile(r"[0-9A-Fa-f]*", re.ASCII)


def raw_body(attempt: Attempt, _timestamp: str) -> bytes:
    """The body and nothing else."""
    return attempt.body


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a sender signs. Header names as the sender writes them; `timestamp` is None when it signs no time."""

    signature: str
    encoding: Encoding = "hex"
    algorithm: str = "sha256"
    prefix: str = ""
    content: Content = raw_body
    timestamp: str | None = None
    unit: Unit = "seconds"
    is_timed: bool = True  # the time is compared with our clock
    id: str | None = None  # the header with the sender's name for the delivery
    event: str | None = None
    key: Callable[[str], bytes] = str.encode
    names_all: bool = False  # without an id the time and the rest name a delivery as well, not its body alone

    def verify(self, attempt: Attempt) -> Verdict:
        """Judge a delivery; the signature first, so that only the genuine sender learns that its clock is wrong."""
        name = self.name_of(attempt)
        given = self.given(attempt.headers.get(self.signature.lower(), "").strip())
        if isinstance(given, Verdict):
            return refused(given.code, given.message, delivery_id=name)
        return self.compare(attempt, [given], name)

    def compare(self, attempt: Attempt, given: Iterable[bytes], name: str | None) -> Verdict:
        """Judge decoded signatures."""
        sent = attempt.headers.get(self.timestamp.lower(), "").strip() if self.timestamp else ""
        moment = read_moment(sent, self.unit, self.timestamp) if self.timestamp else 0.0
        if isinstance(moment, Verdict):
            return refused(moment.code, moment.message, delivery_id=name)
        content = self.content(attempt, sent)
        if not matches_any(given, self.digests(attempt.secrets, content)):
            return wrong(self.signature, name)
        if self.timestamp and self.is_timed and (late := on_time(moment, attempt, name)):
            return late
        return verified(name or body_identity(content if self.names_all else attempt.body))

    def name_of(self, attempt: Attempt) -> str | None:
        """The sender's name for the delivery."""
        return (attempt.headers.get(self.id.lower()) or None) if self.id else None

    def given(self, header: str) -> bytes | Verdict:
        """The decoded signature of a header, or why there is none."""
        if not header:
            return missing(self.signature)
        if not header.startswith(self.prefix):
            return malformed(self.signature, self.prefix, self.encoding, self.algorithm)
        digest = decode(header[len(self.prefix) :], self.encoding)
        if len(digest) != DIGEST_BYTES[self.algorithm]:
            return malformed(self.signature, self.prefix, self.encoding, self.algorithm)
        return digest

    def digests(self, secrets: Iterable[str], content: bytes) -> list[bytes]:
        """The HMAC under each secret. An empty key signs nothing: anybody has it."""
        keys = (self.key(secret) for secret in secrets)
        return [hmac.digest(key, content, self.algorithm) for key in keys if key]

    def sign(self, draft: Draft) -> dict[str, str]:
        """The headers a sender would send."""
        sent = written(draft.now, self.unit) if self.timestamp else ""
        headers = {self.timestamp.lower(): sent} if self.timestamp else {}
        if self.id:
            headers[self.id.lower()] = draft.delivery_id
        if self.event:
            headers[self.event.lower()] = draft.event
        attempt = Attempt((), headers, draft.body, draft.now, url=draft.url, options=draft.options)
        (digest,) = self.digests([draft.secret], self.content(attempt, sent))
        return {self.signature.lower(): self.prefix + encode(digest, self.encoding), **headers}


def decode(text: str, encoding: Encoding) -> bytes:
    """The bytes of a signature; empty when it is not exactly that encoding."""
    if encoding == "base64":
        return decode_base64(text)
    return bytes.fromhex(text) if len(text) % 2 == 0 and _HEX.fullmatch(text) else b""


def encode(digest: bytes, encoding: Encoding) -> str:
    """A signature as text."""
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def several(header: str, separator: str, recipe: Recipe) -> list[bytes]:
    """The signatures of a list that can be read, the first ones of it."""
    parts = (recipe.given(part.strip()) for part in header.split(separator)[:MOST_SIGNATURES])
    return [part for part in parts if isinstance(part, bytes)]


def missing(header: str, name: str | None = None) -> Verdict:
    """Nothing was signed."""
    message = f"Header {header} is missing: the request is not signed. Enter the secret at the sender."
    return refused("signature_missing", message, delivery_id=name)


def malformed(header: str, prefix: str, encoding: str, algorithm: str) -> Verdict:
    """What stands in the header is no signature of this scheme."""
    form = f'"{prefix}" and ' if prefix else ""
    digits = "hexadecimal digits" if encoding == "hex" else "base64"
    return refused("signature_malformed", f"Header {header} must hold {form}an HMAC-{algorithm.upper()} in {digits}.")


def wrong(header: str, name: str | None = None) -> Verdict:
    """The signature is another secret's or another content's; which of the two cannot be told here."""
    message = f"The signature in {header} was not made from this request with the endpoint's secret."
    return refused("signature_wrong", message, delivery_id=name)
