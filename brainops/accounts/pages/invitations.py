"""The page of an invitation: looking at it does nothing, its form accepts or declines."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from brainops.accounts.models import Invitation, Role, User
from brainops.accounts.pages.frame import page
from brainops.accounts.services import joining, login
from brainops.core.errors import AppError, InvalidInput


class NewcomerForm(forms.Form):
    """What somebody without an account says of themselves."""

    username = forms.CharField(max_length=150, label="User name", widget=UnfoldAdminTextInputWidget)
    name = forms.CharField(max_length=150, required=False, label="Name", widget=UnfoldAdminTextInputWidget)
    password = forms.CharField(
        max_length=login.LONGEST_PASSWORD,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        max_length=login.LONGEST_PASSWORD,
        strip=False,
        label="Password again",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """The values; both passwords have to be the same."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("password") != values.get("again"):
            self.add_error("again", "The two passwords differ.")
        return values


class PasswordForm(forms.Form):
    """The proof of who has an account and is not logged in here."""

    password = forms.CharField(
        max_length=login.LONGEST_PASSWORD,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "again")
@sensitive_variables()
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation, or answer it. Whatever is wrong with the link looks the same."""
    try:
        row = joining.look(token)
    except AppError as refusal:
        return _page(request, {"refusal": refusal.message}, status=refusal.status)
    account = joining.account_of(row)
    form = _form(request, row, account)
    if request.method != "POST":
        return _page(request, {"row": row, "form": form, "account": account})
    if request.POST.get("answer") == "decline":
        return _done(request, row, lambda: joining.decline(token), {"is_declined": True})
    if form is not None and not form.is_valid():
        return _page(request, {"row": row, "form": form, "account": account}, status=400)
    return _accept(request, row, token, account, form)


def _accept(
    request: HttpRequest, row: Invitation, token: str, account: User | None, form: forms.Form | None
) -> HttpResponse:
    def deed() -> None:
        values = form.cleaned_data if form else {}
        if account is None:
            newcomer = joining.Newcomer(values["password"], values["username"], values["name"])
            joining.accept(token, newcomer=newcomer)
            return
        if form is not None:
            login.require_own_password(account, values["password"])
        joining.accept(token, person_id=account.id)

    return _done(request, row, deed, {}, form=form, account=account)


def _done(request: HttpRequest, row: Invitation, deed: Any, told: dict[str, Any], **asked: Any) -> HttpResponse:
    try:
        deed()
    except InvalidInput as refusal:
        _mark(asked.get("form"), refusal)
        return _page(request, {"row": row, **asked}, status=refusal.status)
    except AppError as refusal:
        return _page(request, {"refusal": refusal.message}, status=refusal.status)
    return _page(request, {"row": row, "is_done": True, **told})


def _mark(form: forms.Form | None, refusal: InvalidInput) -> None:
    """Put each problem at its field."""
    if form is None:
        return
    for problem in refusal.problems:
        field = problem.pointer.removeprefix("/")
        form.add_error(field if field in form.fields else None, problem.message)


def _form(request: HttpRequest, row: Invitation, account: User | None) -> forms.Form | None:
    """What has to be filled in; nothing by who is logged in here as the invited person."""
    data = request.POST if request.method == "POST" else None
    if account is None:
        return NewcomerForm(data, initial={"username": row.email.partition("@")[0]})
    return None if request.user.pk == account.pk else PasswordForm(data)


def _page(request: HttpRequest, told: dict[str, Any], *, status: int = 200) -> HttpResponse:
    row: Invitation | None = told.get("row")
    role = Role(row.role).label if row else ""
    return page(request, "accounts/invitation.html", title="Invitation", status=status, role=role, **told)
