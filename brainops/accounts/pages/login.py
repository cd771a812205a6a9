"""The admin's login: name and password, then the code when a second factor is set up."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminTextInputWidget

from brainops.accounts.models import User
from brainops.accounts.pages import arrival
from brainops.accounts.pages.frame import page
from brainops.accounts.services import security_keys, sign_in
from brainops.core.errors import NotAuthenticated, TooManyRequests

_KEY_STATE = "security_key"  # in the session: what a security key was asked


class AdminLogin(LoginView):
    """Django's login view, which stops where a second factor is missing."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Let in, or ask for the code."""
        return arrival.arrive(self.request, form.get_user(), amr=("pwd",), next_path=self.get_success_url())


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        max_length=32,
        label="Code",
        help_text="Six digits of your authenticator app, or one of your recovery codes.",
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": "", "spellcheck": "false"}
        ),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def code_page(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of a login that has begun in this browser."""
    waiting = arrival.pending(request)
    if waiting is None:
        return HttpResponseRedirect(reverse("admin:login"))
    answer = request.POST.get("answer", "")
    form = CodeForm(request.POST if request.method == "POST" and not answer else None)
    if request.method == "POST" and (answer or form.is_valid()):
        try:
            user, amr = _redeem(request, waiting["ticket"], answer, form)
        except TooManyRequests as error:
            messages.error(request, f"Too many attempts. Try again in {error.headers['Retry-After']} seconds.")
        except NotAuthenticated as error:
            messages.error(request, error.message)
        else:
            return arrival.enter(request, user, amr=amr, target=waiting["next"])
    options = _ask_for_key(request, waiting["ticket"])
    return page(request, "accounts/code.html", title="Second factor", form=form, key_options=options)


def _redeem(request: HttpRequest, ticket: str, answer: str, form: CodeForm) -> tuple[User, list[str]]:
    state = request.session.pop(_KEY_STATE, None)  # good for one answer
    if answer:
        return sign_in.redeem_with_key(ticket, state=state or {}, answer=answer)
    return sign_in.redeem(ticket, form.cleaned_data["code"])


def _ask_for_key(request: HttpRequest, ticket: str) -> str:
    """What the browser shall ask a security key, as JSON; "" for somebody without one."""
    try:
        asked = security_keys.begin_using(sign_in.user_of(ticket))
    except NotAuthenticated:
        return ""
    if asked is None:
        return ""
    options, request.session[_KEY_STATE] = asked
    return json.dumps(options)
