"""Second factors at rest: what allauth stores of them is encrypted with our key ring, bound to its user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from brainops.core import crypto, redact

_owner: ContextVar[UUID] = ContextVar("owner_of_second_factors")
_BATCH = 200
_SECRETS = ("secret", "seed")  # the keys of `Authenticator.data` that allauth passes through `encrypt`


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's hooks (MFA_ADAPTER)."""

    def encrypt(self, text: str) -> str:
        """The stored form. Raises LookupError outside of `secrets_of`: nothing is encrypted for nobody."""
        redact.register(text)
        return crypto.key_ring().encrypt(text, associated=_associated())

    def decrypt(self, encrypted_text: str) -> str:
        """The secret behind a stored form. Raises SecretUnreadable, also for the secret of somebody else."""
        text = crypto.key_ring().decrypt(encrypted_text, associated=_associated())
        redact.register(text)
        return text


@contextmanager
def secrets_of(user_id: UUID) -> Iterator[None]:
    """Let allauth read and write the secrets of one user: a row copied to another user cannot be read there."""
    token = _owner.set(user_id)
    try:
        yield
    finally:
        _owner.reset(token)


def rewrite() -> int:
    """Write every secret anew under the first key of the ring; returns how many were. For `rotate_keys`."""
    ids = list(Authenticator.objects.order_by("pk").values_list("pk", flat=True))
    return sum(_rewrite(ids[start : start + _BATCH]) for start in range(0, len(ids), _BATCH))


def older_key_use() -> str | None:
    """Say why an older key is still needed, for `rotate_keys --check`."""
    rows = Authenticator.objects.values_list("data", flat=True)
    stale = sum(not crypto.key_ring().is_current(data[name]) for data in rows for name in _SECRETS if name in data)
    return f"Second factors: {stale} secrets under an older key." if stale else None


def _rewrite(ids: list[int]) -> int:
    count = 0
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(pk__in=ids):
            stale = [name for name in _SECRETS if name in row.data and not crypto.key_ring().is_current(row.data[name])]
            with secrets_of(row.user_id):
                adapter = MfaAdapter()
                row.data |= {name: adapter.encrypt(adapter.decrypt(row.data[name])) for name in stale}
            if stale:
                row.save(update_fields=["data"])
                count += len(stale)
    return count


def _associated() -> str:
    return f"mfa_authenticator:{_owner.get()}"
