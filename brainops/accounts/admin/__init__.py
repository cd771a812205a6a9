"""Admin pages of accounts."""

from brainops.accounts.admin import api_keys, groups, login_sessions, users, workspaces  # noqa: F401  (they register)
