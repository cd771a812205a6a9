"""A management command that notes its name and prints its line."""

import os
from pathlib import Path

from django.core.management.base import BaseCommand


class Noted(BaseCommand):
    prints = ""
    requires_system_checks = []

    def add_arguments(self, parser):
        for name in ("--workspace", "--user", "--role", "--name"):
            parser.add_argument(name)

    def handle(self, **_options):
        name = type(self).__module__.rpartition(".")[2]
        with open(Path(os.environ["BRAINOPS_DATA"]) / "journal", "a", encoding="utf-8") as journal:
            journal.write(f"{name}\n")
        self.stdout.write(self.prints)
