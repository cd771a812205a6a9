"""Certificates that senders publish (PayPal, Amazon SNS): reading one, and whether it is the sender's and in date.

Nothing is fetched here: the intake does that before, and only from addresses that a scheme allows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.x509.oid import NameOID

from webhooks.signatures.contract import Attempt, Verdict, refused

HTTPS_PORT = 443
LONGEST_URL = 500

CERTIFICATE_OPTION: dict[str, Any] = {
    "type": "string",
    "title": "The sender's certificate",
    "description": "In PEM. Given, it is trusted as it is and none is fetched: for a server that may not call the "
    "sender. Its name and its dates are still checked.",
    "pattern": "^-----BEGIN CERTIFICATE-----",
    "maxLength": 20000,
}


def is_allowed(url: str, hosts: re.Pattern[str]) -> bool:
    """True for a plain https address of an allowed host: no other port, no user, no query, no fragment."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or parts.username is not None or parts.password is not None)
    is_https = parts.scheme == "https" and port in {None, HTTPS_PORT}
    return is_plain and is_https and hosts.fullmatch(parts.hostname or "") is not None and "\\" not in url


def certificate_of(attempt: Attempt, url: str, names: re.Pattern[str]) -> x509.Certificate | Verdict:
    """The sender's certificate: the pinned one of the options, else the one that was fetched for this address."""
    pem = str(attempt.options.get("certificate") or "").encode() or attempt.certificates.get(url, b"")
    if not pem:
        return refused("certificate_unavailable", "The sender's certificate could not be fetched. Send it again.")
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return refused("certificate_wrong", "What the sender publishes as its certificate is none.")
    if not any(names.fullmatch(name) for name in names_of(certificate)):
        return refused("certificate_wrong", "The certificate is in date but another party's.")
    now = datetime.fromtimestamp(attempt.now, UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return refused(
            "certificate_expired", f"The certificate is good until {certificate.not_valid_after_utc:%Y-%m-%d}."
        )
    return certificate


def names_of(certificate: x509.Certificate) -> list[str]:
    """The common name and the DNS names, in lower case."""
    common = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return [name.lower() for name in common]
    return [name.lower() for name in (*common, *found.value.get_values_for_type(x509.DNSName))]


def has_signed(certificate: x509.Certificate, signature: bytes, content: bytes, algorithm: HashAlgorithm) -> bool:
    """True when the certificate's RSA key made the signature (PKCS #1 v1.5)."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, content, PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True
