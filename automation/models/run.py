"""Run and RunData: the narrow hot row that workers fight over, and its payload beside it."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from automation.engine.status import RunStatus, WaitKind
from brainops.core.fields import JsonField


class RunMode(models.IntegerChoices):
    """How a run was asked for."""

    ASYNC = 1, "asynchronous"
    SYNC = 2, "synchronous"
    TEST = 3, "test"


class Run(models.Model):
    """One run of one version. `uid` is its id outside; the bigint keeps the hot indexes small.

    Only the store's statements change `status`; a final status never changes (see the constraints and
    the trigger in the migration). `finishes` counts final transitions and can only be 0 or 1: the proof
    that no run finishes twice is a constraint, not a promise.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, db_default=models.Func(function="gen_random_uuid"), editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="runs", db_index=False)
    # versions go with their workflow only, whose runs go first, and the guard of a start looks at them: no constraint
    version = models.ForeignKey(
        "automation.WorkflowVersion", on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    trigger = models.ForeignKey(
        "automation.Trigger", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_by_id = models.UUIDField(null=True, blank=True)  # the user who asked; data, not scope
    mode = models.SmallIntegerField(choices=RunMode, db_default=RunMode.ASYNC)
    parent_run = models.ForeignKey(  # the run this one retries
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries", db_index=False
    )
    called_by_run = models.ForeignKey(  # the run whose step called this one as a sub-workflow
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children", db_index=False
    )
    called_by_path = models.TextField(null=True, blank=True)
    is_detached = models.BooleanField(db_default=False)  # a called run nobody waits for: cancels do not reach it
    depth = models.SmallIntegerField(db_default=0)  # calls above this run
    has_children = models.BooleanField(db_default=False)  # a run it waits for exists, so its end must reach them

    queue = models.TextField(db_default="default")
    priority = models.SmallIntegerField(db_default=5)  # 0 first, 9 last
    status = models.SmallIntegerField(choices=[(s.value, s.word) for s in RunStatus], db_default=RunStatus.QUEUED)
    worker_id = models.UUIDField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)  # random token: only its holder may write results
    attempt = models.IntegerField(db_default=0)  # how often it was claimed
    crashes = models.SmallIntegerField(db_default=0)  # how often its process died under it
    finishes = models.SmallIntegerField(db_default=0)
    wake_at = models.DateTimeField(null=True, blank=True)
    wait_kind = models.SmallIntegerField(null=True, blank=True, choices=[(k.value, k.word) for k in WaitKind])
    wait_key = models.TextField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    signals = models.IntegerField(db_default=0)  # news so far: a park that has not seen all of it does not park
    limit_key = models.TextField(null=True, blank=True)
    debounce_key = models.TextField(null=True, blank=True)
    calls_on_failure = models.BooleanField(db_default=False)  # its failure workflow is still to be started
    is_pinned = models.BooleanField(db_default=False)  # retention leaves it
    dedupe_key = models.TextField(null=True, blank=True)  # prefixed: cron:, hook:<endpoint>:, key:<caller>:
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="run_claim_iff_running",
                condition=Q(status=RunStatus.RUNNING, claim__isnull=False)
                | (~Q(status=RunStatus.RUNNING) & Q(claim__isnull=True)),
            ),
            models.CheckConstraint(
                name="run_finished_iff_final",
                condition=Q(status__gte=RunStatus.SUCCEEDED, finished_at__isnull=False, finishes=1)
                | Q(status__lt=RunStatus.SUCCEEDED, finished_at__isnull=True, finishes=0),
            ),
            models.UniqueConstraint(fields=["uid"], name="run_uid"),
            # one run per delivery, slot or idempotency key
            models.UniqueConstraint(
                fields=["workflow", "dedupe_key"], condition=Q(dedupe_key__isnull=False), name="run_dedupe"
            ),
            # one child per calling step
            models.UniqueConstraint(
                fields=["called_by_run", "called_by_path"],
                condition=Q(called_by_run__isnull=False),
                name="run_child_once",
            ),
            # one run gathers the starts of a debounce
            models.UniqueConstraint(
                fields=["debounce_key"],
                condition=Q(status=RunStatus.BLOCKED, debounce_key__isnull=False),
                name="run_debounce",
            ),
            # a signal finds the one run that waits for it
            models.UniqueConstraint(
                fields=["wait_key"],
                condition=Q(status=RunStatus.WAITING, wait_key__isnull=False),
                name="run_wait_key",
            ),
        ]
        indexes = [
            # the group claim: which workspaces have ready runs, and the first of each
            models.Index(
                fields=["queue", "workspace", "priority", "id"], name="run_ready", condition=Q(status=RunStatus.QUEUED)
            ),
            # heartbeat, recovery
            models.Index(fields=["worker_id"], name="run_owner", condition=Q(status=RunStatus.RUNNING)),
            # timers due
            models.Index(fields=["wake_at"], name="run_wake", condition=Q(status=RunStatus.WAITING)),
            # the next run of a full limit
            models.Index(fields=["limit_key", "priority", "id"], name="run_blocked", condition=Q(status=15)),
            # starts that are gathered and whose time has come
            models.Index(fields=["wake_at"], name="run_gathered", condition=Q(status=15, debounce_key__isnull=False)),
            # who holds a slot of a limit
            models.Index(
                fields=["limit_key"],
                name="run_limit",
                condition=Q(status__in=[10, 18, 20, 30], limit_key__isnull=False),
            ),
            # failures whose workflow names another one to start
            models.Index(
                fields=["id"], name="run_calls_on_failure", condition=Q(status__in=[51, 53], calls_on_failure=True)
            ),
            # the children of a run
            models.Index(fields=["called_by_run"], name="run_children", condition=Q(called_by_run__isnull=False)),
            # the isolator
            models.Index(fields=["id"], name="run_suspect", condition=Q(status=RunStatus.SUSPECT)),
            # the retries of a run
            models.Index(fields=["parent_run"], name="run_retries", condition=Q(parent_run__isnull=False)),
            # run deadlines
            models.Index(
                fields=["deadline_at"],
                name="run_deadline",
                condition=Q(status__lt=RunStatus.SUCCEEDED, deadline_at__isnull=False),
            ),
            # GET /workflows/{id}/runs
            models.Index(F("workflow"), F("id").desc(), name="run_list"),
            # every list of the workspace
            models.Index(F("workspace"), F("id").desc(), name="run_workspace_list"),
            # what went wrong lately; the many that succeed never touch it
            models.Index(F("status"), F("id").desc(), name="run_trouble", condition=Q(status__in=[51, 52, 53])),
            # what went wrong in one workspace, by status, time, workflow or text of the error
            models.Index(F("workspace"), F("id").desc(), name="run_unsuccessful", condition=Q(status__in=[51, 52, 53])),
            # GET /runs?created_by=…; runs that nobody asked for are not in it
            models.Index(
                F("created_by_id"), F("id").desc(), name="run_creator", condition=Q(created_by_id__isnull=False)
            ),
            # GET /runs?trigger_id=…
            models.Index(F("trigger"), F("id").desc(), name="run_trigger", condition=Q(trigger__isnull=False)),
            # GET /runs?version=…
            models.Index(F("version"), F("id").desc(), name="run_version"),
            # counts of the last hours: rows are appended in time's order, so a few blocks of ranges say it all
            BrinIndex(fields=["created_at"], name="run_created", pages_per_range=32),
            # the tally: runs that ended since it was last made
            BrinIndex(fields=["finished_at"], name="run_finished", pages_per_range=32, autosummarize=True),
        ]
        permissions = [("cancel_run", "Can cancel run"), ("retry_run", "Can retry run")]

    def __str__(self) -> str:
        return f"run {self.uid} {RunStatus(self.status).word}"

    @property
    def status_word(self) -> str:
        """The status as the API says it."""
        return RunStatus(self.status).word

    @property
    def is_final(self) -> bool:
        """True when the run can never change again."""
        return RunStatus(self.status).is_final

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from the first claim to the end; None while it runs or when it never started."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class RunData(models.Model):
    """What went into a run and what came out. `input` is `{"inputs": …, "trigger": …}`.

    `error` is `{type, message, step, attempt, class}`; `response` the answer of a `respond` step.
    """

    run = models.OneToOneField(Run, primary_key=True, on_delete=models.CASCADE, related_name="data")
    input = JsonField(db_default=models.Value({}, models.JSONField()))
    input_ref = models.TextField(null=True, blank=True)  # sha256 of a payload; `input` is then its preview
    output = JsonField(null=True, blank=True)
    output_ref = models.TextField(null=True, blank=True)
    error = JsonField(null=True, blank=True)
    response = JsonField(null=True, blank=True)
    vars = JsonField(null=True, blank=True)  # the variables it reads, as they were when it first began

    class Meta:
        verbose_name_plural = "run data"

    def __str__(self) -> str:
        return f"data of run {self.run_id}"
