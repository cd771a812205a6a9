"""Arriving in the admin: the session begins once every factor was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import login as begin_session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from brainops.accounts.models import User
from brainops.accounts.services import sign_in

AMR = "amr"  # in the session: how its person proved who they are
_PENDING = "sign_in"  # in the session: a login whose second factor is missing


def arrive(request: HttpRequest, user: User, *, amr: Sequence[str], next_path: str) -> HttpResponse:
    """Let somebody in whose first factor was right, or ask for the second."""
    target = safe_path(request, next_path)
    if sign_in.needs_code(user, amr):
        request.session[_PENDING] = {"ticket": sign_in.ticket_for(user, amr=amr), "next": target}
        return HttpResponseRedirect(reverse("admin:login-code"))
    return enter(request, user, amr=amr, target=target)


def enter(request: HttpRequest, user: User, *, amr: Sequence[str], target: str) -> HttpResponse:
    """Begin the session."""
    request.session.pop(_PENDING, None)
    begin_session(request, user)
    request.session[AMR] = list(amr)
    sign_in.record_start(user)
    return HttpResponseRedirect(target)


def pending(request: HttpRequest) -> dict[str, Any] | None:
    """The login of this browser that waits for its second factor."""
    found: dict[str, Any] | None = request.session.get(_PENDING)
    return found


def lacks_factor(request: HttpRequest) -> bool:
    """True when this installation asks staff for a second factor and this session has not shown one."""
    if settings.BRAINOPS_STAFF_MFA != "required":
        return False
    session = getattr(request, "session", None)
    return session is None or sign_in.MFA not in session.get(AMR, [])


def note_factor(request: HttpRequest, method: str) -> None:
    """A second factor was shown within the session."""
    request.session[AMR] = list(dict.fromkeys([*request.session.get(AMR, []), method, sign_in.MFA]))


def safe_path(request: HttpRequest, wanted: str) -> str:
    """Where to go next: an address of ours, else the admin's first page."""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")
