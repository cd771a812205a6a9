"""The admin's login: name and password, then the code when a second factor is set up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminTextInputWidget

from brainops.accounts.pages import arrival
from brainops.accounts.pages.frame import page
from brainops.accounts.services import sign_in
from brainops.core.errors import NotAuthenticated, TooManyRequests


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
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            user, amr = sign_in.redeem(waiting["ticket"], form.cleaned_data["code"])
        except TooManyRequests as error:
            form.add_error("code", f"Too many codes. Try again in {error.headers['Retry-After']} seconds.")
        except NotAuthenticated as error:
            form.add_error("code", error.message)
        else:
            return arrival.enter(request, user, amr=amr, target=waiting["next"])
    return page(request, "accounts/code.html", title="Second factor", form=form)
