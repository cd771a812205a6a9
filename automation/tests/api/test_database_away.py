"""PostgreSQL away: 503 with Retry-After, never a 202."""

from __future__ import annotations

import psycopg2
import pytest
from django.db import close_old_connections, connection

from automation.models import Run
from automation.tests.api.conftest import Api, make_person, make_workspace
from brainops.stack.ports import free_port


@pytest.fixture
def owner(transactional_db: None) -> Api:
    return make_person(make_workspace())


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k"}])
def test_a_start_without_the_database_is_never_accepted(owner: Api, monkeypatch: pytest.MonkeyPatch, key: dict):
    id_ = owner.make()["id"]
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", free_port())

        response = owner.post(f"/workflows/{id_}/execute", **key)

    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert Run.objects.count() == 0
    assert owner.post(f"/workflows/{id_}/execute", **key).status_code == 202


def test_a_cut_connection_heals_by_itself(owner: Api):
    id_ = owner.make()["id"]
    settings = {key: value for key, value in connection.get_connection_params().items() if key != "cursor_factory"}
    other = psycopg2.connect(**settings)
    with other, other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", (connection.connection.info.backend_pid,))
    other.close()

    statuses = []
    for _ in range(3):
        close_old_connections()  # what a server does before each request and the test client leaves out
        statuses.append(owner.post(f"/workflows/{id_}/execute").status_code)

    assert statuses[0] in (202, 503)
    assert statuses[1:] == [202, 202]
    assert Run.objects.count() == statuses.count(202)
