"""Users, workspaces, memberships, invitations, API keys and logins."""

from brainops.accounts.models.api_key import ApiKey
from brainops.accounts.models.invitation import Invitation
from brainops.accounts.models.login_limit import LoginLimit
from brainops.accounts.models.login_session import LoginSession
from brainops.accounts.models.membership import Membership, Role
from brainops.accounts.models.user import User
from brainops.accounts.models.workspace import Workspace

__all__ = ["ApiKey", "Invitation", "LoginLimit", "LoginSession", "Membership", "Role", "User", "Workspace"]
