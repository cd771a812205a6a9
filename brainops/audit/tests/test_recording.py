"""Audit entries: complete, masked, and not to be changed."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from brainops.audit.actor import Actor
from brainops.audit.models import AuditEntry
from brainops.audit.services import record
from brainops.core import logs
from brainops.core.web.clients import current_ip

ADA = Actor("user", uuid4(), "ada@example.com")


def an_entry(**changes):
    given = {
        "actor": ADA,
        "workspace_id": None,
        "action": "workflow.update",
        "target_kind": "workflow",
        "target_id": uuid4(),
        "summary": "Changed the workflow.",
    }
    return record(**{**given, **changes})


@pytest.fixture
def served_request():
    """What the middleware binds while a request is served."""
    ip, request_id = current_ip.set("203.0.113.7"), logs.request_id.set("request-42")
    yield
    current_ip.reset(ip)
    logs.request_id.reset(request_id)


@pytest.mark.django_db
def test_an_entry_tells_who_did_what_to_what_from_where(served_request):
    workspace, target = uuid4(), uuid4()

    made = an_entry(workspace_id=workspace, target_id=target, changes={"name": ["old", "new"]})

    row = AuditEntry.objects.get(id=made.id)
    assert (row.actor_kind, row.actor_id, row.actor_label) == ("user", ADA.id, "ada@example.com")
    assert (row.workspace_id, row.action, row.target_kind) == (workspace, "workflow.update", "workflow")
    assert (row.target_id, row.summary, row.changes) == (
        str(target),
        "Changed the workflow.",
        {"name": ["old", "new"]},
    )
    assert (row.ip, row.request_id) == ("203.0.113.7", "request-42")
    assert row.transaction_id > 0


@pytest.mark.django_db
def test_an_entry_falls_with_the_transaction_that_did_the_thing():
    with transaction.atomic():
        an_entry()
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_secrets_in_changes_are_masked_and_values_become_plain_json():
    when, id_ = datetime(2026, 1, 2, tzinfo=UTC), uuid4()

    entry = an_entry(changes={"api_key": ["a", "b"], "expires_at": [None, when], "owner": [None, id_]})

    assert entry.changes == {
        "api_key": "•••",
        "expires_at": [None, "2026-01-02T00:00:00+00:00"],
        "owner": [None, str(id_)],
    }


@pytest.mark.django_db
def test_a_text_that_postgresql_cannot_store_is_stored_without_what_it_cannot():
    entry = an_entry(summary="a\0b \ud800", actor=Actor("anonymous", None, "x\0"))

    row = AuditEntry.objects.get(id=entry.id)
    assert (row.summary, row.actor_label) == ("a�b ?", "x�")


@pytest.mark.django_db
def test_nobody_known_is_recorded_as_anonymous():
    assert (an_entry(actor=None).actor_kind, AuditEntry.objects.get().actor_label) == ("anonymous", "anonymous")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "update audit_auditentry set summary = 'nothing happened'",
        "delete from audit_auditentry",
        "update audit_auditentry set mac = ''",
    ],
)
def test_the_database_refuses_to_change_an_entry(statement):
    an_entry()

    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_the_database_refuses_to_empty_the_log():
    with connection.cursor() as cursor:
        cursor.execute("alter table audit_auditentry enable trigger audit_no_truncate")  # off in tests (conftest.py)

        with pytest.raises(DatabaseError, match="TRUNCATE is refused"), transaction.atomic():
            cursor.execute("truncate audit_auditentry cascade")
