"""Rehearse a workflow from the command line: what a run would do, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.models import Workflow
from automation.services import dry_runs
from automation.services.dry_runs import PERFORM, SIMULATE, Wanted
from brainops.accounts.caller import system_caller
from brainops.core import json_gate
from brainops.core.errors import AppError, InvalidInput

ROW = "{effect:<7} {path:<28} {kind:<22} {target}"


class Command(BaseCommand):
    help = "Say what a run of a workflow would do: every effect is simulated, nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", help="Its id, or its name when only one workflow has it.")
        for name in ("inputs", "trigger", "samples", "definition"):
            parser.add_argument(f"--{name}", metavar="JSON", help="JSON, or the path of a file that holds it.")
        parser.add_argument("--version-number", metavar="1.4.2", help="This version instead of the newest one.")
        parser.add_argument("--reads", choices=[SIMULATE, PERFORM], default=SIMULATE, help="Whether reads are made.")
        parser.add_argument("--json", action="store_true", help="The whole report as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = _find(options["workflow"])
        try:
            wanted = _wanted(options)
            done = dry_runs.dry_run(system_caller(workflow.workspace_id, "manage.py dry_run"), workflow.id, wanted)
        except AppError as refusal:
            raise CommandError("\n".join(_said(refusal))) from refusal
        if options["json"]:
            self.stdout.write(orjson.dumps(done.report, option=orjson.OPT_INDENT_2).decode())
            return
        for line in _lines(done.report):
            self.stdout.write(line)


def _find(text: str) -> Workflow:
    try:
        rows = Workflow.objects.filter(id=UUID(text))
    except ValueError:
        rows = Workflow.objects.filter(name=text, archived_at=None)
    found = list(rows[:2])
    if not found:
        raise CommandError(f"There is no workflow {text!r}. Give an id or a name.")
    if len(found) > 1:
        raise CommandError(f"Several workflows are named {text!r}. Give the id of one.")
    return found[0]


def _wanted(options: Mapping[str, Any]) -> Wanted:
    given = {name: _json(options[name], name) for name in ("inputs", "trigger", "samples", "definition")}
    for name in ("inputs", "samples"):
        if given[name] is not None and not isinstance(given[name], dict):
            raise CommandError(f"--{name} must be a JSON object.")
    said = {name: value for name, value in given.items() if value is not None}
    return Wanted(reads=options["reads"], version=options["version_number"], **said)


def _json(text: str | None, name: str) -> Any:
    """The value of JSON or of a file of it."""
    if text is None:
        return None
    path = Path(text)
    try:
        raw = text.encode() if text.lstrip()[:1] in ("{", "[", '"') else path.read_bytes()
    except OSError as error:
        raise CommandError(f"--{name}: {text!r} is neither JSON nor a file that can be read.") from error
    try:
        return json_gate.read(raw)
    except InvalidInput as error:
        raise CommandError(f"--{name}: {error.message}") from error


def _said(refusal: AppError) -> Iterator[str]:
    if not refusal.problems:
        yield refusal.message
    for problem in refusal.problems:
        yield f"{problem.pointer}: {problem.message}" if problem.pointer else problem.message


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for people."""
    yield f"The run would end as {report['status']} after {report['lasts_seconds']:g} s of waiting."
    if report["stopped_by"]:
        yield f"Stopped by {report['stopped_by']}"
    if report["error"]:
        yield f"Error: {report['error']['message']}"
    yield ""
    yield "Effects" if report["effects"] else "No effects."
    for effect in dry_runs.flattened(report["effects"]):
        assumed = f"  [{len(effect['unresolved'])} unresolved]" if effect["unresolved"] else ""
        yield "  " + ROW.format(**{**effect, "target": (effect["target"] or "") + assumed}).rstrip()
    if report["decisions"]:
        yield "Decisions"
        for decision in report["decisions"]:
            yield f"  {decision['path']}: {decision['taken']}{' (assumed)' if decision['is_assumed'] else ''}"
    if report["unresolved"]:
        yield "Missing"
        for one in report["unresolved"]:
            yield f"  {one['path']}: {one['message']}{' (went on without it)' if one['is_assumed'] else ''}"
