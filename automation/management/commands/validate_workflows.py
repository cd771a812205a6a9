"""Check every stored workflow with this release: before a deployment, say what would no longer run."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.models import Workflow
from automation.services.documents import refusals


class Command(BaseCommand):
    help = "Check the current version of every workflow with this release; fails when one is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="Archived and switched off ones too.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Workflow.objects.select_related("workspace").order_by("workspace__slug", "name", "id")
        if not options["all"]:
            rows = rows.filter(is_active=True, archived_at=None)
        checked = refused = 0
        for row in rows.iterator(chunk_size=200):
            checked += 1
            problems = list(refusals(row.definition))
            refused += bool(problems)
            for problem in problems:
                place = f"{row.workspace.slug}: {row.name} {row.version} ({row.id})"
                self.stdout.write(f"{place}{problem.pointer}: {problem.message}")
        if refused:
            raise CommandError(f"{refused} of {checked} workflows are refused by this release.")
        self.stdout.write(f"All {checked} workflows are fine.")
