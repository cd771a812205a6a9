"""Which methods and paths an endpoint takes, and what a run sees of them."""

import pytest

from automation.models import Run, RunData
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.services.fronts import front_of
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

PATH = "orders/{id}/items/{item}"


def open_to(*methods, **config):
    return make.endpoint(scheme="none", config={"methods": list(methods) or ["POST"], **config})


def plain(response):
    """The bytes of an answer without the id of its request."""
    return response.content.replace(response.headers["X-Request-Id"].encode(), b"")


def seen():
    return RunData.objects.get().input["trigger"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "POST"])
def test_a_method_that_was_chosen_starts_a_run(method):
    response = Sender(open_to(method)).post(b"", {}, method=method, query="a=1")

    assert response.status_code == 202
    assert (seen()["method"], seen()["query"], seen()["body"]) == (method, {"a": "1"}, None)
    assert WebhookEvent.objects.get().method == method


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_another_method_is_refused_stored_and_told_what_is_taken(method):
    response = Sender(open_to("POST", "PUT")).post(b"", {}, method=method)

    event = WebhookEvent.objects.get()
    assert (response.status_code, response.headers["Allow"]) == (405, "POST, PUT")
    assert (event.verdict, event.reason, event.method) == (EventVerdict.REJECTED, "method_not_allowed", method)
    assert Run.objects.count() == 0


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_header_does_not_change_the_method(name):
    sender = Sender(open_to("PUT"))

    response = sender.post(b"", {name: "PUT"}, query="_method=PUT")

    assert (response.status_code, Run.objects.count()) == (405, 0)


def test_a_signature_is_asked_for_whatever_the_method_is():
    endpoint = make.endpoint(config={"methods": ["GET", "POST"]})

    forged = Sender(endpoint).post(b"", {}, method="GET")
    signed = Sender(endpoint).post(b"", Sender(endpoint).signature(b"", "d-1"), method="GET")

    assert (forged.status_code, signed.status_code) == (401, 202)


def test_the_path_becomes_data():
    response = Sender(open_to(path=PATH)).post(b'{"a": 1}', {}, behind="/orders/A-7/items/%C3%BC%201")

    event = WebhookEvent.objects.get()
    assert (response.status_code, seen()["path"]) == (202, {"id": "A-7", "item": "ü 1"})
    assert event.path == "orders/A-7/items/ü 1"


@pytest.mark.parametrize(
    "behind",
    [
        "",
        "/orders",
        "/orders/1/items",
        "/orders/1/items/2/3",
        "/Orders/1/items/2",
        "/orders//items/2",
        "/orders/../items/2",
        "/orders/./items/2",
        "/orders/%2e%2e/items/2",
        "/orders/1%2f2/items/3",
        "/orders/1%00/items/2",
        "/orders/%ff%fe/items/2",
        "/orders/%ed%a0%80/items/2",
        "/orders/" + "9" * 201 + "/items/2",
        "//orders/1/items/2",
    ],
)
def test_a_path_that_was_not_declared_is_no_address_and_the_log_says_why(behind):
    endpoint = open_to(path=PATH)

    response = Sender(endpoint).post(b"{}", {}, behind=behind)
    unknown = Sender(endpoint).client.post(endpoint.path.replace(str(endpoint.id)[:8], "00000000"))

    event = WebhookEvent.objects.get()
    assert (response.status_code, event.reason, event.status) == (404, "path_unmatched", 404)
    assert plain(response) == plain(unknown)
    assert Run.objects.count() == 0


def test_without_a_declared_path_nothing_may_stand_behind_the_address():
    endpoint = open_to()

    statuses = [Sender(endpoint).post(b"{}", {}, behind=behind).status_code for behind in ("", "/", "/x", "/%2e")]

    assert statuses == [202, 202, 404, 404]


def test_a_line_break_in_a_path_is_no_address():
    response = Sender(open_to(path=PATH)).post(b"{}", {}, behind="/orders/1%0d%0aX-A:b/items/2")

    assert (response.status_code, Run.objects.count()) == (404, 0)


def test_what_is_encoded_twice_is_decoded_once():
    Sender(open_to(path="{name}")).post(b"{}", {}, behind="/a%252fb")

    assert seen()["path"] == {"name": "a%2fb"}


def test_the_slash_that_is_part_of_a_value_cannot_make_another_parameter():
    front = front_of({"path": "{a}/{b}"})

    assert front.path_of("1/2") == {"a": "1", "b": "2"}
    assert front.path_of("1/2/3") is None


class TestInputs:
    SCHEMA = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "deep": {"type": "boolean"}, "name": {"type": "string"}},
        "required": ["id"],
    }

    def hook(self, **config):
        flow = make.workflow(definition={**make.DEFINITION, "inputs": self.SCHEMA})
        return make.endpoint(flow, scheme="none", config=config)

    def test_a_query_is_read_as_the_inputs_that_are_declared(self):
        Sender(self.hook(methods=["GET"])).post(b"", {}, method="GET", query="id=7&deep=true&name=x&token=abc")

        assert RunData.objects.get().input["inputs"] == {"id": 7, "deep": True, "name": "x", "token": "•••"}

    def test_what_is_no_number_is_refused_with_its_place(self):
        response = Sender(self.hook(methods=["GET"])).post(b"", {}, method="GET", query="id=seven")

        assert (response.status_code, response.json()["problems"][0]["pointer"]) == (400, "/id")

    def test_the_path_wins_over_the_body_and_the_query_stays_out_of_it(self):
        Sender(self.hook(path="{id}")).post(b'{"id": 1, "name": "b"}', {}, behind="/7", query="name=q")

        assert RunData.objects.get().input["inputs"] == {"id": 7, "name": "b"}


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"},
        {"User-Agent": "Mozilla/5.0", "Sec-Purpose": "prefetch;prerender"},
        {"User-Agent": "Mozilla/5.0", "Purpose": "prefetch"},
    ],
    ids=lambda headers: headers["User-Agent"][:12] + str(len(headers)),
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_preview_starts_nothing(method, headers):
    response = Sender(open_to("GET", "HEAD")).post(b"", headers, method=method)

    assert (response.status_code, WebhookEvent.objects.get().reason) == (200, "link_preview")
    assert Run.objects.count() == 0


def test_a_service_that_posts_is_no_link_preview():
    response = Sender(open_to("POST")).post(b"{}", {"User-Agent": "Slackbot 1.0"})

    assert (response.status_code, Run.objects.count()) == (202, 1)
