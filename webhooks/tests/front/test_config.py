"""What a webhook trigger's config may say of requests and answers."""

import pytest

from automation.services import triggers
from brainops.core.errors import InvalidInput
from webhooks.models import WebhookEndpoint
from webhooks.tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def create():
    home = make.workspace()
    owner, flow = make.caller(make.person(home), home), make.workflow(home)
    return lambda **config: triggers.create(
        owner, workflow_id=flow.id, kind="webhook", config={"scheme": "github", **config}
    )


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"methods": []}, "/config/methods"),
        ({"methods": ["TRACE"]}, "/config/methods/0"),
        ({"methods": ["GET", "GET"]}, "/config/methods"),
        ({"path": "/orders"}, "/config/path"),
        ({"path": "orders/"}, "/config/path"),
        ({"path": "orders/../x"}, "/config/path"),
        ({"path": "orders/{id"}, "/config/path"),
        ({"path": "orders/{id}/{id}"}, "/config/path"),
        ({"path": "a/" * 10 + "a"}, "/config/path"),
        ({"path": "a b"}, "/config/path"),
        ({"cors_origins": ["shop.example"]}, "/config/cors_origins/0"),
        ({"cors_origins": ["https://shop.example/"]}, "/config/cors_origins/0"),
        ({"cors_origins": ["null"]}, "/config/cors_origins/0"),
        ({"allow_ips": ["203.0.113.1/24"]}, "/config/allow_ips/0"),
        ({"deny_ips": ["203.0.113.0/24", "all"]}, "/config/deny_ips/1"),
        ({"rate_per_minute": 0}, "/config/rate_per_minute"),
        ({"when_paused": "later"}, "/config/when_paused"),
        ({"order_by": "orders"}, "/config/order_by"),
        ({"order_by": "{{ steps.a.output }}"}, "/config/order_by"),
        ({"order_by": "{{ trigger.body. }}"}, "/config/order_by"),
        ({"answer": "redirect"}, "/config/redirect"),
        ({"answer": "redirect", "redirect": {"url": "javascript:alert(1)"}}, "/config/redirect/url"),
        ({"answer": "redirect", "redirect": {"url": "//evil.example"}}, "/config/redirect/url"),
        ({"answer": "redirect", "redirect": {"url": "https://a@evil.example"}}, "/config/redirect/url"),
        ({"answer": "redirect", "redirect": {"url": "https://a.example/\r\nX: y"}}, "/config/redirect/url"),
        ({"answer": "redirect", "redirect": {"url": "https://a.example", "status": 301}}, "/config/redirect/status"),
        ({"redirect": {"url": "https://a.example"}}, "/config/redirect"),
        ({"answer": "respond", "reply": {"body": "x"}}, "/config/reply"),
        ({"reply": {"status": 302}}, "/config/reply/status"),
        ({"reply": {"content_type": "text/html", "body": "x"}}, "/config/reply/content_type"),
        ({"reply": {"headers": {"Set-Cookie": "a=b"}}}, "/config/reply/headers/Set-Cookie"),
        ({"reply": {"headers": {"X-A": "b\r\nX-C: d"}}}, "/config/reply/headers/X-A"),
        ({"reply": {"content_type": "application/xml", "body": {"a": 1}}}, "/config/reply/body"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_work_is_refused_at_its_place(create, config, pointer):
    with pytest.raises(InvalidInput) as refusal:
        create(**config)

    assert pointer in {problem.pointer for problem in refusal.value.problems}
    assert WebhookEndpoint.objects.count() == 0


def test_an_order_is_refused_beside_a_limit_of_the_workflow():
    home = make.workspace()
    flow = make.workflow(home, {**make.DEFINITION, "settings": {"concurrency": {"limit": 2}}})
    owner = make.caller(make.person(home), home)

    with pytest.raises(InvalidInput) as refusal:
        triggers.create(
            owner,
            workflow_id=flow.id,
            kind="webhook",
            config={"scheme": "github", "order_by": "{{ trigger.body.id }}"},
        )

    assert [problem.code for problem in refusal.value.problems] == ["order_conflict"]


def test_a_changed_rule_counts_from_the_next_delivery_on(create):
    saved = create()
    endpoint = WebhookEndpoint.objects.get()
    sender = make.Sender(endpoint)
    user = make.person(endpoint.workspace)
    first = sender.post(b"", sender.signature(b"", "d-1"), method="PUT").status_code

    triggers.change(make.caller(user, endpoint.workspace), saved.trigger.id, {"config": {"methods": ["PUT"]}})
    second = sender.post(b"", sender.signature(b"", "d-2"), method="PUT").status_code

    assert (first, second) == (405, 202)
