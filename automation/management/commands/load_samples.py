"""Load the sample workflows. The launcher calls it at every start and reads the first id it prints."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.services import samples
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Workspace

FIRST = "hello"  # what the launcher runs


class Command(BaseCommand):
    help = "Load the sample workflows that a workspace lacks, and print the id and name of each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", default="main", help="Slug of the workspace.")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            known = ", ".join(Workspace.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no workspace {options['workspace']!r}. Known: {known}.")
        loaded = samples.load(system_caller(workspace.id, "load_samples"))
        for key in sorted(loaded, key=lambda key: (key != FIRST, key)):
            self.stdout.write(f"{loaded[key].id}  {loaded[key].name}")
