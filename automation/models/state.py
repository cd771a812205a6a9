"""State a workspace keeps between runs, the events its runs emit, and the memo that makes both exactly once."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class StateValue(models.Model):
    """One key of a workspace's key-value store. `version` counts its changes from 1."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    value = JsonField(null=True, blank=True)
    version = models.BigIntegerField(db_default=1)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="state_value_key")]
        indexes = [
            models.Index(fields=["expires_at"], name="state_value_expiry", condition=Q(expires_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.key


class Event(models.Model):
    """Something that happened, as a CloudEvent 1.0: said by a run, sent by a program, or noted by the installation.

    `name` is its type and `payload` its data; with `is_binary` that is Base64. `given_id` is the id its sender gave,
    empty for its own id; `said_at` the time that it says. `digest` of source and id finds an event that is sent
    again. `hops` counts the events that led to it, `cause` is the last of them. `run` is gone when it was pruned.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=1000, blank=True, db_default="")
    given_id = models.CharField(max_length=255, blank=True, db_default="")
    subject = models.CharField(max_length=500, blank=True, db_default="")
    said_at = models.CharField(max_length=40, blank=True, db_default="")
    content_type = models.CharField(max_length=200, blank=True, db_default="")
    data_schema = models.CharField(max_length=1000, blank=True, db_default="")
    extensions = JsonField(blank=True, db_default=models.Value({}, models.JSONField()))
    payload = JsonField(null=True, blank=True)
    is_binary = models.BooleanField(db_default=False)
    digest = models.BinaryField(null=True, editable=False)
    hops = models.SmallIntegerField(db_default=0)
    cause = models.UUIDField(null=True, blank=True)
    sent_by = models.TextField(blank=True, db_default="")  # `user:<id>` or `key:<id>`, of one that a program sent
    run = models.ForeignKey("automation.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    path = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # an event that is sent again is the same one
            models.UniqueConstraint(
                fields=["workspace", "digest"], condition=Q(digest__isnull=False), name="event_taken_once"
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="state_event_list"),
            # GET /events?type=…
            models.Index(fields=["workspace", "name", "-created_at", "-id"], name="event_by_type"),
            BrinIndex(fields=["created_at"], name="state_event_age", pages_per_range=32),  # what is old goes
        ]

    def __str__(self) -> str:
        return self.name


class LocalEffect(models.Model):
    """What a step did in our own database, with its result: a repeat of the step finds it and does nothing."""

    pk = models.CompositePrimaryKey("run_id", "path", "number")
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="+", db_index=False)
    path = models.TextField()
    number = models.SmallIntegerField(db_default=1)  # of the command within the attempt
    result = JsonField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.path} of run {self.run_id}"
