"""Write every stored secret anew under the first key of BRAINOPS_ENCRYPTION_KEYS; `--check` says what is left."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from brainops.core import rotation


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the first key of BRAINOPS_ENCRYPTION_KEYS, while web and workers go on. May "
        "be stopped and started again. Afterwards `--check` proves that the older keys may go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--check, --batch."""
        parser.add_argument("--check", action="store_true", help="Change nothing; fail while an older key is needed.")
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="Rows of one transaction.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError while something needs an older key or cannot be read."""
        if options["check"]:
            self._check()
            return
        report = rotation.rotate(batch=max(1, options["batch"]), tell=self._tell)
        if report.unreadable:
            raise CommandError("\n".join(("Some secrets could not be read and stay as they are:", *report.unreadable)))
        self.stdout.write("Now run `manage.py rotate_keys --check`.")

    def _check(self) -> None:
        found = rotation.standing()
        lines = [f"{place}: {count} secrets under an older key." for place, count in found.stale.items()]
        lines += [
            f"{place}: {count} secrets under a key that is not in BRAINOPS_ENCRYPTION_KEYS. Put it back, or enter them "
            "again."
            for place, count in found.strange.items()
        ]
        lines += found.lasting
        if not found.is_done:
            raise CommandError("\n".join(("The older keys are still needed:", *lines)))
        self.stdout.write("Every secret is under the first key: the others may go from BRAINOPS_ENCRYPTION_KEYS.")

    def _tell(self, place: str, count: int) -> None:
        self.stdout.write(f"{place}: {count} secrets written anew.")
