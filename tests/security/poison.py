"""Rows whose every text tries to become a page's code, and a secret that no page may show."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import DatabaseError, models, transaction
from django.urls import URLPattern, URLResolver, get_resolver

from automation.models import Event, Limit, RunData, RunLog, Secret, Trigger, Worker
from automation.tests.triggers.rows import make_schedule
from brainops.accounts.models import Identity
from brainops.core import clock
from brainops.core.fields import EncryptedTextField, JsonField
from tests.security.things import MAKERS, Things

ROOMS = ("accounts", "audit", "automation", "webhooks")
# A mark that is text when it is escaped, and code in each of the ways pages go wrong: a tag, an attribute, a script's end.
MARK = "poison"
TEXT = f"""</script><img src=x onerror=alert('{MARK}')>" onmouseover="{MARK}" '{{{{7*7}}}}"""
SHORT = "<b onx=1>"
LINK = f"javascript:alert('{MARK}')"
CANARY = "canary-4f9d1c7a-never-to-be-shown"
# What other rows or the code find things by: nobody outside says it.
KEPT = {
    *(
        "username",
        "username_key",
        "email",
        "slug",
        "password",
        "checksum",
        "sha256",
        "codec",
        "kind",
        "path",
        "timezone",
    ),
    *("scheme", "channel", "event", "effect", "input_ref", "output_ref", "limit_key", "called_by_path"),
}
CONTENT = {"event": "first_failure", "count": 1, "workflow": {"name": TEXT}, "rule": {"name": TEXT}, "run": None}


def rows_of_everything(things: Things) -> None:
    """One of everything that an address of the API can name, and of what has pages beside them."""
    for place in MAKERS:
        things.named_by(place)
    home, now = things.home, clock.now()
    Secret.objects.create(workspace=home, name="canary", value=CANARY)
    Event.objects.create(workspace=home, name="paid", run=things.run)
    Limit.objects.create(key="w:1", workflow=things.workflow, capacity=1)
    Worker.objects.create(name="host/0", host="host", pid=7, slots=32)
    Identity.objects.create(user=things.person, provider="acme", subject="1")
    RunLog.objects.create(run=things.run, seq=1, at=now, level="info", message="m")
    make_schedule(things.workflow)
    assert RunData.objects.filter(run=things.run).exists()
    assert Trigger.objects.filter(workflow=things.workflow).exists()


def poison() -> int:
    """Make every text and every JSON of every row ours the poison; tells how many columns took it."""
    taken = 0
    for model in apps.get_models():
        if model._meta.app_label not in ROOMS or not model.objects.exists():
            continue
        for field in model._meta.concrete_fields:
            value = _poison_of(field)
            if value is not None:
                taken += _put(model, field.name, value)
    return taken


def _poison_of(field: models.Field[Any, Any]) -> Any:
    if field.primary_key or field.name in KEPT or field.choices or isinstance(field, EncryptedTextField):
        return None
    if isinstance(field, JsonField):
        return {"fields": {TEXT: [TEXT, {"url": LINK}]}, "content": CONTENT}.get(field.name)
    if isinstance(field, models.CharField | models.TextField):
        return (LINK if "url" in field.name else TEXT if (field.max_length or 999) > 100 else SHORT)[: field.max_length]
    return None


def _put(model: type[models.Model], name: str, value: Any) -> int:
    # constraints of the database are another test's: what they refuse cannot stand there
    try:
        with transaction.atomic():
            return int(model.objects.update(**{name: value}) > 0)
    except DatabaseError:
        return 0


def admin_pages() -> list[str]:
    """The routes of the admin's own pages, as `app/model/…`."""
    labels = {(model._meta.app_label, model._meta.model_name) for model in admin.site._registry}
    found = [route for route in _routes() if tuple(route.split("/")[:2]) in labels]
    return sorted(found)


def _routes(patterns: Any = None, prefix: str = "") -> list[str]:
    found: list[str] = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += _routes(pattern.url_patterns, text)
        elif isinstance(pattern, URLPattern) and text.startswith("admin/"):
            found.append(text.removeprefix("admin/"))
    return found
