"""Admin pages of webhooks."""

from webhooks.admin import endpoints, events, subscriptions, tried_deliveries, unmatched  # noqa: F401  (registers their pages)
