"""Let workers claim again, after `pause`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from automation.services import pause
from brainops.audit.actor import Actor


class Command(BaseCommand):
    help = "Let workers claim runs again, after `pause`. What waited starts with the next heartbeat."

    def handle(self, *args: Any, **options: Any) -> None:
        has_changed = pause.resume(Actor.system("manage.py resume"))
        self.stdout.write("Resumed." if has_changed else "Nothing was paused.")
