"""AWS Signature Version 4, as S3 and what speaks its language check it.

Source: AWS, "Signature Version 4 signing process" and "Authenticating requests (AWS Signature Version 4)". S3 does not
normalize paths and does not encode them twice.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
NO_BODY = hashlib.sha256(b"").hexdigest()
_UNRESERVED = "-._~"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs, for which region. `token` is the session's, for temporary credentials."""

    key_id: str
    secret: str = field(repr=False)
    region: str
    token: str = field(default="", repr=False)
    service: str = "s3"


def encoded_path(path: str) -> str:
    """A path as it is signed and sent: everything but unreserved characters and slashes percent-encoded."""
    return quote(path, safe=_UNRESERVED + "/")


def encoded_query(query: Mapping[str, str]) -> str:
    """A query as it is signed and sent: sorted, each part percent-encoded."""
    pairs = sorted((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_headers(
    credentials: Credentials,
    method: str,
    *,
    host: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body_sha256: str,
    now: datetime,
) -> dict[str, str]:
    """The headers to send: the given ones, the time, the body's checksum and the signature over all of them.

    `path` is not encoded yet. `host` is signed and sent by the HTTP client itself.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    token = {"x-amz-security-token": credentials.token} if credentials.token else {}
    checksum = {"x-amz-content-sha256": body_sha256} if credentials.service == "s3" else {}
    sent = {**headers, **checksum, "x-amz-date": stamp, **token}
    named = {name.lower(): " ".join(value.split()) for name, value in {**sent, "host": host}.items()}
    names = ";".join(sorted(named))
    canonical = "\n".join(
        [
            method,
            encoded_path(path),
            encoded_query(query),
            *(f"{name}:{named[name]}" for name in sorted(named)),
            "",
            names,
            body_sha256,
        ]
    )
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    to_sign = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(_key(credentials, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    parts = f"Credential={credentials.key_id}/{scope},SignedHeaders={names},Signature={signature}"
    return {**sent, "Authorization": f"{ALGORITHM} {parts}"}


def _key(credentials: Credentials, day: str) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, credentials.region, credentials.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
