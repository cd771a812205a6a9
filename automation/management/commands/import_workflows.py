"""Import a file of workflows into a workspace."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.engine.wording import counted
from automation.management.workspaces import find_workspace
from automation.services import imports
from automation.services.exchange.form import FORMS
from automation.services.exchange.plans import Options, Strategy, read_mapping
from automation.services.exchange.reading import File
from automation.services.imports import Outcome
from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role
from brainops.core import json_gate
from brainops.core.errors import AppError


class Command(BaseCommand):
    help = "Import workflows from a file of the exchange format (docs/import-export.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", help="Its slug or id.")
        parser.add_argument("file", help="The file, or - for the standard input.")
        parser.add_argument("--format", choices=[*FORMS], help="By the file's name when it is not said.")
        parser.add_argument("--strategy", choices=[*map(str, Strategy)], default=str(Strategy.MERGE))
        parser.add_argument("--mapping", metavar="JSON", default="{}", help='Such as {"secrets": {"old": "new"}}.')
        parser.add_argument("--owner", metavar="EMAIL", help="Whose the new workflows are; else the workspace's owner.")
        parser.add_argument("--dry-run", action="store_true", help="Change nothing, say what would become of each.")
        parser.add_argument("--all-or-nothing", action="store_true", help="Nothing unless every single one can be.")
        parser.add_argument("--activate", action="store_true", help="Switch on what is on in the file.")
        parser.add_argument("--current", action="store_true", help="Leave the history in the file out.")
        parser.add_argument("--no-triggers", action="store_true", help="Leave the triggers in the file out.")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = find_workspace(options["workspace"])
        caller = _caller(workspace.id, options["owner"])
        try:
            outcome = imports.run(caller, _file(options), _options(options))
        except AppError as refusal:
            raise CommandError("\n".join(_refused(refusal))) from refusal
        if options["json"]:
            self.stdout.write(json.dumps({**outcome.as_json(), "results": outcome.items}, indent=2))
        else:
            self.stdout.write("\n".join(_lines(outcome)))
        if imports.is_refused(outcome):
            raise CommandError("Some workflows were not imported.")


def _caller(workspace_id: Any, email: str | None) -> Caller:
    """The person whose the new workflows will be, with all rights: whoever runs commands has them."""
    members = Membership.objects.filter(workspace_id=workspace_id).select_related("user")
    chosen = members.filter(user__email=email.lower()) if email else members.filter(role=Role.OWNER)
    member = chosen.order_by("id").first()
    if member is None:
        raise CommandError(f"Nobody {'with the address ' + email if email else 'owns'} in this workspace.")
    return Caller(member.user_id, "manage.py import_workflows", "system", workspace_id, Role.OWNER)


def _file(options: dict[str, Any]) -> File:
    name = options["file"]
    form = options["format"] or Path(name).suffix.removeprefix(".").replace("yml", "yaml")
    if form not in FORMS:
        raise CommandError(f"The file's name does not say what it is. Say --format, one of {', '.join(FORMS)}.")
    if name == "-":
        body = sys.stdin.buffer.read()
        return File(lambda: io.BytesIO(body), form)
    if not Path(name).is_file():
        raise CommandError(f"There is no file {name!r}.")

    def opened() -> BinaryIO:
        return Path(name).open("rb")

    return File(opened, form)


def _options(options: dict[str, Any]) -> Options:
    return Options(
        strategy=Strategy(options["strategy"]),
        dry_run=options["dry_run"],
        all_or_nothing=options["all_or_nothing"],
        activate=options["activate"],
        with_history=not options["current"],
        with_triggers=not options["no_triggers"],
        mapping=read_mapping(json_gate.read(options["mapping"].encode())),
    )


def _refused(refusal: AppError) -> Iterator[str]:
    """Why nothing was imported."""
    yield refusal.message
    for problem in refusal.problems:
        yield f"{problem.pointer}: {problem.message}"
    for one in refusal.details.get("results", ()):
        yield from (f"{one['name']}: {reason['message']}" for reason in one["reasons"])


def _lines(outcome: Outcome) -> Iterator[str]:
    """The outcome for people."""
    for item in outcome.items:
        yield f"{item['action']:<10} {item['name']} {item['version'] or ''}".rstrip()
        for told in (*item["reasons"], *item["notes"]):
            yield f"           {told['pointer']}: {told['message']}"
        for hook in outcome.shown_once.get(item["index"], ()):
            yield f"           new webhook: {json.dumps(hook.get('webhook', hook))}"
    for sort, names in outcome.missing.items():
        yield f"Missing {sort}: {', '.join(names)}"
    yield f"{'Would import' if outcome.options.dry_run else 'Imported'} {counted(len(outcome.items), 'workflow')}."
