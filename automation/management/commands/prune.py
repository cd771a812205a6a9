"""Delete runs that were kept long enough, now and all at once, in the same small portions as the workers do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from automation.engine.wording import counted
from automation.models import Workflow
from automation.services import retention
from automation.store.connection import Connection


class Command(BaseCommand):
    help = "Delete the runs that retention lets go; the workers do the same little by little."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say how many runs of which workflow would go.")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = Connection(application_name="brainops-prune")
        try:
            if options["dry_run"]:
                self._say(retention.prune(connection, is_dry=True))
                return
            done = retention.prune(connection)
        finally:
            connection.close()
        busy = f" {counted(done.busy, 'portion')} held by others stayed; run it again." if done.busy else ""
        self.stdout.write(f"Deleted {counted(done.runs, 'run')} with {counted(done.steps, 'step')}.{busy}")

    def _say(self, outcome: retention.Outcome) -> None:
        names = dict(Workflow.objects.filter(id__in=outcome.by_workflow).values_list("id", "name"))
        for workflow_id, count in sorted(outcome.by_workflow.items(), key=lambda pair: -pair[1]):
            self.stdout.write(f"{count:>9,}  {names.get(workflow_id, '?')} ({workflow_id})")
        self.stdout.write(f"{counted(sum(outcome.by_workflow.values()), 'run')} would go.")
