"""Admin pages of automation."""

from automation.admin import approvals, beat, runs, triggers, workers, workflows  # noqa: F401  (they register)
