"""Print the table of roles and verbs for docs/people.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from brainops.accounts import role_table


class Command(BaseCommand):
    help = "Print what each role may do, as it stands in docs/people.md."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(role_table.markdown())
