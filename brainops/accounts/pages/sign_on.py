"""Single sign-on in the browser: the way to the provider, and back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from brainops.accounts.pages import arrival
from brainops.accounts.pages.frame import notice, page
from brainops.accounts.services import sign_on
from brainops.core.errors import AppError, NotAuthenticated

_KEY = "sign_on"  # in the session: the ticket of the visit this browser has begun
_LONGEST = 4096  # characters of a code


@never_cache
@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the browser to the provider. A visit changes nothing, so a link may begin it."""
    try:
        provider = sign_on.provider_named(provider_id)
        visit = sign_on.start(provider, door="admin", next_path=request.GET.get("next", ""))
    except AppError as error:
        return _back(request, error.message)
    request.session[_KEY] = visit.ticket
    return HttpResponseRedirect(visit.url)


@never_cache
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer: let staff in, or show the code to whoever signs in a program."""
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    try:
        visit = sign_on.find(state)
        if visit is None:
            return _back(request, "This sign-on is over. Begin anew.")
        if not code or len(code) > _LONGEST:
            return _back(request, "The identity provider did not sign you in.")
        if visit.data["door"] == "api":
            return _shown(request, state, code)
        user, amr = sign_on.complete(
            door="admin",
            ticket=request.session.pop(_KEY, ""),
            state=state,
            code=code,
            issuer=request.GET.get("iss"),
        )
        if not user.is_staff:
            raise NotAuthenticated("Your account may not open the admin. It can sign in to the API.")
    except AppError as error:
        return _back(request, error.message)
    return arrival.arrive(request, user, amr=amr, next_path=visit.data["next"])


def _shown(request: HttpRequest, state: str, code: str) -> HttpResponse:
    """Hand the answer to the person, not to the program: whoever talked them into this visit does not get it."""
    answer = page(
        request, "accounts/answer.html", title="Almost there", state=state, code=code, issuer=request.GET.get("iss")
    )
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _back(request: HttpRequest, message: str) -> HttpResponse:
    if request.user.is_authenticated:
        return notice(request, title="Not signed in", text=message, status=400)
    messages.error(request, message)
    return HttpResponseRedirect(reverse("admin:login"))
