"""Who acts when a button of the admin is pressed, and how services' refusals come back to the page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest

from brainops.accounts.caller import Caller
from brainops.accounts.models import Role
from brainops.core.errors import AppError


def caller_of(request: HttpRequest, workspace_id: UUID) -> Caller:
    """The member of staff, acting in the workspace of what the page shows.

    Django's permissions, which the page asks for first, decide what staff may do; the workspace's roles bind members.
    """
    user: Any = request.user
    return Caller(
        user_id=user.pk, label=user.email, via="admin", workspace_id=workspace_id, role=Role.OWNER, is_staff=True
    )


def say_refusal(request: HttpRequest, refusal: AppError) -> None:
    """Show why a service refused; every problem, not just the first."""
    for text in [problem.message for problem in refusal.problems] or [refusal.message]:
        messages.error(request, text)
