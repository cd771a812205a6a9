"""Checks of what is stored (`manage.py check --database default`, before each migration) and of how one deploys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from brainops.core import changes, file_roots, rotation


@register(Tags.database)
def check_stored_keys(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse a key ring that lacks a key stored secrets need: better now than at the first step that sends one."""
    if not databases:
        return []
    found: list[CheckMessage] = []
    for place in rotation.places():
        try:
            counts = place.key_counts()
        except DatabaseError:  # its table comes with the migration that is about to run
            continue
        lost = {key: count for key, count in counts.items() if key not in settings.BRAINOPS_ENCRYPTION_KEYS}
        found += [
            Error(
                f"{place.name}: {count} secrets are encrypted with the key {key[:40]!r}, which is not there.",
                hint="Put the key back into BRAINOPS_ENCRYPTION_KEYS, or delete these secrets and enter them again.",
                id="core.E001",
            )
            for key, count in sorted(lost.items())
        ]
    return found


@register(Tags.models)
def check_watched_models(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Refuse names in BRAINOPS_WATCHED_MODELS that are no models, or models of BrainOps itself."""
    hint = "Name models of your own apps, such as shop.Order."
    said = "BRAINOPS_WATCHED_MODELS: %s is %s."
    found: list[CheckMessage] = []
    for label in settings.BRAINOPS_WATCHED_MODELS:
        if label not in changes.watchable():
            what = "a model of BrainOps, which tells of itself by events" if changes.is_own(label) else "no model here"
            found.append(Error(said % (repr(label[:80]), what), hint=hint, id="core.E002"))
    return found


@register(Tags.files)
def check_file_roots(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Refuse entries of BRAINOPS_FILE_ROOTS that open nothing."""
    try:
        file_roots.parse_roots(settings.BRAINOPS_FILE_ROOTS)
    except ValueError as error:
        return [Error(str(error), id="core.E003")]
    return []


@register(Tags.security, deploy=True)
def check_hosts(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Warn when any Host header is believed: links that are made from a request would lead wherever a caller says."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "Name the hosts in BRAINOPS_ALLOWED_HOSTS; the one of BRAINOPS_PUBLIC_URL is among them by itself."
    return [Warning("BRAINOPS_ALLOWED_HOSTS holds '*': any Host header is believed.", hint=hint, id="core.W001")]
