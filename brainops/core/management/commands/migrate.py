"""Django's migrate, which refuses a database that a newer release has migrated."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate

from brainops.core.schema_age import unknown_migrations


class Command(migrate.Command):
    help = "Bring the database to this release's schema. Refuses a database that is newer than the release."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--allow-newer", action="store_true", help="Go on although the database is newer.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a newer database."""
        unknown = [] if options.get("allow_newer") else unknown_migrations(options["database"])
        if unknown:
            raise CommandError(
                f"The database was migrated by a newer release (unknown here: {', '.join(unknown)}). Nothing was "
                "changed. Install that release again, or restore the backup from before the upgrade: see 'Upgrade and "
                "rollback' in docs/operations.md."
            )
        super().handle(*args, **options)
