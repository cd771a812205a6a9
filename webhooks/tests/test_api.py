"""The API of endpoints and events, for its owner, a member and a stranger."""

from uuid import uuid4

import pytest

from brainops.accounts.models import Role
from webhooks.models import WebhookEvent
from webhooks.tests import make
from webhooks.tests.make import ROOT, Sender, call

pytestmark = pytest.mark.django_db


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
        "test_url": f"http://testserver{endpoint.test_path}",
        "listens_until": None,
        "is_buffering": False,
        "trigger_id": str(endpoint.trigger_id),
        "workflow_id": str(endpoint.trigger.workflow_id),
        "name": "",
        "is_active": True,
        "scheme": "github",
        "is_signed": True,
        "needs_secret": False,
        "options": {},
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
