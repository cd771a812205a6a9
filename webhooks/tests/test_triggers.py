"""The webhook trigger kind: its config, and the endpoint that comes and goes with the trigger."""

import pytest

from automation.engine.checker import Checker
from automation.models import Trigger
from automation.services import triggers
from brainops.core.errors import InvalidInput
from webhooks.models import WebhookEndpoint, WebhookEvent
from webhooks.signatures import all_schemes
from webhooks.tests import make
from webhooks.tests.make import Sender
from webhooks.triggers.webhook import KIND

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    return make.workspace()


@pytest.fixture
def owner(home):
    return make.caller(make.person(home), home)


@pytest.fixture
def create(home, owner):
    flow = make.workflow(home)

    def create(**config):
        return triggers.create(owner, workflow_id=flow.id, kind="webhook", config=config)

    return create


def problems_of(refusal):
    return {(problem.code, problem.pointer) for problem in refusal.value.problems}


def test_a_webhook_trigger_comes_with_an_endpoint_and_shows_its_secret_once(create):
    saved = create(scheme="github")

    endpoint = WebhookEndpoint.objects.get()
    assert saved.shown_once == {
        "webhook": {
            "id": str(endpoint.id),
            "url": f"http://testserver/api/v1/automation/webhooks/{endpoint.id}/receive",
            "test_url": f"http://testserver/api/v1/automation/webhooks/test/{endpoint.test_id}",
            "scheme": "github",
            "is_signed": True,
            "needs_secret": False,
            "previous_secret_valid_until": None,
            "secret": endpoint.secret,
        }
    }
    assert len(endpoint.secret) == 64
    assert endpoint.workspace_id == saved.trigger.workspace_id


def test_the_secret_stands_nowhere_else(create):
    saved = create(scheme="github", secret="a-secret-that-the-caller-chose")

    described = triggers.described([saved.trigger])
    row = WebhookEndpoint.objects.filter(id=WebhookEndpoint.objects.get().id).values().get()
    assert "secret" not in saved.shown_once["webhook"]
    assert "a-secret-that-the-caller-chose" not in f"{described} {row} {Trigger.objects.values().get()}"
    assert WebhookEndpoint.objects.get().secret == "a-secret-that-the-caller-chose"


def test_the_config_is_stored_with_its_defaults(create):
    saved = create(scheme="standard", event_types=["order.paid"])

    assert saved.trigger.config == {
        "scheme": "standard",
        "answer": "accepted",
        "wait_seconds": 20,
        "tolerance_seconds": 300,
        "event_types": ["order.paid"],
        "max_body_bytes": 1 << 20,
        "methods": ["POST"],
        "path": "",
        "cors_origins": [],
        "allow_ips": [],
        "deny_ips": [],
        "when_paused": "refuse",
        "order_by": "",
    }


@pytest.mark.parametrize("scheme", [key for key, scheme in all_schemes().items() if scheme.new_secret and scheme.sign])
def test_what_was_created_receives_what_its_scheme_signs(create, scheme):
    create(scheme=scheme)

    assert Sender(WebhookEndpoint.objects.get()).send({"type": "x"}).status_code == 202


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, ("required", "/config")),
        ({"scheme": "md5"}, ("invalid_value", "/config/scheme")),
        ({"scheme": "none"}, ("unsigned", "/config/allow_unsigned")),
        ({"scheme": "none", "allow_unsigned": False}, ("unsigned", "/config/allow_unsigned")),
        ({"scheme": "github", "allow_unsigned": True}, ("unsigned", "/config/allow_unsigned")),
        ({"scheme": "none", "allow_unsigned": True, "secret": "x" * 30}, ("invalid_secret", "/config/secret")),
        ({"scheme": "github", "secret": "short"}, ("invalid_secret", "/config/secret")),
        ({"scheme": "standard", "secret": "whsec_" + "!" * 40}, ("invalid_secret", "/config/secret")),
        ({"scheme": "standard_ed25519"}, ("required", "/config/secret")),
        ({"scheme": "github", "max_body_bytes": 1 << 30}, ("too_large", "/config/max_body_bytes")),
        ({"scheme": "github", "tolerance_seconds": 100_000}, ("invalid_value", "/config/tolerance_seconds")),
        ({"scheme": "github", "colour": "red"}, None),
    ],
)
def test_a_config_that_cannot_work_is_refused_and_nothing_stays(create, config, problem):
    with pytest.raises(InvalidInput) as refusal:
        create(**config)

    assert problem is None or problem in problems_of(refusal)
    assert (Trigger.objects.count(), WebhookEndpoint.objects.count()) == (0, 0)


def test_an_unsigned_webhook_is_possible_by_explicit_choice(create):
    saved = create(scheme="none", allow_unsigned=True)

    assert saved.shown_once["webhook"]["is_signed"] is False
    assert WebhookEndpoint.objects.get().secret is None


def test_a_change_keeps_address_and_secret_and_raises_the_revision(create, owner):
    saved = create(scheme="github")
    before = WebhookEndpoint.objects.get()

    changed = triggers.change(owner, saved.trigger.id, {"config": {"answer": "respond", "event_types": ["push"]}})

    after = WebhookEndpoint.objects.get()
    assert (after.id, after.secret, after.revision) == (before.id, before.secret, before.revision + 1)
    assert (after.answer, after.event_types) == ("respond", ["push"])
    assert "secret" not in changed.shown_once["webhook"]


def test_another_scheme_gets_another_secret(create, owner):
    saved = create(scheme="github")

    changed = triggers.change(owner, saved.trigger.id, {"config": {"scheme": "standard"}})

    assert changed.shown_once["webhook"]["secret"].startswith("whsec_")
    assert WebhookEndpoint.objects.get().previous_secret is None


def test_switching_the_trigger_off_and_on_counts_at_once(create, owner):
    saved = create(scheme="github")
    sender = Sender(WebhookEndpoint.objects.get())

    statuses = [sender.send({}).status_code]
    for is_active in (False, True):
        triggers.change(owner, saved.trigger.id, {"is_active": is_active})
        statuses.append(sender.send({}).status_code)

    assert statuses == [202, 409, 202]


def test_deleting_the_trigger_takes_endpoint_and_events_with_it(create, owner):
    saved = create(scheme="github")
    Sender(WebhookEndpoint.objects.get()).send({})

    triggers.delete(owner, saved.trigger.id)

    assert (WebhookEndpoint.objects.count(), WebhookEvent.objects.count()) == (0, 0)


def test_many_triggers_are_described_with_one_query(create, django_assert_num_queries):
    saved = [create(scheme="github").trigger for _ in range(3)]

    with django_assert_num_queries(1):
        described = KIND.describe(saved)

    assert set(described) == {trigger.id for trigger in saved}


@pytest.mark.parametrize("config", KIND.examples, ids=str)
def test_the_examples_of_the_kind_are_valid(config):
    assert Checker(KIND.config_schema).is_valid(config)
    assert list(KIND.check(config)) == []
