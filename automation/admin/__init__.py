"""Admin pages of automation."""

from automation.admin import approvals, beat, limits, replays, runs, state, triggers, workers, workflows  # noqa: F401  (they register)
