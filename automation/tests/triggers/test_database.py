"""Changes of Django models start runs: however they are made, in the transaction that makes them, each once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.core.checks import Error
from django.db import DatabaseError, connection, connections, transaction
from django.db.models.functions import Now

from automation.models import Source, Trigger
from automation.services import triggers
from automation.services.database_watches import end_orphans
from automation.services.sources import claim, look
from automation.tests.arrivals.rows import ledger, runs_of
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.caller import system_caller
from brainops.core import changes, watched_tables
from brainops.core.checks import check_watched_models
from brainops.core.errors import InvalidInput, PermissionDenied, Unavailable
from brainops.core.models import ModelChange, ModelWatch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def groups(settings):
    settings.BRAINOPS_WATCHED_MODELS = ["auth.Group"]
    yield
    with connection.cursor() as cursor:  # emptying the tables leaves their triggers
        cursor.execute(f"drop trigger if exists {watched_tables.TRIGGER} on auth_group")
        cursor.execute(f"drop trigger if exists {watched_tables.TRIGGER} on django_celery_beat_periodictask")


def watch(*, is_staff=True, **config) -> Trigger:
    workflow = make_workflow()
    caller = replace(system_caller(workflow.workspace_id, "tests"), is_staff=is_staff)
    return triggers.create(
        caller, workflow_id=workflow.id, kind="database", config={"model": "auth.Group", **config}
    ).trigger


def look_once(trigger):
    Source.objects.filter(trigger=trigger).update(next_at=Now())
    look(claim())


def seen_by(trigger):
    return [run.data.input["trigger"]["item"] for run in runs_of(trigger)]


def has_database_trigger() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select exists (select from pg_trigger where tgname = %s)", [watched_tables.TRIGGER])
        return cursor.fetchone()[0]


def test_a_run_sees_the_row_before_and_after():
    trigger = watch()
    group = Group.objects.create(name="editors")
    group.name = "authors"
    group.save()
    group.delete()

    look_once(trigger)

    shown = seen_by(trigger)
    key = shown[0]["pk"]
    row, renamed = {"id": key, "name": "editors"}, {"id": key, "name": "authors"}
    about = {"model": "auth.Group", "pk": key}
    assert shown == [
        {**about, "operation": "insert", "before": None, "after": row, "changed": ["id", "name"]},
        {**about, "operation": "update", "before": row, "after": renamed, "changed": ["name"]},
        {**about, "operation": "delete", "before": renamed, "after": None, "changed": ["id", "name"]},
    ]


def test_bulk_statements_and_plain_sql_count_and_a_rollback_does_not():
    trigger = watch()
    Group.objects.bulk_create([Group(name="a"), Group(name="b")])
    Group.objects.filter(name="a").update(name="c")
    with connection.cursor() as cursor:
        cursor.execute("insert into auth_group (name) values ('d')")
    with transaction.atomic():
        Group.objects.create(name="never")
        transaction.set_rollback(True)

    look_once(trigger)

    assert [(item["operation"], (item["after"] or {})["name"]) for item in seen_by(trigger)] == [
        ("insert", "a"),
        ("insert", "b"),
        ("update", "c"),
        ("insert", "d"),
    ]


def test_a_change_that_commits_after_later_ones_is_not_lost():
    trigger = watch()
    begun, may_commit = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                Group.objects.create(name="slow")
                begun.set()
                may_commit.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(30)
    Group.objects.create(name="quick")
    look_once(trigger)
    may_commit.set()
    thread.join(30)
    look_once(trigger)

    assert [item["after"]["name"] for item in seen_by(trigger)] == ["quick", "slow"]


def test_each_change_starts_one_run_and_leaves_the_outbox():
    trigger = watch()
    Group.objects.create(name="a")

    for _ in range(3):
        look_once(trigger)

    assert (len(runs_of(trigger)), ModelChange.objects.count()) == (1, 0)


def test_operations_columns_and_the_condition_choose():
    trigger = watch(operations=["update"], columns=["name"])
    group = Group.objects.create(name="a")
    Group.objects.filter(id=group.id).update(name="a")
    Group.objects.filter(id=group.id).update(name="b")
    Trigger.objects.filter(id=trigger.id).update(condition="{{ trigger.item.after.name == 'z' }}")
    look_once(trigger)

    assert list(ledger(trigger).values()) == ["condition false"]


def test_hidden_columns_never_leave_the_table():
    trigger = watch(exclude=["name"])
    Group.objects.create(name="hush")

    assert "name" not in ModelChange.objects.get().after
    look_once(trigger)
    assert [list(item["after"]) for item in seen_by(trigger)] == [["id"]]


def test_columns_that_look_like_secrets_are_hidden_by_themselves(monkeypatch):
    monkeypatch.setattr(changes, "columns_of", lambda _model: ["id", "name", "api_token"])

    trigger = watch()

    assert ModelWatch.objects.get(id=trigger.id).hidden == ["api_token"]


def test_the_table_has_a_trigger_only_while_it_is_watched():
    assert not has_database_trigger()
    trigger = watch()
    other = watch()
    caller = replace(system_caller(trigger.workspace_id, "tests"), is_staff=True)
    assert has_database_trigger()

    triggers.delete(caller, trigger.id)
    assert has_database_trigger()
    triggers.change(caller, other.id, {"is_active": False})
    assert (has_database_trigger(), ModelWatch.objects.count()) == (False, 0)

    triggers.change(caller, other.id, {"is_active": True})
    Group.objects.create(name="a")
    look_once(other)
    assert len(runs_of(other)) == 1


def test_a_watch_that_ends_meanwhile_never_breaks_who_changes_a_row():
    trigger = watch()
    noted = threading.Event()
    may_commit = threading.Event()
    broken = []

    def change():
        try:
            with transaction.atomic():
                Group.objects.create(name="a")
                noted.set()
                may_commit.wait(30)
        except DatabaseError as error:
            broken.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=change)
    thread.start()
    assert noted.wait(30)
    ModelWatch.objects.filter(id=trigger.id).delete()
    may_commit.set()
    thread.join(30)

    assert (broken, Group.objects.filter(name="a").count()) == ([], 1)
    assert (changes.sweep(), ModelChange.objects.count()) == (1, 0)


def test_a_watch_whose_trigger_went_with_its_workflow_ends():
    trigger = watch()
    Group.objects.create(name="a")
    Trigger.objects.filter(id=trigger.id).delete()

    assert end_orphans() == 1

    assert (has_database_trigger(), ModelWatch.objects.count(), ModelChange.objects.count()) == (False, 0, 0)


def test_a_table_in_a_long_transaction_is_said_to_be_busy(monkeypatch):
    monkeypatch.setattr(watched_tables, "LOCK_SECONDS", 1)
    locked, is_over = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("lock table auth_group in access exclusive mode")
                locked.set()
                is_over.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(30)
    try:
        with pytest.raises(Unavailable, match="long transaction"):
            watch()
    finally:
        is_over.set()
        thread.join(30)

    assert (Trigger.objects.count(), ModelWatch.objects.count()) == (0, 0)


def test_only_platform_staff_may_name_a_model():
    with pytest.raises(PermissionDenied):
        watch(is_staff=False)

    trigger = watch()
    member = system_caller(trigger.workspace_id, "tests")
    triggers.change(member, trigger.id, {"name": "Groups"})
    with pytest.raises(PermissionDenied):
        triggers.change(member, trigger.id, {"config": {"columns": ["name"]}})


@pytest.mark.parametrize(
    ("config", "pointer", "said"),
    [
        ({"model": "auth.Gruop"}, "/config/model", 'Did you mean "auth.Group"'),
        ({"model": "accounts.User"}, "/config/model", "no model that BRAINOPS_WATCHED_MODELS"),
        ({"columns": ["nme"]}, "/config/columns/0", 'Did you mean "name"'),
        ({"operations": ["insert"], "columns": ["name"]}, "/config/columns", "are about updates"),
        ({"every": "1d"}, "/config/every", "must be 1s to 1h"),
    ],
    ids=["misspelt", "own", "column", "useless", "every"],
)
def test_what_cannot_be_watched_is_refused_with_its_place(config, pointer, said):
    with pytest.raises(InvalidInput) as refused:
        watch(**config)

    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert said in refused.value.problems[0].message


def test_settings_that_name_no_model_or_one_of_brainops_are_found_by_the_checks(settings):
    settings.BRAINOPS_WATCHED_MODELS = ["auth.Group", "shop.Order", "automation.Run"]

    found = check_watched_models(None)

    assert [(type(one), one.msg) for one in found] == [
        (Error, "BRAINOPS_WATCHED_MODELS: 'shop.Order' is no model here."),
        (Error, "BRAINOPS_WATCHED_MODELS: 'automation.Run' is a model of BrainOps, which tells of itself by events."),
    ]


def test_a_model_that_may_not_be_watched_any_more_starts_nothing_and_says_so(settings):
    trigger = watch()
    Group.objects.create(name="a")
    settings.BRAINOPS_WATCHED_MODELS = []

    look_once(trigger)

    assert Source.objects.get(trigger=trigger).last_error.startswith("The installation does not let auth.Group be")
    assert (runs_of(trigger), ModelChange.objects.count(), has_database_trigger()) == ([], 0, False)

    settings.BRAINOPS_WATCHED_MODELS = ["auth.Group"]
    look_once(trigger)
    Group.objects.create(name="b")
    look_once(trigger)
    assert [item["after"]["name"] for item in seen_by(trigger)] == ["b"]


def test_a_hidden_column_that_got_another_name_stops_the_trigger(monkeypatch):
    trigger = watch(exclude=["name"])
    Group.objects.create(name="hush")
    monkeypatch.setattr(changes, "columns_of", lambda _model: ["id", "renamed"])

    look_once(trigger)

    assert Source.objects.get(trigger=trigger).last_error.startswith('auth.Group has no column "name" any more.')
    assert (runs_of(trigger), ModelChange.objects.count()) == ([], 0)


def test_a_row_that_is_too_large_stands_in_the_ledger_as_refused():
    trigger = watch()
    Group.objects.create(name="a")
    ModelChange.objects.update(after=None)  # as the database notes it then

    look_once(trigger)

    assert (list(ledger(trigger).values()), runs_of(trigger)) == (["refused"], [])


def test_a_watch_that_somebody_overwrote_or_that_a_restore_has_lost_comes_back_at_the_next_look():
    trigger = watch(operations=["insert"])
    for spoil in (lambda: ModelWatch.objects.update(operations=["delete"]), lambda: ModelWatch.objects.all().delete()):
        spoil()
        look_once(trigger)
        assert ModelWatch.objects.get(id=trigger.id).operations == ["insert"]


def test_a_watch_of_a_trigger_that_is_off_ends():
    trigger = watch()
    Trigger.objects.filter(id=trigger.id).update(is_active=False)

    assert (end_orphans(), has_database_trigger()) == (1, False)
