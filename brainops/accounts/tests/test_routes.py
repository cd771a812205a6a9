"""Every route of the API asks who is calling, except those on one literal list."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from brainops.accounts.api.permissions import permission_for
from brainops.accounts.policy import Permission
from brainops.core.api.public import ANY_CALLER, PUBLIC_PAGES, PUBLIC_ROUTES, STAFF

UUID = "6f1c0c7e-0000-4000-8000-000000000000"
PUBLIC = {public.route for public in PUBLIC_ROUTES}
PAGES = {page.route for page in PUBLIC_PAGES}
METHODS = ("get", "post", "put", "patch", "delete")


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def api_routes() -> list[tuple[str, Any]]:
    return [(route, view) for route, view in routes() if route.startswith(("api/", "internal/"))]


def address(route: str) -> str:
    parts = [UUID if part.startswith("<uuid:") else "1" if part.startswith("<") else part for part in route.split("/")]
    return "/" + "/".join(parts)


def methods_of(view: Any) -> list[str]:
    actions = getattr(view, "actions", None)
    return [method for method in METHODS if (method in actions if actions else hasattr(view.cls, method))]


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route, _ in api_routes() if route not in PUBLIC])
def test_a_route_that_is_not_on_the_public_list_answers_nobody(route):
    statuses = {Client().generic(method.upper(), address(route)).status_code for method in METHODS}

    assert statuses == {401}


def test_the_public_list_names_only_routes_that_exist_and_gives_reason_and_proof():
    existing = {route for route, _ in api_routes()}

    assert existing >= PUBLIC
    assert all(public.reason and public.proof for public in PUBLIC_ROUTES)
    assert (
        len(PUBLIC) == len(PUBLIC_ROUTES) <= 24
    )  # logins, links of mails, signed deliveries, probes; no more than that


@pytest.mark.parametrize(
    ("route", "method"),
    [(route, method) for route, view in api_routes() if route not in PUBLIC for method in methods_of(view)],
)
def test_every_verb_of_every_route_asks_for_a_permission_that_exists(route, method):
    view = dict(api_routes())[route]
    instance = view.cls(**view.initkwargs)
    instance.action = getattr(view, "actions", {}).get(method)

    asked = permission_for(instance, method)

    assert asked in {ANY_CALLER, STAFF, *Permission}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["delete", "put", "options", "trace"])
def test_a_method_nobody_answers_to_is_405_for_a_known_caller(ada, api, method):
    assert getattr(api(ada), method)("/me").status_code == 405


def pages() -> list[str]:
    return [route for route, _ in routes() if not route.startswith(("api/", "internal/"))]


def page_address(route: str) -> str:
    """An address of a page's route; the admin writes some of them as expressions."""
    plain = route.replace("^", "").replace("$", "").replace("\\", "")
    return address(plain.replace("(?P<url>.*)", "x").replace("(?P<app_label>", "(").replace("(auth|", "auth|"))


@pytest.mark.django_db
def test_a_page_that_is_not_on_the_public_list_leads_nobody_anywhere_but_to_the_login():
    client = Client()
    answers = {route: client.get(page_address(route)) for route in pages() if route not in PAGES}

    places = {route: answer.headers.get("Location", str(answer.status_code)) for route, answer in answers.items()}
    strange = {route: place for route, place in places.items() if not place.startswith("/admin/login/?next=")}
    assert len(places) > 100
    assert strange == {}


def test_the_list_of_public_pages_names_only_pages_that_exist_and_gives_reason_and_proof():
    assert set(pages()) >= PAGES
    assert all(page.reason and page.proof for page in PUBLIC_PAGES)
    assert len(PAGES) == len(PUBLIC_PAGES)


@pytest.mark.parametrize("address", ["/", "/admin"])
def test_what_people_type_leads_to_the_admin(address):
    answer = Client().get(address)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["health", "webhooks", "login", "auth/token", "schema", "admin", ".svg", "configs"])
def test_an_ending_that_looks_public_opens_nothing(name):
    client = Client()

    assert client.get(f"/api/v1/automation/api-keys/{name}").status_code in (401, 404)
    assert client.get(f"/api/v1/automation/me?next=/{name}").status_code == 401
    assert client.get(f"/api/v1/automation/me/{name}").status_code == 404
