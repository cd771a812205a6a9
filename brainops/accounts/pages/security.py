"""The page where a member of staff sets up, renews and removes their second factor."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from brainops.accounts.models import User
from brainops.accounts.pages import arrival
from brainops.accounts.pages.frame import page
from brainops.accounts.services import login, second_factors, security_keys
from brainops.accounts.services.factor_secrets import MfaAdapter
from brainops.accounts.services.second_factors import Enrolment
from brainops.core.errors import AppError, TooManyRequests

_KEY_STATE = "new_security_key"  # in the session: what the new key was asked
Values = dict[str, Any]


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def security_page(request: HttpRequest) -> HttpResponse:
    """Show what is set up, or do what a button says. Also for staff who must set it up before they see anything."""
    if not (request.user.is_authenticated and request.user.is_active and request.user.is_staff):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    user = request.user
    values: Values = {}
    if request.method == "POST":
        act = _ACTIONS.get(request.POST.get("action", ""))
        try:
            values = act(request, user) if act else {}
        except TooManyRequests as error:
            values = {**_shown_again(request, user), "error": f"Try again in {error.headers['Retry-After']} seconds."}
        except AppError as error:
            values = {**_shown_again(request, user), "error": error.message}
    return page(
        request,
        "accounts/security.html",
        title="Sign-in security",
        factors=second_factors.factors_of(user),
        must_set_up=arrival.lacks_factor(request),
        has_password=user.has_usable_password(),
        keys=security_keys.names_of(user),
        keys_possible=security_keys.is_possible(),
        **values,
    )


def _begin(request: HttpRequest, user: User) -> Values:
    login.require_presence(user, request.POST.get("password", ""), request.session.get(arrival.AMR, []))
    return _enrolment(second_factors.begin(user))


def _ask_for_key(request: HttpRequest, user: User) -> Values:
    login.require_presence(user, request.POST.get("password", ""), request.session.get(arrival.AMR, []))
    options, request.session[_KEY_STATE] = security_keys.begin_adding(user)
    return {"key_options": json.dumps(options)}


def _add_key(request: HttpRequest, user: User) -> Values:
    state = request.session.pop(_KEY_STATE, None) or {}  # good for one answer
    codes = security_keys.add(
        user, state=state, answer=request.POST.get("answer", ""), name=request.POST.get("name", "")
    )
    arrival.note_factor(request, "hwk")
    return {"codes": codes} if codes else {"done": "The security key is added."}


def _confirm(request: HttpRequest, user: User) -> Values:
    codes = second_factors.confirm(user, ticket=request.POST.get("ticket", ""), code=request.POST.get("code", ""))
    arrival.note_factor(request, "otp")
    return {"codes": codes} if codes else {"done": "The authenticator app is set up."}


def _renew(request: HttpRequest, user: User) -> Values:
    return {"codes": second_factors.renew_codes(user, request.POST.get("code", ""))}


def _remove(request: HttpRequest, user: User) -> Values:
    second_factors.turn_off(user, request.POST.get("code", ""))
    return {"done": "The second factor is removed."}


_ACTIONS: dict[str, Callable[[HttpRequest, User], Values]] = {
    "begin": _begin,
    "confirm": _confirm,
    "ask_for_key": _ask_for_key,
    "add_key": _add_key,
    "renew": _renew,
    "remove": _remove,
}


def _shown_again(request: HttpRequest, user: User) -> Values:
    """The enrolment whose code was wrong, so that nobody has to scan anew."""
    enrolment = second_factors.pending(user, request.POST.get("ticket", ""))
    return _enrolment(enrolment) if enrolment else {}


def _enrolment(enrolment: Enrolment) -> Values:
    picture = base64.b64encode(MfaAdapter().build_totp_svg(enrolment.url).encode()).decode()
    return {"enrolment": enrolment, "picture": f"data:image/svg+xml;base64,{picture}"}
