"""Workspaces as commands are told of them."""

from __future__ import annotations

from uuid import UUID

from django.core.management.base import CommandError

from brainops.accounts.models import Workspace


def find_workspace(text: str) -> Workspace:
    """The workspace of a slug or id. Raises CommandError that lists the first ones."""
    try:
        found = Workspace.objects.filter(id=UUID(text)).first()
    except ValueError:
        found = Workspace.objects.filter(slug=text).first()
    if found is None:
        known = ", ".join(Workspace.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none"
        raise CommandError(f"There is no workspace {text!r}. Known: {known}.")
    return found
