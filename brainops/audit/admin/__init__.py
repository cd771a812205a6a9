"""Admin pages of the audit log, and the base class that writes to it."""

from brainops.audit.admin import entries  # noqa: F401  (registers its page)
