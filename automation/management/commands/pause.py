"""Let workers claim nothing more; runs that come in wait until `resume`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.engine.wording import counted
from automation.services import pause
from brainops.audit.actor import Actor


class Command(BaseCommand):
    help = "Let workers end what they hold and claim nothing more. What comes in is accepted and waits until `resume`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=0.0, metavar="SECONDS", help="Wait so long until nothing is under way."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when runs are still under way after the wait."""
        has_changed = pause.pause(Actor.system("manage.py pause"))
        self.stdout.write("Paused." if has_changed else "It is paused already.")
        if not options["wait"]:
            seconds = settings.BRAINOPS_HEARTBEAT_SECONDS
            self.stdout.write(f"Workers hear of it within {seconds:g} s. Go on with: resume")
            return
        if held := pause.wait_until_quiet(options["wait"]):
            raise CommandError(f"{counted(held, 'run')} under way still. They go on to their end; wait longer.")
        self.stdout.write("Nothing is under way. Go on with: resume")
