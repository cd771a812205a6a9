"""Check the stored workflows with this release: before or after a deployment, say what would no longer run."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.engine.wording import counted
from automation.services.soundness import Survey, Unsound, survey


class Command(BaseCommand):
    help = (
        "Check every version that is current, or that unfinished runs are pinned to, with this release; "
        "fails when one is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="Archived and switched off workflows too.")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = survey(with_inactive=options["all"])
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(found), indent=2))
        else:
            self._say(found)
        if found.unsound:
            stuck = f"; {counted(found.stuck_runs, 'unfinished run')} would fail" if found.stuck_runs else ""
            refused = f"{len(found.unsound)} of {counted(found.checked, 'version')} in use"
            raise CommandError(f"{refused} are refused by this release{stuck}.")

    def _say(self, found: Survey) -> None:
        for one in found.unsound:
            version = one.version
            runs = f", {counted(version.runs, 'unfinished run')}" if version.runs else ""
            what = "current" if version.is_current else "earlier"
            place = f"{version.workspace_slug}: {version.workflow_name} {version.number} ({version.workflow_id}"
            for problem in one.problems:
                self.stdout.write(f"{place}, {what}{runs}){problem.pointer}: {problem.message}")
        if not found.unsound:
            self.stdout.write(f"All {counted(found.checked, 'version')} in use are fine.")


def _as_json(found: Survey) -> dict[str, Any]:
    return {
        "checked": found.checked,
        "stuck_runs": found.stuck_runs,
        "unsound": [_version_as_json(one) for one in found.unsound],
    }


def _version_as_json(one: Unsound) -> dict[str, Any]:
    version = one.version
    return {
        "workspace": version.workspace_slug,
        "workflow_id": str(version.workflow_id),
        "workflow": version.workflow_name,
        "version": version.number,
        "is_current": version.is_current,
        "unfinished_runs": version.runs,
        "problems": [
            {"code": problem.code, "pointer": problem.pointer, "message": problem.message} for problem in one.problems
        ],
    }
