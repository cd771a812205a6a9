"""Signature headers made of pairs, as Stripe, Paddle and Calendly send them: `t=1700000000,v1=…,v1=…`."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from webhooks.signatures.contract import Attempt, Draft, Verdict, refused, verified
from webhooks.signatures.digests import body_identity, hmacs_sha256, matches_any
from webhooks.signatures.moments import on_time, read_moment
from webhooks.signatures.recipe import DIGEST_BYTES, decode, missing, wrong
from webhooks.signatures.stamps import MOST_SIGNATURES

LONGEST_HEADER = 4096


@dataclass(frozen=True, slots=True)
class Paired:
    """HMAC-SHA256, hexadecimal, over `{time}{joint}{body}`; the pairs `time` and `signature` stand in one header."""

    header: str
    separator: str
    time: str
    signature: str
    joint: bytes

    def verify(self, attempt: Attempt) -> Verdict:
        """Judge a delivery. One right signature among several is enough; a second time is one too many."""
        header = attempt.headers.get(self.header.lower(), "").strip()
        if not header:
            return missing(self.header)
        times, given = self._read(header)
        if len(times) != 1:
            return refused(
                "timestamp_missing", f'Header {self.header} must hold "{self.time}=" once, got {len(times)}.'
            )
        moment = read_moment(times[0], "seconds", f'"{self.time}=" of {self.header}')
        if isinstance(moment, Verdict):
            return moment
        if not given:
            message = f'Header {self.header} holds no "{self.signature}=" and 64 hexadecimal digits.'
            return refused("signature_malformed", message)
        content = times[0].encode() + self.joint + attempt.body
        if not matches_any(given, hmacs_sha256((secret.encode() for secret in attempt.secrets), content)):
            return wrong(self.header)
        return on_time(moment, attempt, None) or verified(body_identity(attempt.body))

    def _read(self, header: str) -> tuple[list[str], list[bytes]]:
        pairs = [part.strip().partition("=") for part in header[:LONGEST_HEADER].split(self.separator)]
        times = [value for name, _, value in pairs if name == self.time]
        found = (decode(value, "hex") for name, _, value in pairs if name == self.signature)
        return times, [digest for digest in found if len(digest) == DIGEST_BYTES["sha256"]][:MOST_SIGNATURES]

    def sign(self, draft: Draft) -> dict[str, str]:
        """The header a sender would send."""
        sent = str(int(draft.now))
        digest = hmac.digest(draft.secret.encode(), sent.encode() + self.joint + draft.body, "sha256")
        pairs = f"{self.time}={sent}{self.separator}{self.signature}={digest.hex()}"
        return {self.header.lower(): pairs}
