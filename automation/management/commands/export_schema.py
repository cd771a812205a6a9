"""Write the OpenAPI document of the code to docs/openapi.yaml, or check that it stands there already."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Write docs/openapi.yaml from the code; any warning of the generator is an error."
    requires_system_checks: list[str] = []  # needs no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail when the file is not up to date.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
        document = StringIO()
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=document)
        if not options["check"]:
            path.write_text(document.getvalue(), encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != document.getvalue():
            raise CommandError("docs/openapi.yaml is not what the code says. Run `make schema` and commit the file.")
