"""PreparedStatement statements: once per connection, and still right when a connection pool loses them."""

import pytest
from django.db import connection

from automation.store.prepared import PreparedStatement

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = "select %(a)s::int + %(b)s::int, %(a)s"
TYPES = {"a": "int", "b": "int", "unused": "text"}


@pytest.fixture
def statement(request):
    made = PreparedStatement(f"test_{request.node.name[:20]}", STATEMENT, TYPES)
    yield made
    with connection.cursor() as cursor:
        cursor.execute("deallocate all")


def sum_of(statement, a, b):
    with connection.cursor() as cursor:
        statement.run(cursor, {"a": a, "b": b, "unused": ""})
        return cursor.fetchone()


def prepared():
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_prepared_statements where name like 'brainops_test%%'")
        return cursor.fetchone()[0]


def test_it_answers_and_is_prepared_once(statement):
    answers = [sum_of(statement, number, 1) for number in range(10)]

    assert answers == [(number + 1, number) for number in range(10)]
    assert prepared() == 1


def test_a_new_connection_prepares_anew(statement):
    sum_of(statement, 1, 2)
    connection.close()

    assert sum_of(statement, 3, 4) == (7, 3)
    assert prepared() == 1


def test_a_connection_that_has_it_already_is_fine(statement):
    sum_of(statement, 1, 2)

    again = PreparedStatement(*_parts(statement))

    assert sum_of(again, 3, 4) == (7, 3)


def test_a_pool_that_loses_it_gets_the_plain_text_from_then_on(statement):
    sum_of(statement, 1, 2)
    with connection.cursor() as cursor:
        cursor.execute("deallocate all")

    assert [sum_of(statement, 3, 4), sum_of(statement, 5, 6)] == [(7, 3), (11, 5)]
    assert prepared() == 0


def _parts(statement):
    key = statement._prepare.split()[1].removeprefix("brainops_").rpartition("_")[0]
    return key, STATEMENT, TYPES
