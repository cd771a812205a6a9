"""celery-beat's own tables, to look at: what beat will send next. Users' schedules are triggers, not these.

They are read-only: beat writes them from the settings at its start, and a task put in by hand would run whatever
Celery knows by that name.
"""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from brainops.audit.admin.base import ReadOnlyAdmin


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    """What beat sends: the engine's tick."""

    only_shows = True
    list_display = ("name", "task", "scheduler", "enabled", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name", "task")


@admin.register(IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule)
class BeatScheduleAdmin(ReadOnlyAdmin):
    """When beat sends it."""

    only_shows = True
