"""Admin pages of webhooks."""

from webhooks.admin import endpoints, events, subscriptions  # noqa: F401  (registers their pages)
