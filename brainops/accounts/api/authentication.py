"""Who is calling: an API key or an access token in a header. Never a cookie, never the address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from brainops.accounts.caller import Caller
from brainops.accounts.models import Role
from brainops.accounts.services import api_keys, tokens
from brainops.core.errors import AppError, InvalidInput, NotAuthenticated, NotFound, PermissionDenied, Problem

WORKSPACE_HEADER = "Brainops-Workspace"
_WORKSPACE_META = "HTTP_BRAINOPS_WORKSPACE"

# The session, its user and up to two memberships in one query; a password change, a switched-off user, a logout and a
# lost membership count from the next request on.
_FIND = """
    select u.id, u.email, u.is_staff, m.workspace_id, m.role, w.requires_if_match,
           'mfa' = any(s.amr), coalesce(w.requires_mfa, false) and 'mfa' <> all(s.amr)
      from accounts_loginsession s
      join accounts_user u on u.id = s.user_id
      left join (accounts_membership m join accounts_workspace w on w.id = m.workspace_id)
        on m.user_id = u.id and (%(workspace)s is null or w.id::text = %(workspace)s or w.slug = %(workspace)s)
     where s.id = %(session)s and s.user_id = %(user)s and s.revoked_at is null and s.expires_at > now()
       and u.is_active and u.token_version = %(version)s
     limit 2
"""


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer bo_…` or `X-Api-Key: bo_…` for keys, `Authorization: Bearer eyJ…` for access tokens."""

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        """The caller, as DRF's user and auth; None when nobody was named. Raises NotAuthenticated."""
        credential = _credential(request)
        if credential is None:
            return None
        workspace = request.META.get(_WORKSPACE_META, "").strip() or None
        if credential.startswith(api_keys.MARK):
            caller = _of_key(credential, workspace)
        else:
            caller = _of_token(credential, workspace)
        request.caller = caller  # type: ignore[attr-defined]  # for views that take it from the request
        return caller, caller

    def authenticate_header(self, request: Request) -> str:
        """What a 401 names in WWW-Authenticate."""
        return 'Bearer realm="BrainOps"'


def _credential(request: Request) -> str | None:
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    if header:
        scheme, _, credential = header.partition(" ")
        if scheme.lower() != "bearer" or not credential.strip():
            raise NotAuthenticated
        return credential.strip()
    return request.META.get("HTTP_X_API_KEY", "").strip() or None


def _of_key(text: str, workspace: str | None) -> Caller:
    caller = api_keys.recognise(text)
    if workspace is None or workspace == str(caller.workspace_id) or _is_slug_of(workspace, caller):
        return caller
    raise _unknown_workspace()


def _is_slug_of(slug: str, caller: Caller) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select 1 from accounts_workspace where id = %s and slug = %s", [caller.workspace_id, slug])
        return cursor.fetchone() is not None


def _of_token(text: str, workspace: str | None) -> Caller:
    token = tokens.decode(text, "access")
    parameters: dict[str, Any] = {
        "session": token.session_id,
        "user": token.user_id,
        "version": token.token_version,
        "workspace": workspace,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, parameters)
        rows = cursor.fetchall()
    if not rows:
        raise NotAuthenticated("This login has ended. Log in again.", code="login_ended")
    user_id, email, is_staff, workspace_id, role, requires_if_match, has_factor, lacks_factor = rows[0]
    is_clear = len(rows) == 1 and workspace_id is not None and not lacks_factor
    return Caller(
        user_id=user_id,
        label=email,
        via="token",
        workspace_id=workspace_id if is_clear else None,
        role=Role(role) if is_clear else Role.VIEWER,
        # the rights of staff ask for the same second factor here as in the admin
        is_staff=is_staff and (has_factor or settings.BRAINOPS_STAFF_MFA != "required"),
        credential_id=token.session_id,
        requires_if_match=bool(requires_if_match) and is_clear,
        workspace_problem=None if is_clear else _why_no_workspace(rows, workspace),
    )


def _why_no_workspace(rows: list[Any], wanted: str | None) -> AppError | None:
    if len(rows) == 1 and rows[0][-1]:
        message = "This workspace lets in only logins with a second factor. Set one up (/me/mfa), then log in with it."
        return PermissionDenied(message, code="mfa_required")
    if wanted is not None:
        return _unknown_workspace()
    if len(rows) < 2:
        return None  # a member of none
    message = f"You are a member of several workspaces. Name one: `{WORKSPACE_HEADER}: <id or slug>`."
    problem = Problem("workspace_required", message, parameter=WORKSPACE_HEADER)
    return InvalidInput(message, code="workspace_required", problems=[problem])


def _unknown_workspace() -> NotFound:
    return NotFound(f"The workspace named in {WORKSPACE_HEADER} does not exist, or it is not yours.")
