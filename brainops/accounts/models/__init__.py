"""Users, workspaces, memberships, invitations, API keys and logins."""

from brainops.accounts.models.api_key import ApiKey
from brainops.accounts.models.identity import Identity
from brainops.accounts.models.invitation import Invitation
from brainops.accounts.models.login_limit import LoginLimit
from brainops.accounts.models.login_session import LoginSession
from brainops.accounts.models.membership import Membership, Role
from brainops.accounts.models.one_time_token import OneTimeToken, TokenPurpose
from brainops.accounts.models.reset_request import ResetRequest
from brainops.accounts.models.user import User
from brainops.accounts.models.workspace import Workspace

__all__ = [
    "ApiKey",
    "Identity",
    "Invitation",
    "LoginLimit",
    "LoginSession",
    "Membership",
    "OneTimeToken",
    "ResetRequest",
    "Role",
    "TokenPurpose",
    "User",
    "Workspace",
]
