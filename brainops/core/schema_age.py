"""Is the database newer than this release? Migrations go forward only; the way back is a backup."""

from __future__ import annotations

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader

from brainops.core.health import Component


def unknown_migrations(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """`app.name` of migrations that the database has and this release does not know; empty for a new database."""
    loader = MigrationLoader(connections[using])
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    known = loader.disk_migrations.keys() | replaced
    installed = {config.label for config in apps.get_app_configs()}
    unknown = [key for key in loader.applied_migrations or {} if key not in known and key[0] in installed]
    return sorted(f"{app}.{name}" for app, name in unknown)


def component() -> Component:
    """The database is not newer than this release."""
    unknown = unknown_migrations()
    note = f"newer than this release: {', '.join(unknown)}" if unknown else ""
    return Component("schema", is_up=not unknown, note=note)
