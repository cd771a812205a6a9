"""Read every stored secret with the keys that are there: proof that a restored backup and its keys fit."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from brainops.core import rotation


class Command(BaseCommand):
    help = "Decrypt every stored secret, print none, and fail when the keys of BRAINOPS_ENCRYPTION_KEYS do not fit."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when a secret cannot be read."""
        readable, unreadable = rotation.read_all()
        for place, count in readable.items():
            self.stdout.write(f"{place}: {count} secrets can be read.")
        if unreadable:
            said = "\n".join(f"{place}: {count} secrets cannot be read." for place, count in unreadable.items())
            raise CommandError(
                f"{said}\nBRAINOPS_ENCRYPTION_KEYS does not hold the keys that this database was written with. Take "
                "them from where its keys are kept, or enter these secrets again."
            )
