"""Write every stored secret anew under the first key of BRAINOPS_ENCRYPTION_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from brainops.core import crypto, rotation
from brainops.core.fields import EncryptedTextField

BATCH = 200


class Command(BaseCommand):
    help = "Encrypt every stored secret with the first key. Run it after adding a key, then drop the old one."

    def handle(self, *args: Any, **options: Any) -> None:
        for model, fields in encrypted_models():
            count = sum(rewrite(model, fields, ids) for ids in batches(model))
            self.stdout.write(f"{model._meta.label}: {count} secrets written anew.")
        for name, rewrite_all in rotation.rewriters.items():
            self.stdout.write(f"{name}: {rewrite_all()} secrets written anew.")


def encrypted_models() -> Iterator[tuple[type[models.Model], list[EncryptedTextField]]]:
    """Every model with encrypted fields."""
    for model in apps.get_models():
        fields = [field for field in model._meta.get_fields() if isinstance(field, EncryptedTextField)]
        if fields:
            yield model, fields


def batches(model: type[models.Model]) -> Iterator[list[Any]]:
    ids = list(model._base_manager.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def rewrite(model: type[models.Model], fields: list[EncryptedTextField], ids: list[Any]) -> int:
    """Rewrite a batch under row locks; a secret that was changed meanwhile is read after its change."""
    count = 0
    with transaction.atomic():
        for row in model._base_manager.select_for_update().filter(pk__in=ids):
            stale = [field for field in fields if _is_stale(row, field)]
            for field in stale:
                setattr(row, field.attname, getattr(row, field.attname))  # read decrypts, set marks it as new
            if stale:
                row.save(update_fields=[field.name for field in stale])
                count += len(stale)
    return count


def _is_stale(row: models.Model, field: EncryptedTextField) -> bool:
    stored = row.__dict__[field.attname]
    return stored is not None and not crypto.key_ring().is_current(stored)
