"""Write workflows of a workspace to a file, or to the standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.engine.wording import counted
from automation.management.workspaces import find_workspace
from automation.services import exports
from automation.services.exchange.form import FORMS
from brainops.accounts.caller import system_caller
from brainops.core.errors import AppError


class Command(BaseCommand):
    help = "Export workflows with their history and triggers, never with secrets (docs/import-export.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", help="Its slug or id.")
        parser.add_argument("--output", metavar="FILE", help="A file instead of the standard output.")
        parser.add_argument("--format", choices=[*FORMS], help="By the file's name when it is not said, else json.")
        parser.add_argument("--id", action="append", type=UUID, metavar="ID", help="Only this workflow; repeat it.")
        parser.add_argument("--tag", action="append", metavar="TAG", help="Only workflows with this tag; repeat it.")
        parser.add_argument("--current", action="store_true", help="Without the history.")
        parser.add_argument("--no-triggers", action="store_true", help="Without triggers.")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = find_workspace(options["workspace"])
        suffix = Path(options["output"] or "").suffix.removeprefix(".")
        wanted = exports.Wanted(
            ids=options["id"],
            filter={"tag": options["tag"]} if options["tag"] else {},
            format=options["format"] or (suffix if suffix in FORMS else "json"),
            with_history=not options["current"],
            with_triggers=not options["no_triggers"],
        )
        try:
            stream = exports.export(system_caller(workspace.id, "manage.py export_workflows"), wanted)
        except AppError as refusal:
            raise CommandError(refusal.message) from refusal
        if options["output"] is None:
            for piece in stream.pieces:
                sys.stdout.buffer.write(piece)
            return
        with Path(options["output"]).open("wb") as file:
            for piece in stream.pieces:
                file.write(piece)
        self.stdout.write(f"Exported {counted(stream.workflows, 'workflow')} to {options['output']}.")
