"""The toy's settings: just enough for its management commands."""

SECRET_KEY = "a toy has no secrets"
INSTALLED_APPS = ["furniture"]
