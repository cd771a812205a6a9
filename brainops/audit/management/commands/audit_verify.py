"""Check that nobody changed the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from brainops.audit.services import verify


class Command(BaseCommand):
    help = (
        "Recompute every hash of the audit log; print what was changed, the heads of the chains and the unsealed "
        "tail. Keep the heads elsewhere and give them back with --head: that shows when the end of a chain was cut off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head", action="append", default=[], metavar="CHAIN:POSITION:SEAL", help="A head printed earlier."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify(expected_heads=dict(_head(text) for text in options["head"]))
        for finding in verdict.findings:
            self.stderr.write(f"{finding.fault}: {finding.message} (chain {finding.chain}, place {finding.position})")
        for chain, (position, seal) in verdict.heads.items():
            self.stdout.write(f"head {chain}:{position}:{seal}")
        self.stdout.write(f"{verdict.sealed} entries sealed, {verdict.unsealed} not sealed yet.")
        if not verdict.is_intact:
            raise CommandError(f"The audit log was changed: {len(verdict.findings)} findings.")
        self.stdout.write("Nothing was changed.")


def _head(text: str) -> tuple[UUID, tuple[int, str]]:
    try:
        chain, position, seal = text.split(":")
        return UUID(chain), (int(position), seal)
    except ValueError as error:
        raise CommandError(f"--head must look like CHAIN:POSITION:SEAL, got {text!r}.") from error
