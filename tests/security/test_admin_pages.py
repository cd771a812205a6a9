"""Every page of the admin, made from its addresses: poisoned texts stay texts, secrets stay away, rights are asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from brainops.accounts.models import User
from tests.security.poison import CANARY, MARK, admin_pages, poison, rows_of_everything
from tests.security.test_naughty_strings import Living
from tests.security.things import Things

MODELS = list(admin.site._registry)
PARAMETER = re.compile(r"<\w+:(\w+)>")
PAGES = admin_pages()
# What stands in an address beside the row's own id.
OTHERS = {"verb": "approve", "part": "output", "path": "loop", "origin": "failed"}


@pytest.fixture
def staff(things: Things) -> Client:
    rows_of_everything(things)
    person = User.objects.create_superuser("root@example.com")
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def address(route: str) -> str:
    """The page of the newest row, or of its list."""
    app, name = route.split("/")[:2]
    row: Any = apps.get_model(app, name).objects.order_by("-pk").first()

    def said(found: re.Match[str]) -> str:
        own = getattr(row, "uid", None) if found[1] == "uid" else getattr(row, "pk", "0")
        return OTHERS.get(found[1], str(own))

    return "/admin/" + PARAMETER.sub(said, route)


def test_no_page_lets_a_poisoned_text_live_or_shows_a_secret(staff: Client):
    columns = poison()

    answers = {route: staff.get(address(route), follow=True) for route in PAGES}

    texts = {route: b"".join(answer).decode(errors="replace") for route, answer in answers.items()}
    pages = {route: texts[route] for route in PAGES if "text/html" in answers[route].headers.get("Content-Type", "")}
    assert columns > 40
    assert {route: answer.status_code for route, answer in answers.items() if answer.status_code >= 500} == {}
    assert {route: living for route, page in pages.items() if (living := Living(page).found)} == {}
    assert [route for route, text in texts.items() if CANARY in text] == []
    assert sum(MARK in page for page in pages.values()) > 20  # the poison did reach the pages


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_staff_without_the_right_to_look_see_no_page(model: Any, db: None):
    client = Client()
    client.force_login(User.objects.create_user("limited@example.com", is_staff=True))
    app, name = model._meta.app_label, model._meta.model_name
    places = [reverse(f"admin:{app}_{name}_{page}") for page in ("changelist", "add")]

    assert [client.get(place).status_code for place in places] == [403, 403]
    assert client.post(places[0], {"action": "delete_selected", "_selected_action": "1"}).status_code == 403
