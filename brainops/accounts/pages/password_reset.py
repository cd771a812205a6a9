"""A forgotten password in the browser: ask for a link, then choose a new one."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from brainops.accounts.pages.frame import notice, page
from brainops.accounts.services import passwords, reset_mails
from brainops.core.errors import AppError, InvalidInput, NotFound

_ASKED = "If this address belongs to somebody here, a link to a new password is on its way. It works for an hour."


class AddressForm(forms.Form):
    """Whose password was forgotten."""

    email = forms.EmailField(
        max_length=254,
        label="E-mail address",
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "username", "autofocus": ""}),
    )


class NewPasswordForm(forms.Form):
    """The new password, twice."""

    password = forms.CharField(
        max_length=4096,
        strip=False,
        label="New password",
        help_text="At least 12 characters; a sentence nobody says is good.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "autofocus": ""}),
    )
    again = forms.CharField(
        max_length=4096,
        strip=False,
        label="Once more",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        """The same as the first one."""
        if self.cleaned_data["again"] != self.cleaned_data.get("password"):
            raise forms.ValidationError("The two do not match.")
        return str(self.cleaned_data["again"])


@never_cache
@require_http_methods(["GET", "POST"])
def ask_page(request: HttpRequest) -> HttpResponse:
    """Take an address. What is said afterwards is the same for every address."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reset_mails.request(form.cleaned_data["email"])
        except AppError as error:
            form.add_error(None, error.message)
        else:
            return notice(request, title="Look into your mail", text=_ASKED)
    return page(request, "accounts/form.html", title="Forgotten password", form=form, button="Send me a link")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def choose_page(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a new password by the link of a mail. Looking at it does not use it up."""
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    try:
        if request.method == "POST" and form.is_valid():
            passwords.reset(token, form.cleaned_data["password"])
            return notice(request, title="It is changed", text="Log in with your new password. All other logins ended.")
        passwords.check_link(token)
    except NotFound as error:
        return notice(request, title="This link is over", text=error.message, status=404)
    except InvalidInput as error:
        for problem in error.problems:
            form.add_error("password", problem.message)
    except AppError as error:
        form.add_error(None, error.message)
    answer = page(request, "accounts/form.html", title="New password", form=form, button="Set the password")
    answer["Referrer-Policy"] = "no-referrer"  # the address is the proof
    return answer
