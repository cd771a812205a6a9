"""Replays of deliveries: one, several, by filter, to a newer version, and rehearsed against a draft."""

from __future__ import annotations

import pytest

from automation.models import Replay, Run
from automation.services.replays_due import replays_due
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import states
from webhooks.tests import make
from webhooks.tests.make import ROOT, SECRET, Sender, call

pytestmark = pytest.mark.django_db

NEWER = {
    "schema": 1,
    "inputs": {"properties": {"ref": {"type": "string"}}},
    "steps": [{"id": "say", "uses": "log", "with": {"message": "{{ inputs.ref }}"}}],
}
SENDING = {
    "schema": 1,
    "steps": [{"id": "send", "uses": "http.request", "with": {"method": "POST", "url": "https://example.com/in"}}],
}


def event_of(endpoint: WebhookEndpoint, delivery: str) -> WebhookEvent:
    return WebhookEvent.objects.get(endpoint=endpoint, delivery_id=delivery)


def take(endpoint: WebhookEndpoint, delivery: str = "d-1", body: object = None, **how: object) -> WebhookEvent:
    Sender(endpoint).send({"ref": "main"} if body is None else body, delivery=delivery, **how)
    return event_of(endpoint, delivery)


def publish(endpoint: WebhookEndpoint, definition: object) -> None:
    flow = endpoint.trigger.workflow
    flow.current_version = make.version_of(flow, definition, ordinal=flow.versions.count() + 1)
    flow.definition = definition
    flow.save()
    states.known.forget_all()


def switch(endpoint: WebhookEndpoint, *, on: bool) -> None:
    endpoint.trigger.workflow.is_active = on
    endpoint.trigger.workflow.save()
    states.known.forget_all()


def again(client, event: WebhookEvent, body: object = None):
    return call(client, "post", f"{ROOT}/{event.endpoint_id}/events/{event.id}/replay", body)


class TestOne:
    def test_runs_the_newest_version_with_the_body_as_that_version_takes_it(self, endpoint, owner):
        event = take(endpoint)
        publish(endpoint, NEWER)

        answer = again(owner, event)

        run = Run.objects.select_related("data", "version", "parent_run").get(uid=answer.json()["id"])
        assert answer.status_code == 202
        assert (run.version.number, run.data.input["inputs"]) == ("1.0.1", {"ref": "main"})
        assert run.parent_run.uid == event.run_uid
        assert run.trigger_id == endpoint.trigger_id

    def test_sees_what_the_first_run_saw_and_that_it_is_a_replay(self, endpoint, owner):
        event = take(endpoint, query="a=1")
        first = Run.objects.select_related("data").get(uid=event.run_uid).data.input["trigger"]

        again(owner, event)

        second = Run.objects.select_related("data").exclude(uid=event.run_uid).get().data.input["trigger"]
        assert second == {**first, "is_replay": True, "replay_of": str(event.id)}
        assert second["delivery"] == "d-1"

    def test_can_run_the_version_of_the_first_run(self, endpoint, owner):
        event = take(endpoint)
        publish(endpoint, NEWER)

        again(owner, event, {"version": "same"})

        assert Run.objects.exclude(uid=event.run_uid).get().version.number == "1.0.0"

    def test_reads_the_delivery_itself_when_its_run_is_gone(self, endpoint, owner):
        event = take(endpoint, query="a=1")
        first = Run.objects.select_related("data").get().data.input["trigger"]
        Run.objects.all().delete()

        assert again(owner, event).status_code == 202

        second = Run.objects.select_related("data").get().data.input["trigger"]
        assert {**second, "received_at": None} == {
            **first,
            "received_at": None,
            "is_replay": True,
            "replay_of": str(event.id),
        }

    def test_starts_what_an_event_filter_had_passed_over(self, endpoint, owner):
        endpoint.event_types = ["release"]
        endpoint.save()
        event = take(endpoint, event="push")

        again(owner, event)

        assert (event.verdict, event.reason) == (EventVerdict.ACKNOWLEDGED, "event_not_wanted")
        assert Run.objects.get().data.input["trigger"]["body"] == {"ref": "main"}

    def test_starts_what_came_while_the_workflow_was_switched_off(self, endpoint, owner):
        switch(endpoint, on=False)
        body = {"text": "x" * 10_000}
        event = take(endpoint, body=body)
        switch(endpoint, on=True)

        assert again(owner, event).status_code == 202

        assert (event.verdict, event.reason, event.is_verified) == (EventVerdict.REJECTED, "workflow_inactive", True)
        assert Run.objects.get().data.input["trigger"]["body"] == body

    def test_is_refused_when_nobody_had_proven_the_delivery(self, endpoint, owner):
        Sender(endpoint, secret="another-secret-of-the-tests-00000").send({"ref": "main"}, delivery="d-1")

        answer = again(owner, event_of(endpoint, "d-1"))

        assert (answer.status_code, answer.json()["code"]) == (409, "event_not_verified")
        assert not Run.objects.exists()

    def test_is_refused_when_an_unsigned_webhook_had_refused_it(self, owner, endpoint):
        open_ = make.endpoint(endpoint.trigger.workflow, scheme="none")
        switch(endpoint, on=False)
        Sender(open_).post(b"{}", {"webhook-id": "d-1"})
        switch(endpoint, on=True)

        assert again(owner, event_of(open_, "d-1")).json()["code"] == "event_not_verified"

    def test_is_refused_when_the_body_was_not_kept_whole(self, endpoint, owner):
        event = take(endpoint)
        Run.objects.all().delete()
        WebhookEvent.objects.filter(id=event.id).update(body=b"{", size_bytes=14)

        assert again(owner, event).json()["code"] == "body_not_kept"

    def test_is_refused_for_a_handshake(self, owner, endpoint):
        slack = make.endpoint(endpoint.trigger.workflow, scheme="slack", secret=SECRET)
        Sender(slack).post(b'{"type": "url_verification", "challenge": "abc"}', {})

        answer = again(owner, WebhookEvent.objects.get(endpoint=slack))

        assert (answer.status_code, answer.json()["code"]) == (409, "event_is_handshake")

    def test_says_what_the_newest_version_does_not_take(self, endpoint, owner):
        event = take(endpoint, body={"ref": 7})
        publish(endpoint, NEWER)

        answer = again(owner, event)

        assert answer.status_code == 400
        assert [problem["pointer"] for problem in answer.json()["problems"]] == ["/inputs/ref"]

    def test_twice_with_one_key_starts_one_run(self, endpoint, owner):
        event = take(endpoint)
        path = f"{ROOT}/{endpoint.id}/events/{event.id}/replay"

        answers = [
            owner.post(path, {}, content_type="application/json", headers={"Idempotency-Key": "once"}) for _ in range(2)
        ]

        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert Run.objects.count() == 2

    def test_is_noted_in_the_audit_log(self, endpoint, owner):
        again(owner, take(endpoint))

        assert AuditEntry.objects.filter(action="webhook.replay", target_id=str(endpoint.id)).count() == 1

    @pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 202), (Role.VIEWER, 403)])
    def test_takes_an_operator(self, endpoint, role, status):
        member = make.api(make.person(endpoint.workspace, role), endpoint.workspace, role)

        assert again(member, take(endpoint)).status_code == status

    def test_is_not_there_for_strangers(self, endpoint):
        home = make.workspace()
        stranger = make.api(make.person(home), home)

        assert again(stranger, take(endpoint)).status_code == 404


class TestMany:
    def order(self, client, endpoint, body):
        return call(client, "post", f"{ROOT}/{endpoint.id}/replay", body)

    def test_by_filter_start_each_proven_delivery_once_in_its_order(self, endpoint, owner):
        for number in range(3):
            take(endpoint, f"d-{number}")
        Sender(endpoint).post(b"{}", {"X-GitHub-Delivery": "forged"})
        WebhookEvent.objects.filter(delivery_id="d-2").update(event_type="release")

        ordered = self.order(owner, endpoint, {"filter": {"event_type": "push"}, "per_minute": 3000})
        while Replay.objects.get().state == "running":
            Replay.objects.update(next_at="2000-01-01T00:00:00Z")
            replays_due()

        assert (ordered.status_code, ordered.json()["runs"]["total"]) == (202, 2)
        made = Run.objects.filter(parent_run__isnull=False).order_by("id").select_related("data")
        assert [run.data.input["trigger"]["delivery"] for run in made] == ["d-0", "d-1"]
        items = owner.get(f"{ordered.json()['url']}/items").json()["results"]
        assert [(item["subject_id"], item["status"]) for item in items] == [
            (str(event_of(endpoint, delivery).id), "started") for delivery in ("d-0", "d-1")
        ]

    def test_leave_out_what_was_passed_over_unless_it_is_asked_for(self, endpoint, owner):
        take(endpoint, "d-0", event="ping")
        take(endpoint, "d-1")
        preview = f"{ROOT}/{endpoint.id}/replay/preview"

        usual = call(owner, "post", preview, {"filter": {}}).json()
        asked = call(owner, "post", preview, {"filter": {"verdict": "acknowledged"}}).json()

        assert (usual["replayable"], asked["replayable"]) == (1, 1)

    def test_by_name_are_each_answered_for(self, endpoint, owner):
        good = take(endpoint)
        Sender(endpoint).post(b"{}", {"X-GitHub-Delivery": "forged"})
        bad = event_of(endpoint, "forged")

        ordered = self.order(owner, endpoint, {"events": [str(good.id), str(bad.id)], "per_minute": 3000})
        while Replay.objects.get().state == "running":
            Replay.objects.update(next_at="2000-01-01T00:00:00Z")
            replays_due()

        items = owner.get(f"{ordered.json()['url']}/items").json()["results"]
        assert [(item["status"], (item["error"] or {}).get("code")) for item in items] == [
            ("started", None),
            ("refused", "event_not_verified"),
        ]

    def test_are_counted_before_they_start(self, endpoint, owner):
        good = take(endpoint)
        Sender(endpoint).post(b"{}", {"X-GitHub-Delivery": "forged"})
        body = {"events": [str(good.id), str(event_of(endpoint, "forged").id)]}

        found = call(owner, "post", f"{ROOT}/{endpoint.id}/replay/preview", body).json()

        assert found == {"deliveries": 2, "replayable": 1, "refused": {"event_not_verified": 1}}
        assert Run.objects.count() == 1

    def test_of_another_webhook_are_unknown(self, endpoint, owner):
        other = make.endpoint(endpoint.trigger.workflow)
        theirs = take(other)

        answer = self.order(owner, endpoint, {"events": [str(theirs.id)]})

        assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, "/events/0")

    @pytest.mark.parametrize("body", [{}, {"events": [], "filter": {}}, {"filter": {"event_type": "nothing"}}])
    def test_without_a_choice_are_refused(self, endpoint, owner, body):
        assert self.order(owner, endpoint, body).status_code == 400


class TestRehearsal:
    def test_of_a_draft_with_real_deliveries_lists_effects_and_starts_nothing(self, endpoint, owner):
        for number in range(2):
            take(endpoint, f"d-{number}")

        done = call(owner, "post", f"{ROOT}/{endpoint.id}/replay/dry-run", {"filter": {}, "definition": SENDING}).json()

        assert (done["deliveries"], done["statuses"], done["effect_counts"]) == (2, {"succeeded": 2}, {"create": 2})
        assert [one["was"] for one in done["results"]] == ["queued", "queued"]
        assert Run.objects.count() == 2

    def test_says_which_delivery_a_draft_does_not_take(self, endpoint, owner):
        take(endpoint, "d-0", {"ref": 7})
        take(endpoint, "d-1", {"ref": "main"})

        done = call(owner, "post", f"{ROOT}/{endpoint.id}/replay/dry-run", {"filter": {}, "definition": NEWER}).json()

        assert done["statuses"] == {"refused": 1, "succeeded": 1}
        refused = next(one for one in done["results"] if one["error"])
        assert (refused["event_id"], refused["error"]["problems"][0]["pointer"]) == (
            str(event_of(endpoint, "d-0").id),
            "/inputs/ref",
        )

    def test_of_one_delivery_shows_the_whole_plan(self, endpoint, owner):
        event = take(endpoint)
        path = f"{ROOT}/{endpoint.id}/events/{event.id}/dry-run"

        plan = call(owner, "post", path, {"definition": SENDING}).json()

        assert (plan["mode"], [effect["step"] for effect in plan["effects"]]) == ("dry_run", ["send"])

    def test_of_many_ends_when_the_time_of_one_is_used_up(self, endpoint, owner, settings):
        for number in range(3):
            take(endpoint, f"d-{number}")
        settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "dry_run_seconds": 0}

        done = call(owner, "post", f"{ROOT}/{endpoint.id}/replay/dry-run", {"filter": {}}).json()

        assert [(one["error"] or {}).get("code") for one in done["results"]][1:] == ["out_of_time", "out_of_time"]

    def test_of_a_broken_draft_is_refused_as_a_whole(self, endpoint, owner):
        take(endpoint)

        answer = call(
            owner, "post", f"{ROOT}/{endpoint.id}/replay/dry-run", {"filter": {}, "definition": {"schema": 1}}
        )

        assert answer.status_code == 400
        assert answer.json()["problems"][0]["pointer"].startswith("/definition")


class TestWhatElseCame:
    def test_path_query_and_files_are_read_again_when_the_run_is_gone(self, owner, endpoint):
        endpoint = make.endpoint(endpoint.trigger.workflow, scheme="none", config={"path": "orders/{id}"})
        body = (
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
            b"a,b\n\r\n--b--\r\n"
        )
        kind = "multipart/form-data; boundary=b"
        Sender(endpoint).post(body, {"webhook-id": "d-1"}, behind="/orders/7", query="shop=1", content_type=kind)
        first = Run.objects.select_related("data").get().data.input["trigger"]
        Run.objects.all().delete()

        answer = again(owner, event_of(endpoint, "d-1"))

        assert answer.status_code == 202, answer.json()
        second = Run.objects.select_related("data").get().data.input["trigger"]
        assert (second["path"], second["query"], second["body"]["note"]) == ({"id": "7"}, {"shop": "1"}, "hello")
        old, new = first["body"]["file"], second["body"]["file"]
        assert {**new, "$file": None} == {**old, "$file": None}
        assert owner.get(f"/api/v1/automation/files/{new['$file']}").getvalue() == b"a,b\n"


class TestWaiting:
    def test_a_delivery_that_waits_is_counted_as_one_that_cannot_be_replayed(self, endpoint, owner):
        event = take(endpoint)
        WebhookEvent.objects.filter(id=event.id).update(verdict=EventVerdict.BUFFERED, run_uid=None)
        body = {"events": [str(event.id)]}

        found = call(owner, "post", f"{ROOT}/{endpoint.id}/replay/preview", body).json()

        assert found == {"deliveries": 1, "replayable": 0, "refused": {"event_waits": 1}}
        assert again(owner, event).json()["code"] == "event_waits"
