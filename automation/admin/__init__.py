"""Admin pages of automation."""

from automation.admin import (  # noqa: F401  (they register)
    approvals,
    beat,
    events,
    limits,
    notices,
    replays,
    runs,
    secrets,
    state,
    triggers,
    variables,
    workers,
    workflows,
)
