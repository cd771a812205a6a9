"""Watched tables of every shape: what writes to them never fails, nothing is missed, and nothing is left behind."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from brainops.core import changes, watched_tables
from brainops.core.errors import Conflict
from brainops.core.models import ModelChange, ModelWatch

pytestmark = pytest.mark.django_db(transaction=True)

EVERYTHING = {"operations": changes.OPERATIONS, "columns": (), "hidden": ()}


@dataclass
class TableOptions:
    """As much of a model's options as a watch reads."""

    db_table: str
    local_concrete_fields: list = field(default_factory=list)


def model_of(table: str, *columns: str):
    return SimpleNamespace(_meta=TableOptions(table, [SimpleNamespace(column=name) for name in columns]))


@pytest.fixture
def run_sql():
    def run(text, *values):
        with connection.cursor() as cursor:
            cursor.execute(text, values)

    run("create schema depot")
    yield run
    run("drop schema depot cascade")
    run("drop role if exists brainops_clerk")


def watch(table, **what):
    id_ = uuid4()
    with transaction.atomic():
        changes.watch(id_, model_of(table), **{**EVERYTHING, **what})
    return id_


def noted(id_):
    return [(change.operation, change.before, change.after) for change in changes.oldest(id_, most=100).changes]


def test_a_table_in_another_schema_and_with_a_name_that_needs_quotes(run_sql):
    run_sql('create table depot."Odd \'name" (id int primary key)')
    id_ = watch('"depot"."Odd \'name"')

    run_sql('insert into depot."Odd \'name" values (7)')

    assert noted(id_) == [("insert", None, {"id": 7})]


def test_a_table_of_the_same_name_elsewhere_is_not_meant(run_sql):
    run_sql("create table depot.core_stock (id int)")
    run_sql("create table depot.core_other (id int)")
    here, other = watch('"depot"."core_stock"'), watch('"depot"."core_other"')

    run_sql("insert into depot.core_other values (1)")

    assert (noted(here), noted(other)) == ([], [("insert", None, {"id": 1})])


def test_partitions_are_noted_under_the_name_of_their_table(run_sql):
    run_sql("create table depot.log (id int, day int) partition by range (day)")
    run_sql("create table depot.log_1 partition of depot.log for values from (0) to (10)")
    id_ = watch('"depot"."log"')
    run_sql("create table depot.log_2 partition of depot.log for values from (10) to (20)")

    run_sql("insert into depot.log values (1, 5), (2, 15)")
    changes.unwatch(id_)

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_trigger where tgname = %s", [watched_tables.TRIGGER])
        assert cursor.fetchone() == (0,)


def test_each_row_of_a_partition_is_noted_once(run_sql):
    run_sql("create table depot.log (id int, day int) partition by range (day)")
    run_sql("create table depot.log_1 partition of depot.log for values from (0) to (10)")
    id_ = watch('"depot"."log"')

    run_sql("insert into depot.log values (1, 5)")

    assert noted(id_) == [("insert", None, {"id": 1, "day": 5})]


def test_columns_that_know_no_equality_do_not_break_an_update(run_sql):
    run_sql("create table depot.shelf (id int, note json, place point)")
    run_sql("insert into depot.shelf values (1, '{}', '(0,0)')")
    id_ = watch('"depot"."shelf"')

    run_sql("update depot.shelf set place = '(1,2)'")
    run_sql("update depot.shelf set place = '(1,2)'")

    row = {"id": 1, "note": {}, "place": "(0,0)"}
    assert noted(id_) == [("update", row, {**row, "place": "(1,2)"})]


def test_a_row_that_is_too_large_or_that_jsonb_cannot_hold_is_noted_without_its_values(run_sql):
    run_sql("create table depot.scan (id int, picture text, note json)")
    id_ = watch('"depot"."scan"')

    run_sql("insert into depot.scan values (1, repeat('x', 2000000), null)")
    run_sql("insert into depot.scan values (2, '', '{\"a\": \"\\u0000\"}')")

    found = changes.oldest(id_, most=10).changes
    assert [(one.operation, one.is_too_large) for one in found] == [("insert", True), ("insert", True)]


def test_a_program_without_rights_on_our_tables_and_with_another_search_path_writes_as_before(run_sql):
    run_sql("create table depot.till (id int)")
    run_sql("create role brainops_clerk")
    run_sql("grant usage on schema depot to brainops_clerk")
    run_sql("grant insert on depot.till to brainops_clerk")
    id_ = watch('"depot"."till"')

    with transaction.atomic():
        run_sql("set local role brainops_clerk")
        run_sql("set local search_path = depot")
        run_sql("insert into till values (3)")

    assert noted(id_) == [("insert", None, {"id": 3})]


def test_a_view_and_a_table_that_is_not_there_are_refused(run_sql):
    run_sql("create view depot.sight as select 1 as id")

    for table in ('"depot"."sight"', "no_such_table"):
        with pytest.raises(Conflict, match="makes no trigger on this table"):
            watch(table)

    assert not ModelWatch.objects.exists()


def test_a_table_under_a_new_name_is_watched_again_and_its_old_trigger_is_swept(run_sql):
    run_sql("create table depot.stock (id int)")
    id_ = watch('"depot"."stock"')
    run_sql("alter table depot.stock rename to goods")
    goods = model_of('"depot"."goods"')
    assert not changes.is_watched(id_, goods, **EVERYTHING)

    with transaction.atomic():
        changes.watch(id_, goods, **EVERYTHING)
    run_sql("insert into depot.goods values (1)")

    assert changes.is_watched(id_, goods, **EVERYTHING)
    assert noted(id_) == [("insert", None, {"id": 1})]


def test_a_column_that_was_added_and_looks_like_a_secret_asks_for_a_new_watch(run_sql):
    run_sql("create table depot.stock (id int)")
    id_ = watch('"depot"."stock"')

    assert changes.is_watched(id_, model_of('"depot"."stock"', "id"), **EVERYTHING)
    assert not changes.is_watched(id_, model_of('"depot"."stock"', "id", "api_token"), **EVERYTHING)
    assert changes.without({"id": 1, "api_token": "x", "note": "y"}, ["note"]) == {"id": 1}


def test_who_ends_the_last_watch_takes_no_trigger_from_one_that_begins_meanwhile(run_sql):
    run_sql("create table depot.stock (id int)")
    first, second = watch('"depot"."stock"'), uuid4()
    ending = threading.Thread(target=_in_thread, args=(changes.unwatch, first))

    with transaction.atomic():
        changes.watch(second, model_of('"depot"."stock"'), **EVERYTHING)
        ending.start()
        _wait_for_somebody_who_waits()
    ending.join(30)
    run_sql("insert into depot.stock values (1)")

    assert (noted(first), noted(second)) == ([], [("insert", None, {"id": 1})])


def test_to_end_a_watch_locks_no_table_until_the_commit(run_sql):
    run_sql("create table depot.stock (id int)")
    id_ = watch('"depot"."stock"')

    with transaction.atomic():
        changes.unwatch(id_)
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_locks where relation = 'depot.stock'::regclass and pid = pg_backend_pid()"
            )
            assert cursor.fetchone() == (0,)

    assert not watched_tables.is_ready('"depot"."stock"')


def test_a_table_that_was_busy_loses_its_trigger_at_the_next_sweep(run_sql):
    run_sql("create table depot.stock (id int)")
    id_ = watch('"depot"."stock"')
    ModelWatch.objects.filter(id=id_).delete()
    assert watched_tables.is_ready('"depot"."stock"')

    changes.sweep()

    assert not watched_tables.is_ready('"depot"."stock"')


def test_one_look_reads_a_bounded_number_of_characters(run_sql, monkeypatch):
    run_sql("create table depot.stock (id int, note text)")
    id_ = watch('"depot"."stock"')
    run_sql("insert into depot.stock select n, repeat('x', 1000) from generate_series(1, 5) n")
    monkeypatch.setattr(changes, "MOST_CHARACTERS", 2500)

    found = changes.oldest(id_, most=100)

    assert ([one.after["id"] for one in found.changes], found.has_more) == ([1, 2], True)
    monkeypatch.setattr(changes, "MOST_CHARACTERS", 10)
    assert len(changes.oldest(id_, most=100).changes) == 1


def test_what_nobody_takes_for_a_month_is_forgotten(run_sql):
    run_sql("create table depot.stock (id int)")
    id_ = watch('"depot"."stock"')
    run_sql("insert into depot.stock values (1), (2)")
    oldest = ModelChange.objects.order_by("id").first()
    ModelChange.objects.filter(id=oldest.id).update(at=Now() - changes.timedelta(days=31))

    assert (changes.sweep(), len(noted(id_))) == (1, 1)


def _in_thread(work, *given):
    try:
        work(*given)
    finally:
        connections.close_all()


def _wait_for_somebody_who_waits():
    """Until somebody waits for the advisory lock of the table: at most 30 seconds."""
    patience = threading.Event()
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute("select exists (select from pg_locks where locktype = 'advisory' and not granted)")
            if cursor.fetchone()[0]:
                return
        patience.wait(0.05)
    raise AssertionError("Nobody waits.")
