"""The API of endpoints and events, for its owner, a member and a stranger."""

from datetime import timedelta
from uuid import uuid4

import pytest

from automation.models import Run, RunMode
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core import clock
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/automation/webhooks"


@pytest.fixture
def endpoint():
    return make.endpoint()


@pytest.fixture
def owner(endpoint):
    home = endpoint.workspace
    return make.api(make.person(home), home)


@pytest.fixture
def viewer(endpoint):
    home = endpoint.workspace
    return make.api(make.person(home, Role.VIEWER), home, Role.VIEWER)


@pytest.fixture
def stranger():
    home = make.workspace()
    return make.api(make.person(home), home)


def routes(endpoint, event):
    """Every route of this room but the public one: method, path, and whether a viewer may."""
    base = f"{ROOT}/{endpoint.id}"
    return [
        ("get", base, True),
        ("get", f"{base}/events", True),
        ("get", f"{base}/events/{event.id}", True),
        ("post", f"{base}/rotate", False),
        ("post", f"{base}/test", False),
    ]


def call(client, method, path, body=None):
    return getattr(client, method)(path, body if body is not None else {}, content_type="application/json")


def test_the_owner_may_everything_a_viewer_may_look_and_a_stranger_finds_nothing(endpoint, owner, viewer, stranger):
    Sender(endpoint).send({})
    event = WebhookEvent.objects.get()

    for method, path, is_for_viewers in routes(endpoint, event):
        statuses = [call(client, method, path).status_code for client in (owner, viewer, stranger)]
        assert statuses == [200, 200 if is_for_viewers else 403, 404], path


def test_a_foreign_endpoint_answers_like_a_missing_one(endpoint, stranger):
    Sender(endpoint).send({})
    event = WebhookEvent.objects.get()

    for method, path, _ in routes(endpoint, event):
        missing = path.replace(str(endpoint.id), str(uuid4())).replace(str(event.id), str(uuid4()))
        answers = [call(stranger, method, address) for address in (path, missing)]
        bodies = [{**answer.json(), "request_id": ""} for answer in answers]
        assert bodies[0] == bodies[1], path


def test_without_a_key_nothing_but_receive_answers(endpoint, client):
    event = WebhookEvent(id=uuid4())

    statuses = {call(client, method, path).status_code for method, path, _ in routes(endpoint, event)}

    assert statuses == {401}


def test_an_event_of_another_endpoint_is_not_found(endpoint, owner):
    other = make.endpoint(make.workflow(endpoint.workspace))
    Sender(other).send({})
    event = WebhookEvent.objects.get()

    assert owner.get(f"{ROOT}/{endpoint.id}/events/{event.id}").status_code == 404
    assert owner.get(f"{ROOT}/{other.id}/events/{event.id}").status_code == 200


def test_the_list_shows_the_endpoints_of_the_workspace_only(endpoint, owner):
    make.endpoint()

    listed = owner.get(ROOT).json()["results"]

    assert [one["id"] for one in listed] == [str(endpoint.id)]


def test_an_endpoint_is_shown_without_its_secret(endpoint, owner):
    shown = owner.get(f"{ROOT}/{endpoint.id}")

    assert make.SECRET not in shown.content.decode()
    assert shown.json() | {"created_at": "", "updated_at": ""} == {
        "id": str(endpoint.id),
        "url": f"http://testserver{endpoint.path}",
        "trigger_id": str(endpoint.trigger_id),
        "workflow_id": str(endpoint.trigger.workflow_id),
        "name": "",
        "is_active": True,
        "scheme": "github",
        "is_signed": True,
        "answer": "accepted",
        "wait_seconds": 20,
        "tolerance_seconds": 300,
        "max_body_bytes": 1 << 20,
        "event_types": [],
        "previous_secret_valid_until": None,
        "rotated_at": None,
        "created_at": "",
        "updated_at": "",
    }


def test_lists_need_a_fixed_number_of_queries(endpoint, owner, django_assert_max_num_queries):
    for _ in range(5):
        Sender(make.endpoint(make.workflow(endpoint.workspace))).send({})
        Sender(endpoint).send({})

    with django_assert_max_num_queries(3):
        owner.get(ROOT)
    with django_assert_max_num_queries(4):
        owner.get(f"{ROOT}/{endpoint.id}/events")


class TestEvents:
    def listed(self, owner, endpoint, query=""):
        return owner.get(f"{ROOT}/{endpoint.id}/events?{query}")

    def test_are_listed_newest_first(self, endpoint, owner):
        for number in range(3):
            Sender(endpoint).send({}, delivery=f"d-{number}")

        listed = self.listed(owner, endpoint).json()["results"]

        assert [event["delivery_id"] for event in listed] == ["d-2", "d-1", "d-0"]

    def test_can_be_paged_through(self, endpoint, owner):
        for number in range(5):
            Sender(endpoint).send({}, delivery=f"d-{number}")

        first = self.listed(owner, endpoint, "limit=3").json()
        second = owner.get(first["next"]).json()

        assert [event["delivery_id"] for event in first["results"] + second["results"]] == [
            "d-4",
            "d-3",
            "d-2",
            "d-1",
            "d-0",
        ]
        assert second["next"] is None

    def test_can_be_filtered(self, endpoint, owner):
        Sender(endpoint).send({}, delivery="d-1", event="push")
        Sender(endpoint).send({}, delivery="d-2", event="ping")
        Sender(endpoint).post(b"{}", {"X-GitHub-Delivery": "d-3"})
        later = (clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

        found = {
            query: [event["delivery_id"] for event in self.listed(owner, endpoint, query).json()["results"]]
            for query in (
                "verdict=accepted",
                "verdict=rejected",
                "verdict=acknowledged",
                "event_type=ping",
                "delivery_id=d-3",
                "is_test=true",
                f"since={later}",
                f"until={later}&verdict=rejected",
            )
        }

        assert list(found.values()) == [["d-1"], ["d-3"], ["d-2"], ["d-2"], ["d-3"], [], [], ["d-3"]]

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("verdict=maybe", "verdict"),
            ("since=yesterday", "since"),
            ("is_test=perhaps", "is_test"),
            ("endpoint__workspace=1", "endpoint__workspace"),
            ("limit=0", "limit"),
            ("cursor=bz1hYmM=", "cursor"),
            ("delivery_id=%00", "delivery_id"),
        ],
    )
    def test_a_filter_that_cannot_be_used_is_named(self, endpoint, owner, query, parameter):
        response = self.listed(owner, endpoint, query)

        assert response.status_code == 400
        assert [problem["parameter"] for problem in response.json()["problems"]] == [parameter]

    def test_one_is_shown_with_headers_query_and_body(self, endpoint, owner):
        Sender(endpoint).send({"ref": "main"}, delivery="d-1", query="a=1")
        event = WebhookEvent.objects.get()

        shown = owner.get(f"{ROOT}/{endpoint.id}/events/{event.id}").json()

        assert shown["body"] == {"text": '{"ref":"main"}', "base64": None, "size_bytes": 14, "is_truncated": False}
        assert (shown["query"], shown["headers"]["x-hub-signature-256"]) == ({"a": "1"}, "•••")
        assert (shown["verdict"], shown["run"]) == ("accepted", str(Run.objects.get().uid))

    @pytest.mark.parametrize(
        ("raw", "text", "base64"), [(b"\xff\xfe", None, "//4="), ("ä".encode(), "ä", None), (b"", "", None)]
    )
    def test_a_body_that_is_no_text_is_shown_in_base64(self, endpoint, owner, raw, text, base64):
        Sender(endpoint).post(raw, {})
        event = WebhookEvent.objects.get()

        shown = owner.get(f"{ROOT}/{endpoint.id}/events/{event.id}").json()["body"]

        assert (shown["text"], shown["base64"]) == (text, base64)


class TestRotation:
    def test_both_secrets_are_taken_until_the_grace_ends(self, endpoint, owner, monkeypatch):
        old = Sender(endpoint, secret=make.SECRET)
        old.send({})

        answer = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", {"grace_seconds": 60}).json()
        new = Sender(endpoint, secret=answer["secret"])
        during = [sender.send({}).status_code for sender in (old, new)]
        later = clock.now() + timedelta(seconds=61)
        monkeypatch.setattr(clock, "now", lambda: later)
        after = [sender.send({}).status_code for sender in (old, new)]

        assert (during, after) == ([202, 202], [401, 202])
        assert answer["previous_secret_valid_until"] is not None

    def test_without_grace_the_old_secret_ends_at_once(self, endpoint, owner):
        answer = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", {"grace_seconds": 0}).json()

        statuses = [Sender(endpoint, secret=secret).send({}).status_code for secret in (make.SECRET, answer["secret"])]

        assert statuses == [401, 202]

    def test_a_given_secret_is_not_repeated(self, endpoint, owner):
        answer = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", {"secret": "my own secret of thirty letters"})

        assert answer.json()["secret"] is None
        assert "my own secret" not in answer.content.decode()
        assert Sender(endpoint, secret="my own secret of thirty letters").send({}).status_code == 202

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"secret": "short"}, "/secret"),
            ({"grace_seconds": -1}, "/grace_seconds"),
            ({"grace_seconds": 10**9}, "/grace_seconds"),
            ({"secrets": "x"}, "/secrets"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_place(self, endpoint, owner, body, pointer):
        response = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate", body)

        assert (response.status_code, response.json()["problems"][0]["pointer"]) == (400, pointer)

    def test_it_is_audited_without_the_secret(self, endpoint, owner):
        secret = call(owner, "post", f"{ROOT}/{endpoint.id}/rotate").json()["secret"]

        entry = AuditEntry.objects.get(action="webhook.rotate")
        assert entry.target_id == str(endpoint.id)
        assert secret not in str(AuditEntry.objects.values())

    def test_an_unsigned_endpoint_has_nothing_to_rotate(self, endpoint, owner):
        unsigned = make.endpoint(make.workflow(endpoint.workspace), scheme="none")

        response = call(owner, "post", f"{ROOT}/{unsigned.id}/rotate")

        assert (response.status_code, response.json()["code"]) == (409, "webhook_unsigned")


class TestSamples:
    def sampled(self, owner, endpoint, body=None):
        return call(owner, "post", f"{ROOT}/{endpoint.id}/test", body)

    @pytest.mark.parametrize("scheme", ["github", "standard", "none"])
    def test_a_sample_takes_the_way_of_every_delivery(self, endpoint, owner, scheme):
        hook = make.endpoint(make.workflow(endpoint.workspace), scheme=scheme)

        report = self.sampled(owner, hook).json()

        event, run = WebhookEvent.objects.get(), Run.objects.get()
        assert report == {
            "status": 202,
            "outcome": "accepted",
            "run": str(run.uid),
            "event": str(event.id),
            "reason": "",
            "detail": "",
        }
        assert (event.verdict, event.is_test, run.mode) == (EventVerdict.ACCEPTED, True, RunMode.TEST)
        assert run.data.input["trigger"]["is_test"] is True

    def test_a_sample_may_have_a_body_and_an_event(self, endpoint, owner):
        self.sampled(owner, endpoint, {"event": "release", "body": {"action": "created"}})

        event = WebhookEvent.objects.get()
        assert (event.event_type, bytes(event.body)) == ("release", b'{"action":"created"}')

    def test_a_sample_names_an_event_that_the_endpoint_listens_to(self, endpoint, owner):
        hook = make.endpoint(make.workflow(endpoint.workspace), event_types=["release", "push"])

        assert self.sampled(owner, hook).json()["outcome"] == "accepted"
        assert WebhookEvent.objects.get().event_type == "release"

    def test_what_a_sender_would_be_refused_is_reported(self, endpoint, owner):
        type(endpoint.trigger).objects.update(is_active=False)

        report = self.sampled(owner, endpoint).json()

        assert (report["status"], report["outcome"], report["reason"]) == (409, "refused", "webhook_inactive")
        assert report["run"] is None

    def test_only_the_sender_can_sign_with_a_private_key(self, endpoint, owner):
        key = "whpk_ZoX1pFpSt3gayt5lN2IvwrmAV9qt9wVpRs1g8YlmoUc="
        hook = make.endpoint(make.workflow(endpoint.workspace), scheme="standard_ed25519", secret=key)

        response = self.sampled(owner, hook)

        assert (response.status_code, response.json()["code"]) == (409, "sample_not_signable")

    def test_a_request_cannot_call_itself_a_test(self, endpoint):
        Sender(endpoint).send({"is_test": True, "test": True}, headers={"X-Test": "true"}, query="is_test=true")

        assert WebhookEvent.objects.get().is_test is False
