"""Encryption of stored secrets, and keys for single purposes.

A stored secret is `v1.<key id>.<base64url of nonce + ciphertext>`: AES-256-GCM (NIST SP 800-38D) with a random 96-bit
nonce. The associated data names the table, row and field, so a ciphertext copied to another row cannot be read there.
The first key of the ring encrypts, all of them decrypt: a new key goes to the front, `manage.py rotate_keys` rewrites.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from brainops.core.errors import SecretUnreadable

VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class KeyRing:
    """The keys of an installation by id, the encrypting one first."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.first_id = next(iter(keys))

    def encrypt(self, plaintext: str, *, associated: str) -> str:
        """The stored form of a secret. Twice the same text gives two different forms."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.first_id].encrypt(nonce, plaintext.encode(), associated.encode())
        return f"{VERSION}.{self.first_id}.{base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')}"

    def decrypt(self, stored: str, *, associated: str) -> str:
        """The secret behind a stored form.

        Raises SecretUnreadable when its key is gone, or when the row or the text was changed.
        """
        version, _, rest = stored.partition(".")
        key_id, _, encoded = rest.partition(".")
        if version != VERSION:
            raise SecretUnreadable(f"The secret of {associated} has the unknown form {version[:8]!r}.")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SecretUnreadable(
                f"The secret of {associated} was encrypted with the key {key_id[:40]!r}, which is not in "
                "BRAINOPS_ENCRYPTION_KEYS. Put the key back, or enter the secret again."
            )
        try:
            raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SecretUnreadable(
                f"The secret of {associated} was changed in the database, or its key is another one than "
                f"{key_id[:40]!r} was. Put the right key back, or enter the secret again."
            ) from error

    def is_current(self, stored: str) -> bool:
        """True when the encrypting key made this form."""
        return stored.startswith(f"{VERSION}.{self.first_id}.")


def key_ring() -> KeyRing:
    """The ring of the settings."""
    return _ring_of(tuple(settings.BRAINOPS_ENCRYPTION_KEYS.items()))


def signing_keys(purpose: str) -> tuple[bytes, ...]:
    """The keys that sign tokens of one purpose: of the present secret key, then of the earlier ones still accepted."""
    return tuple(_derive(secret.encode(), purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def lasting_keys(purpose: str) -> tuple[bytes, ...]:
    """The keys of one purpose made from the encryption keys, the writing one first, then those that only verify."""
    return _lasting(purpose, tuple(settings.BRAINOPS_ENCRYPTION_KEYS.values()))


def remaining_keys(purpose: str) -> tuple[bytes, ...]:
    """What `lasting_keys` is when the older encryption keys are taken out of the ring."""
    return _lasting(purpose, tuple(settings.BRAINOPS_ENCRYPTION_KEYS.values())[:1])


def _lasting(purpose: str, ring: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(_derive(key, purpose) for key in (*ring, *settings.BRAINOPS_RETIRED_KEYS.values()))


@lru_cache(maxsize=4)
def _ring_of(keys: tuple[tuple[str, bytes], ...]) -> KeyRing:
    return KeyRing(dict(keys))


@lru_cache(maxsize=64)
def _derive(secret: bytes, purpose: str) -> bytes:
    """One key per purpose (HKDF, RFC 5869): what is made for one cannot be used for another."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"brainops.{purpose}".encode()).derive(secret)
