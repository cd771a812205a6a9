"""Admin pages of accounts."""

from brainops.accounts.admin import (  # noqa: F401  (they register)
    api_keys,
    groups,
    identities,
    invitations,
    login_sessions,
    members,
    users,
    workspaces,
)
