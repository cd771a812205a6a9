"""Admin pages of webhooks."""

from webhooks.admin import endpoints, events  # noqa: F401  (registers their pages)
