"""An older release refuses the database of a newer one, and says the way out."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from brainops.core import schema_age
from brainops.core.health import Component

pytestmark = pytest.mark.django_db


@pytest.fixture
def newer():
    MigrationRecorder.Migration.objects.create(app="automation", name="9999_from_next_year")


def test_a_database_of_this_release_is_fine():
    assert schema_age.unknown_migrations() == []
    assert schema_age.component() == Component("schema", is_up=True)


def test_a_newer_database_is_refused_before_anything_is_changed(newer):
    with pytest.raises(CommandError, match=r"migrated by a newer release \(unknown here: automation.9999_from_next"):
        call_command("migrate", stdout=StringIO())


def test_health_names_what_is_unknown(newer):
    assert schema_age.component() == Component(
        "schema", is_up=False, note="newer than this release: automation.9999_from_next_year"
    )


def test_what_an_app_left_behind_that_is_no_longer_installed_is_not_newer():
    MigrationRecorder.Migration.objects.create(app="of_another_project", name="0001_initial")

    assert schema_age.unknown_migrations() == []


def test_somebody_who_knows_better_may_go_on(newer):
    output = StringIO()
    call_command("migrate", allow_newer=True, stdout=output, verbosity=1)

    assert "No migrations to apply" in output.getvalue()
