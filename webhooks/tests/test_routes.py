"""What stands in the OpenAPI document, and that receiving is the only public route of this room."""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator

from brainops.core.api.public import PUBLIC_ROUTES
from webhooks.api.routes import urlpatterns

PREFIX = "/api/v1/automation/webhooks"


@pytest.fixture(scope="module")
def paths():
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]


def test_every_route_is_described(paths):
    routed = {"/api/v1/automation/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)) for pattern in urlpatterns}
    routed = {path for path in routed if not path.endswith("/{path}")}  # the same, under a path of the config's own

    assert routed - set(paths) == set()


def test_routes_take_only_what_they_are_for(paths):
    methods = {"get", "post", "put", "patch", "delete"}
    described = {path: sorted(set(entry) & methods) for path, entry in paths.items() if path.startswith(PREFIX)}

    assert described == {
        **described,
        PREFIX: ["get"],
        f"{PREFIX}/{{webhook_id}}": ["get"],
        f"{PREFIX}/{{webhook_id}}/receive": ["post"],
        f"{PREFIX}/{{webhook_id}}/rotate": ["post"],
        f"{PREFIX}/{{webhook_id}}/test": ["post"],
        f"{PREFIX}/{{webhook_id}}/listen": ["delete", "post"],
        f"{PREFIX}/{{webhook_id}}/test-deliveries": ["get"],
        f"{PREFIX}/{{webhook_id}}/test-deliveries/latest": ["get"],
        f"{PREFIX}/{{webhook_id}}/test-deliveries/{{delivery_id}}": ["get"],
        f"{PREFIX}/{{webhook_id}}/events": ["get"],
        f"{PREFIX}/{{webhook_id}}/events/{{event_id}}": ["get"],
        f"{PREFIX}/test/{{test_id}}": ["post"],
        f"{PREFIX}/status/{{token}}": ["get"],
    }


def test_receiving_is_described_as_public_with_every_answer(paths):
    receiving = paths[f"{PREFIX}/{{webhook_id}}/receive"]["post"]

    assert receiving.get("security", []) in ([], [{}])
    answers = {"200", "202", "400", "401", "404", "409", "413", "415", "500", "503"}
    assert set(receiving["responses"]) >= answers
    assert set(receiving["requestBody"]["content"]) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "text/plain",
        "application/octet-stream",
    }


def test_only_what_senders_call_is_public_here():
    routes = {f"api/v1/automation/{pattern.pattern}" for pattern in urlpatterns}

    assert routes & {public.route for public in PUBLIC_ROUTES} == {
        "api/v1/automation/webhooks/<uuid:webhook_id>/receive",
        "api/v1/automation/webhooks/<uuid:webhook_id>/receive/<path:path>",
        "api/v1/automation/webhooks/test/<uuid:test_id>",
        "api/v1/automation/webhooks/test/<uuid:test_id>/<path:path>",
        "api/v1/automation/webhooks/status/<str:token>",
    }
