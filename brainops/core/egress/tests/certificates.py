"""A certificate authority for one test run, and contexts of servers it vouches for."""

from __future__ import annotations

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Issues certificates; `trusting()` is a client's context that trusts only them."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = (
            self._build("Test CA", self._key.public_key(), days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(SIGNS_CERTIFICATES, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def trusting(self, context):
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        context.load_verify_locations(cadata=pem)
        return context

    def server_context(self, folder, *, name="service.test", address=None, days=30):
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.IPAddress(ipaddress.ip_address(address)) if address else x509.DNSName(name)
        certificate = (
            self._build(name, key.public_key(), days=days)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = folder / f"{name}-{days}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _build(self, name, public_key, *, days):
        ends = NOW + days * DAY
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("Test CA"))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(NOW, ends) - 2 * DAY)
            .not_valid_after(ends)
            # Python 3.13 checks strictly (RFC 5280 4.2.1): each certificate names its own key and its issuer's.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
