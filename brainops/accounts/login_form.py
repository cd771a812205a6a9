"""The admin's login form. Apart from the admin pages: the site needs it while it is being made."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from brainops.accounts.services import login
from brainops.core.errors import AppError, NotAuthenticated, TooManyRequests, Unavailable


class LoginForm(AuthenticationForm):
    """Name and password, checked by the same service as the API's logins: the same limits, the same audit entries."""

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """The form's values, with the user found. Raises ValidationError."""
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            try:
                self.user_cache = login.check_password(name, password)
            except TooManyRequests as error:
                seconds = error.headers["Retry-After"]
                raise ValidationError(f"Too many attempts. Try again in {seconds} seconds.", code="limited") from error
            except Unavailable as error:
                raise ValidationError(error.message, code="busy") from error
            except NotAuthenticated as error:
                raise self.get_invalid_login_error() from error
            self.confirm_login_allowed(self.user_cache)
        values: dict[str, Any] = self.cleaned_data
        return values


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A new password for oneself; the old one is asked for under the limits of logins."""

    @sensitive_variables()
    def clean_old_password(self) -> str:
        """The old password. Raises ValidationError."""
        given = str(self.cleaned_data["old_password"])
        try:
            login.require_own_password(self.user, given)
        except TooManyRequests as error:
            seconds = error.headers["Retry-After"]
            raise ValidationError(f"Too many attempts. Try again in {seconds} seconds.", code="limited") from error
        except AppError as error:
            raise ValidationError(error.message, code="wrong") from error
        return given
