"""What a member of staff may do here."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.http import HttpRequest


def may(request: HttpRequest, permission: str) -> bool:
    """True when the signed-in member of staff has the permission, named as in `automation.retry_run`."""
    user: AbstractBaseUser | AnonymousUser = request.user
    return isinstance(user, PermissionsMixin) and user.has_perm(permission)
