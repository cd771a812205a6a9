"""Admin pages of automation."""

from automation.admin import beat, runs, triggers, workers, workflows  # noqa: F401  (they register)
