"""Delete a workspace with everything in it. For large ones, which take longer than a request may."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from brainops.accounts.models import Workspace
from brainops.accounts.services import workspace_deletion
from brainops.audit.actor import Actor
from brainops.core.errors import AppError


class Command(BaseCommand):
    help = "Say what a workspace holds; with --confirm SLUG delete all of it. Its audit log stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", help="Its slug.")
        parser.add_argument("--confirm", default="", help="The slug again. Without it nothing is deleted.")
        parser.add_argument("--with-active-runs", action="store_true", help="Also while runs are active.")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']!r}.")
        if not options["confirm"]:
            self._tell("would go", workspace_deletion.count_rows(workspace.id))
            self.stdout.write(f"Nothing was deleted. To do it: --confirm {workspace.slug}")
            return
        try:
            counts = workspace_deletion.destroy(
                workspace.id,
                confirm=options["confirm"],
                with_active_runs=options["with_active_runs"],
                by=Actor.system("delete_workspace"),
            )
        except AppError as error:
            raise CommandError(error.message) from error
        self._tell("gone", counts)

    def _tell(self, word: str, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            self.stdout.write(f"{word}: {count} {name}")
