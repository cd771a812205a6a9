"""What stands in the OpenAPI document, and that receiving is the only public route of this room."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from brainops.core.api.public import PUBLIC_ROUTES
from webhooks.api.routes import urlpatterns

PREFIX = "/api/v1/automation/webhooks"


@pytest.fixture(scope="module")
def paths():
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]


def test_every_route_is_described(paths):
    described = {path: sorted(set(entry) & {"get", "post"}) for path, entry in paths.items() if path.startswith(PREFIX)}

    assert described == {
        PREFIX: ["get"],
        f"{PREFIX}/{{webhook_id}}": ["get"],
        f"{PREFIX}/{{webhook_id}}/receive": ["post"],
        f"{PREFIX}/{{webhook_id}}/rotate": ["post"],
        f"{PREFIX}/{{webhook_id}}/test": ["post"],
        f"{PREFIX}/{{webhook_id}}/events": ["get"],
        f"{PREFIX}/{{webhook_id}}/events/{{event_id}}": ["get"],
    }


def test_receiving_is_described_as_public_with_every_answer(paths):
    receiving = paths[f"{PREFIX}/{{webhook_id}}/receive"]["post"]

    assert receiving.get("security", []) in ([], [{}])
    answers = {"200", "202", "400", "401", "404", "409", "413", "415", "500", "503"}
    assert set(receiving["responses"]) >= answers
    assert set(receiving["requestBody"]["content"]) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
    }


def test_receiving_is_the_only_public_route_here():
    routes = {f"api/v1/automation/{pattern.pattern}" for pattern in urlpatterns}

    assert routes & {public.route for public in PUBLIC_ROUTES} == {
        "api/v1/automation/webhooks/<uuid:webhook_id>/receive"
    }
