"""Connections that break: noticed for free before a request, 503 when there is no server."""

import pytest
from django.db import close_old_connections, connection

HEALTH = "/api/v1/automation/health"


@pytest.fixture
def own_connection(django_db_setup, django_db_blocker):
    """The test thread's connection outside of a transaction, closed before and after."""
    with django_db_blocker.unblock():
        connection.close()
        yield connection
        connection.close()


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return cursor.fetchone()[0]


def test_an_idle_connection_is_kept_without_asking_the_server(own_connection):
    backend_pid()
    own_connection.health_check_enabled = True

    with own_connection.execute_wrapper(lambda *_: pytest.fail("a statement was sent")):
        assert own_connection.is_usable()


def test_a_connection_ended_by_the_server_is_noticed_and_replaced_before_it_is_used(own_connection, client):
    first = backend_pid()
    other = own_connection.copy()
    with other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s, 5000)", [first])
    other.close()

    close_old_connections()  # what Django does before each request, but not for its test client

    assert (client.get(HEALTH).status_code, backend_pid() != first) == (200, True)


def test_without_a_server_the_answer_is_503_and_says_when_to_come_back(own_connection, client, monkeypatch):
    monkeypatch.setitem(own_connection.settings_dict, "PORT", "1")

    answers = [
        client.get(HEALTH),
        client.get("/api/v1/automation/me", headers={"X-Api-Key": "bo_" + "x" * 10 + "_" + "y" * 43}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "database_unavailable")] * 2
    assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
