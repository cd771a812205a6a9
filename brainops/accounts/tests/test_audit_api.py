"""The audit log over the API: who may read it, what it shows, its file, and the proof that nobody changed it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brainops.accounts.models import Role, User, Workspace
from brainops.accounts.services import sessions
from brainops.accounts.tests.conftest import Api
from brainops.audit.actor import Actor
from brainops.audit.models import AuditEntry
from brainops.audit.services import record
from brainops.audit.services.exporting import _PAGE
from brainops.audit.tests.test_chain import seal_everything, tamper

BOB = Actor("user", uuid4(), "bob@example.com")


def note(workspace: Workspace | None, action: str = "workflow.update", **more: Any) -> AuditEntry:
    given = {"actor": BOB, "target_kind": "workflow", "target_id": "1", "summary": "Changed it.", **more}
    return record(workspace_id=workspace and workspace.id, action=action, **given)


@pytest.fixture
def staff(db: None) -> Api:
    user = User.objects.create_user("staff@example.com", username="staff", is_staff=True)
    return Api(sessions.open_session(user).access)


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_an_entry_says_who_did_what_from_where_with_secrets_masked(ada, api, acme):
    entry = note(acme, changes={"name": ["old", "new"], "password": ["a", "b"]})

    shown = api(ada).get(f"/audit/{entry.uid}").json()

    assert shown == {
        "id": str(entry.uid),
        "at": shown["at"],
        "workspace_id": str(acme.id),
        "actor_kind": "user",
        "actor_id": str(BOB.id),
        "actor": "bob@example.com",
        "ip": None,
        "request_id": "",
        "action": "workflow.update",
        "target_kind": "workflow",
        "target_id": "1",
        "summary": "Changed it.",
        "changes": {"name": ["old", "new"], "password": "•••"},
    }


def test_a_foreign_entry_looks_like_a_missing_one(ada, api, acme, umbrella):
    foreign, of_none = note(umbrella), note(None)
    note(acme)
    caller = api(ada)

    answers = [caller.get(f"/audit/{id_}") for id_ in (foreign.uid, of_none.uid, uuid4())]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert {str(foreign.uid), str(of_none.uid)}.isdisjoint(found(caller.get("/audit")))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.BUILDER])
def test_members_below_admin_read_nothing(member, api, role):
    caller = api(member("cy", role))

    answers = [caller.get("/audit"), caller.get("/audit/export"), caller.post("/audit/verify", {})]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_exporting_is_a_right_of_its_own(ada, api):
    assert api(ada, scopes=["audit:read"]).get("/audit/export").status_code == 403
    assert api(ada, scopes=["audit:export"]).get("/audit").status_code == 403


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "workflow.update"}, ["update"]),
        ({"action": "workflow.*"}, ["delete", "update"]),
        ({"action": "work.*"}, []),
        ({"actor": "BOB@"}, ["delete", "update"]),
        ({"actor_id": str(BOB.id)}, ["delete", "update"]),
        ({"actor_kind": "system"}, ["start"]),
        ({"target_kind": "run", "target_id": "7"}, ["start"]),
        ({"until": "2020-01-01T00:00:00Z"}, []),
        ({"ip": "203.0.113.7"}, []),
        ({"request_id": "nothing"}, []),
    ],
)
def test_the_list_takes_filters(ada, api, acme, query, expected):
    caller = api(ada)
    words = {
        str(note(acme).uid): "update",
        str(note(acme, "workflow.delete").uid): "delete",
        str(note(acme, "run.start", actor=Actor.system("schedule"), target_kind="run", target_id="7").uid): "start",
    }

    assert [words[id_] for id_ in found(caller.get("/audit", query)) if id_ in words] == expected


@pytest.mark.parametrize("query", [{"actor_id": "me"}, {"ip": "x"}, {"since": "y"}, {"workspace": str(uuid4())}])
def test_a_parameter_that_means_nothing_is_refused(ada, api, query):
    answer = api(ada).get("/audit", query)

    assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (400, next(iter(query)))


def test_pages_follow_each_other_with_a_fixed_number_of_queries(ada, api, acme):
    caller = api(ada)
    written = [str(note(acme).uid) for _ in range(5)]
    first = caller.get("/audit", {"limit": 3}).json()
    with CaptureQueriesContext(connection) as queries:
        rest = caller.get(first["next"].partition("/api/v1/automation")[2])
        counted = len(queries)

    ids = [row["id"] for row in first["results"]] + found(rest)
    assert (ids[:5], counted) == (written[::-1], 2)


def test_the_export_is_every_entry_oldest_first_and_an_entry_itself(ada, api, acme, umbrella):
    caller = api(ada)
    written = [str(note(acme).uid) for _ in range(3)]
    note(umbrella)

    answer = caller.get("/audit/export?action=workflow.*", headers={"Accept": "application/x-ndjson"})

    lines = [orjson.loads(line) for line in text_of(answer).splitlines()]
    assert [line["id"] for line in lines] == written
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.ndjson"'
    made = AuditEntry.objects.get(action="audit.export")
    assert (made.workspace_id, made.changes) == (acme.id, {"filter": {"action": "workflow.*"}})


@pytest.mark.parametrize("nasty", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1"])
def test_a_table_holds_no_formula(ada, api, acme, nasty):
    caller = api(ada)
    note(acme, summary=nasty, target_id=nasty, actor=Actor("user", None, nasty), changes={"a": [1, '"x",\n']})

    answer = caller.get("/audit/export?format=csv&action=workflow.update")

    header, row = csv.reader(io.StringIO(text_of(answer), newline=""))
    shown = dict(zip(header, row, strict=True))
    assert (shown["summary"], shown["target_id"], shown["actor"]) == (f"'{nasty}",) * 3
    assert orjson.loads(shown["changes"]) == {"a": [1, '"x",\n']}
    assert answer.headers["Content-Type"].startswith("text/csv")


def test_an_export_reads_a_page_at_a_time(ada, api, acme):
    caller = api(ada)
    template = note(acme)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into audit_auditentry (uid, at, workspace_id, actor_kind, actor_label, request_id, action,"
            " target_kind, target_id, summary, mac) select gen_random_uuid(), at, workspace_id, actor_kind, actor_label,"
            " request_id, action, target_kind, target_id, summary, mac from audit_auditentry,"
            " generate_series(1, %s) where id = %s",
            [2 * _PAGE, template.id],
        )

    answer = caller.get("/audit/export?action=workflow.update")

    pieces = [len(piece.splitlines()) for piece in answer.streaming_content]
    assert pieces == [_PAGE, _PAGE, 1]


def test_staff_reads_the_log_of_all_and_of_none(staff, ada, api, acme, umbrella):
    entries = [note(acme), note(umbrella), note(None, "login.fail")]

    assert found(staff.get("/admin/audit"))[:3] == [str(entry.uid) for entry in entries[::-1]]
    assert found(staff.get("/admin/audit", {"workspace": str(umbrella.id)})) == [str(entries[1].uid)]
    assert api(ada).get("/admin/audit").status_code == 403
    assert api(ada).post("/admin/audit/verify", {}).status_code == 403


@pytest.mark.django_db(transaction=True)
class TestVerify:
    """The proof, on committed rows."""

    @pytest.fixture
    def verdict(self, ada: User, api: Callable[..., Api]) -> Callable[..., dict[str, Any]]:
        caller = api(ada)

        def ask(**body: Any) -> dict[str, Any]:
            answer = caller.post("/audit/verify", body)
            assert answer.status_code == 200, answer.content
            return answer.json()

        return ask

    def test_an_untouched_log_is_intact_and_tells_its_head(self, verdict, acme, umbrella):
        note(acme)
        seal_everything()
        tamper_target = note(umbrella)
        seal_everything()
        tamper(f"update audit_auditentry set summary = 'x' where id = {tamper_target.id}")

        seen = verdict()

        assert (seen["is_intact"], seen["is_complete"], seen["findings"]) == (True, True, [])
        assert (seen["sealed"], seen["head"]["position"]) == (seen["head"]["position"], seen["sealed"])
        assert len(bytes.fromhex(seen["head"]["seal"])) == 32

    def test_an_edited_and_a_deleted_entry_are_named(self, verdict, acme):
        first, second, _third = (note(acme) for _ in range(3))
        seal_everything()
        place = verdict()["sealed"] - 2

        tamper(
            f"update audit_auditentry set actor_label = 'eve' where id = {first.id}",
            f"delete from audit_auditentry where id = {second.id}",
        )

        found = [(finding["fault"], finding["position"]) for finding in verdict()["findings"]]
        assert found == [("edited", place), ("deleted", place + 1)]

    def test_an_entry_put_in_by_hand_is_named(self, verdict, acme):
        note(acme)
        seal_everything()
        tamper(
            "insert into audit_auditentry (uid, at, workspace_id, actor_kind, actor_label, request_id, action,"
            " target_kind, target_id, summary, mac) select gen_random_uuid(), at, workspace_id, actor_kind,"
            " 'somebody', request_id, action, target_kind, target_id, summary, mac from audit_auditentry"
            f" where workspace_id = '{acme.id}' limit 1"
        )

        assert [finding["fault"] for finding in verdict()["findings"]] == ["inserted"]

    def test_a_cut_end_is_found_by_a_head_noted_earlier(self, verdict, acme):
        last = [note(acme) for _ in range(3)][-1]
        seal_everything()
        head = verdict()["head"]
        tamper(
            f"delete from audit_auditseal where entry_id = {last.id}",
            f"delete from audit_auditentry where id = {last.id}",
            f"update audit_auditchain set position = position - 1, seal = (select seal from audit_auditseal"
            f" where chain = '{acme.id}' order by position desc limit 1) where workspace_id = '{acme.id}'",
        )

        assert verdict()["is_intact"]
        assert "cut" in [finding["fault"] for finding in verdict(after=head)["findings"]]

    def test_a_long_log_is_followed_in_parts(self, verdict, acme, monkeypatch):
        monkeypatch.setattr("brainops.accounts.api.audit.MOST_VERIFIED", 2)
        for _ in range(4):
            note(acme)
        seal_everything()
        total = 0
        seen = verdict()
        while not seen["is_complete"]:
            total += seen["sealed"]
            seen = verdict(after=seen["head"])

        total += seen["sealed"]
        assert (seen["is_intact"], total, seen["head"]["position"]) == (True, total, total)

    def test_staff_verifies_what_belongs_to_no_workspace(self, staff, acme):
        note(None)
        seal_everything()

        seen = staff.post("/admin/audit/verify", {}).json()

        assert (seen["is_intact"], seen["is_complete"], seen["head"]["position"]) == (True, True, seen["sealed"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"after": {"position": 0, "seal": "0" * 64}}, "/after/position"),
        ({"after": {"position": 1, "seal": "zz"}}, "/after/seal"),
        ({"after": {"position": 1}}, "/after/seal"),
        ({"chain": str(UUID(int=0))}, "/chain"),
    ],
)
def test_a_body_that_means_nothing_is_refused(ada, api, body, pointer):
    answer = api(ada).post("/audit/verify", body)

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, pointer)
