"""check_schedules: look from outside whether schedules that should have run have not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from automation.services import schedule_watch


class Command(BaseCommand):
    """For a monitor that asks from elsewhere: workers that are all down cannot tell it themselves."""

    help = "Look for schedules that should have run and have not; exits with 1 when there are any."

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and list what stands. What is new is noted, so notice rules tell of it as soon as a worker is there."""
        schedule_watch.look()
        lines = list(schedule_watch.standing())
        for line in lines:
            self.stdout.write(line)
        if lines:
            raise CommandError(f"{len(lines)} schedule alarms stand.")
        self.stdout.write("Every schedule has run as it should.")
