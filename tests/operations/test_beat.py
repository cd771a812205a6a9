"""Celery beat: its table holds the tick of the system and no schedule of a user."""

import pytest
from django.test import Client
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from automation.tests.triggers.rows import make_schedule
from brainops.accounts.models import User
from brainops.celery import app


@pytest.mark.django_db(transaction=True)  # beat opens connections as it likes
def test_beat_holds_the_tick_and_the_admin_shows_it():
    make_schedule()
    client = Client()
    client.force_login(User.objects.create_superuser(email="root@example.com", password="a long passphrase"))

    DatabaseScheduler(app=app)

    assert list(PeriodicTask.objects.values_list("name", "task", "interval__every", "interval__period")) == [
        ("automation.tick", "automation.tasks.tick", 1, "seconds")
    ]
    assert "automation.tick" in client.get("/admin/django_celery_beat/periodictask/").content.decode()
