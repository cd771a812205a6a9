"""The chain over the audit log: whatever is done to the rows behind our back is found and named."""

import threading
import time
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from brainops.audit.actor import Actor
from brainops.audit.models import AuditChain, AuditEntry, AuditSeal
from brainops.audit.services import record, seal, verify
from brainops.audit.services.content import SYSTEM_CHAIN

pytestmark = pytest.mark.django_db(transaction=True)

ADA = Actor("user", uuid4(), "ada@example.com")
ACME, UMBRELLA = uuid4(), uuid4()


def entries(count: int, workspace: UUID | None = ACME) -> list[AuditEntry]:
    return [
        record(
            actor=ADA,
            workspace_id=workspace,
            action="workflow.update",
            target_kind="workflow",
            target_id=str(number),
            summary=f"Change {number}.",
            changes={"size": [number, 1e22, -0.0, 2.0, 0.1], "ä": None},
        )
        for number in range(count)
    ]


def seal_everything() -> None:
    """Seal until nothing is left; a transaction of a parallel test, anywhere on this server, holds it up."""
    deadline = time.monotonic() + 60
    while AuditEntry.objects.filter(sealed=None).exists():
        assert time.monotonic() < deadline, "the entries were not sealed within a minute"
        if not seal():
            time.sleep(0.05)


def tamper(*statements: str) -> None:
    """Change rows as somebody with the database's password would: the triggers are switched off first."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("audit_auditentry", "audit_auditseal"):
            cursor.execute(f"alter table {table} disable trigger user")
        for statement in statements:
            cursor.execute(statement)
        for table in ("audit_auditentry", "audit_auditseal"):
            cursor.execute(f"alter table {table} enable trigger user")
            cursor.execute(f"alter table {table} disable trigger audit_no_truncate")  # as in conftest.py


def faults() -> list[tuple[str, int]]:
    return [(finding.fault, finding.position) for finding in verify().findings]


def test_an_untouched_log_is_intact():
    entries(3)
    entries(2, UMBRELLA)
    entries(1, None)
    seal_everything()

    verdict = verify()

    assert (verdict.sealed, verdict.unsealed, verdict.findings) == (6, 0, [])
    assert {chain: position for chain, (position, _) in verdict.heads.items()} == {
        ACME: 3,
        UMBRELLA: 2,
        UUID(SYSTEM_CHAIN): 1,
    }


def test_entries_not_sealed_yet_are_counted_and_are_no_fault():
    entries(2)
    seal_everything()
    entries(3)

    verdict = verify()

    assert (verdict.sealed, verdict.unsealed, verdict.is_intact) == (2, 3, True)


def test_sealing_goes_on_where_it_stopped_and_respects_its_limit():
    entries(5)

    seal_everything()
    rounds = seal(limit=2)
    entries(1)
    seal_everything()

    assert rounds == 0
    assert list(AuditSeal.objects.order_by("position").values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert verify().is_intact


@pytest.mark.parametrize(
    "change",
    [
        "summary = 'Nothing happened.'",
        "actor_label = 'somebody else'",
        "actor_id = gen_random_uuid()",
        "action = 'workflow.read'",
        "at = at - interval '1 day'",
        "changes = '{\"size\": 1}'",
        "workspace_id = gen_random_uuid()",
        "target_id = '9'",
        "ip = '203.0.113.7'",
        "mac = decode(repeat('00', 32), 'hex')",
    ],
)
def test_an_edited_entry_is_found(change):
    second = entries(3)[1]
    seal_everything()

    tamper(f"update audit_auditentry set {change} where id = {second.id}")

    assert ("edited", 2) in faults()


def test_a_deleted_entry_is_found():
    second = entries(3)[1]
    seal_everything()

    tamper(f"delete from audit_auditentry where id = {second.id}")

    assert faults() == [("deleted", 2)]


def test_an_entry_deleted_with_its_seal_is_found():
    second = entries(3)[1]
    seal_everything()

    tamper(
        f"delete from audit_auditseal where entry_id = {second.id}",
        f"delete from audit_auditentry where id = {second.id}",
    )

    assert ("cut", 2) in faults()


def test_an_entry_written_by_hand_is_found():
    entries(2)
    seal_everything()

    tamper(
        "insert into audit_auditentry (uid, at, workspace_id, actor_kind, actor_label, request_id, action, target_kind,"
        " target_id, summary, mac) select gen_random_uuid(), now(), workspace_id, 'user', 'ada@example.com', '',"
        " action, target_kind, target_id, summary, mac from audit_auditentry limit 1"
    )

    assert faults() == [("inserted", 0)]


def test_a_true_entry_put_back_among_sealed_ones_is_found():
    first = entries(3)[0]
    seal_everything()

    tamper(
        f"delete from audit_auditseal where entry_id = {first.id}",
    )

    assert ("inserted", 0) in faults()


def test_two_entries_that_changed_places_are_found():
    first, second, _ = entries(3)
    seal_everything()

    tamper(
        f"update audit_auditseal set entry_id = -1 where entry_id = {first.id}",
        f"update audit_auditseal set entry_id = {first.id} where entry_id = {second.id}",
        f"update audit_auditseal set entry_id = {second.id} where entry_id = -1",
    )

    assert faults()[:2] == [("reordered", 1), ("reordered", 2)]


def test_a_cut_end_is_found_by_the_chains_own_end():
    last = entries(3)[2]
    seal_everything()

    tamper(
        f"delete from audit_auditseal where entry_id = {last.id}", f"delete from audit_auditentry where id = {last.id}"
    )

    assert faults() == [("cut", 2)]


def test_a_cut_end_is_found_by_a_head_kept_elsewhere_even_when_the_end_was_moved_too():
    last = entries(3)[2]
    seal_everything()
    noted = verify().heads

    tamper(
        f"delete from audit_auditseal where entry_id = {last.id}",
        f"delete from audit_auditentry where id = {last.id}",
        "update audit_auditchain set position = 2, seal = (select seal from audit_auditseal where position = 2)",
    )

    assert verify().is_intact
    assert [finding.fault for finding in verify(expected_heads=noted).findings] == ["cut"]


def test_a_log_sealed_under_an_earlier_key_stays_intact(settings):
    entries(2)
    seal_everything()
    settings.BRAINOPS_ENCRYPTION_KEYS = {"fresh": b"f" * 32, **settings.BRAINOPS_ENCRYPTION_KEYS}
    entries(2)
    seal_everything()

    assert (verify().sealed, verify().is_intact) == (4, True)


def test_a_transaction_that_commits_late_is_sealed_late_and_not_taken_for_a_forgery():
    """An entry gets a lower id than its neighbour and appears after it."""
    is_written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            entries(1)
            is_written.set()
            may_commit.wait(30)
        connections.close_all()

    worker = threading.Thread(target=slow)
    worker.start()
    is_written.wait(30)
    entries(1)
    seal()
    sealed_meanwhile = AuditSeal.objects.count()
    may_commit.set()
    worker.join()
    seal_everything()

    assert sealed_meanwhile == 0
    assert (verify().sealed, verify().is_intact) == (2, True)


def test_any_number_of_sealers_make_one_chain():
    entries(40)

    def work() -> None:
        for _ in range(20):
            seal(limit=3)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seal_everything()

    assert (verify().sealed, verify().is_intact, AuditChain.objects.get().position) == (40, True, 40)


def test_the_command_prints_the_heads_and_fails_when_something_was_changed():
    first = entries(2)[0]
    seal_everything()
    out = StringIO()
    call_command("audit_verify", stdout=out)
    head = out.getvalue().splitlines()[0].removeprefix("head ")

    tamper(f"update audit_auditentry set summary = 'x' where id = {first.id}")
    err = StringIO()
    with pytest.raises(CommandError, match="The audit log was changed: 1 findings"):
        call_command("audit_verify", head=[head], stdout=StringIO(), stderr=err)

    assert out.getvalue().splitlines()[1:] == ["2 entries sealed, 0 not sealed yet.", "Nothing was changed."]
    assert err.getvalue().startswith(f"edited: Entry {first.id} (workflow.update) does not have the content")
