"""What the environment says of rates and quotas, for `settings.py`: docs/rate-limits.md explains each."""

from __future__ import annotations

from brainops.core.environment import Environment

RENAMED = {
    "BRAINOPS_LIMIT_STARTS_PER_SECOND": "BRAINOPS_RATE_KEY_STARTS_PER_SECOND",
    "BRAINOPS_LIMIT_CALLBACKS_PER_SECOND": "BRAINOPS_RATE_ADDRESS_CALLBACKS_PER_SECOND",
}


def read_rates(env: Environment) -> dict[str, float]:
    """Requests a second, over all web processes.

    Reads, writes, starts of runs and transfers (export, import) are counted for the key or login, for its user in all
    keys and logins, and for the workspace. Finite for loops that ran away, far above what programs that behave send.
    """
    _refuse_old_names(env)
    return {
        "key_reads": env.number("BRAINOPS_RATE_KEY_READS_PER_SECOND", 1000, low=0.001, high=1_000_000),
        "key_writes": env.number("BRAINOPS_RATE_KEY_WRITES_PER_SECOND", 500, low=0.001, high=1_000_000),
        "key_starts": env.number("BRAINOPS_RATE_KEY_STARTS_PER_SECOND", 200, low=0.001, high=1_000_000),
        "key_transfers": env.number("BRAINOPS_RATE_KEY_TRANSFERS_PER_SECOND", 10, low=0.001, high=1_000_000),
        "user_reads": env.number("BRAINOPS_RATE_USER_READS_PER_SECOND", 2000, low=0.001, high=1_000_000),
        "user_writes": env.number("BRAINOPS_RATE_USER_WRITES_PER_SECOND", 1000, low=0.001, high=1_000_000),
        "user_starts": env.number("BRAINOPS_RATE_USER_STARTS_PER_SECOND", 400, low=0.001, high=1_000_000),
        "user_transfers": env.number("BRAINOPS_RATE_USER_TRANSFERS_PER_SECOND", 20, low=0.001, high=1_000_000),
        "workspace_reads": env.number("BRAINOPS_RATE_WORKSPACE_READS_PER_SECOND", 5000, low=0.001, high=1_000_000),
        "workspace_writes": env.number("BRAINOPS_RATE_WORKSPACE_WRITES_PER_SECOND", 2000, low=0.001, high=1_000_000),
        "workspace_starts": env.number("BRAINOPS_RATE_WORKSPACE_STARTS_PER_SECOND", 1000, low=0.001, high=1_000_000),
        "workspace_transfers": env.number(
            "BRAINOPS_RATE_WORKSPACE_TRANSFERS_PER_SECOND", 50, low=0.001, high=1_000_000
        ),
        # every request to the API from one network (an IPv4 address, an IPv6 /64), before anything is looked up
        "address_requests": env.number("BRAINOPS_RATE_ADDRESS_REQUESTS_PER_SECOND", 2000, low=0.001, high=1_000_000),
        # one network: tries of one-time URLs and links of mails; deliveries to endpoints that are not there
        "address_callbacks": env.number("BRAINOPS_RATE_ADDRESS_CALLBACKS_PER_SECOND", 20, low=0.001, high=1_000_000),
        "address_unknown_webhooks": env.number(
            "BRAINOPS_RATE_ADDRESS_UNKNOWN_WEBHOOKS_PER_SECOND", 20, low=0.001, high=1_000_000
        ),
        # genuine deliveries to one webhook
        "webhook_deliveries": env.number(
            "BRAINOPS_RATE_WEBHOOK_DELIVERIES_PER_SECOND", 1000, low=0.001, high=1_000_000
        ),
    }


def read_quotas(env: Environment) -> dict[str, int]:
    """What each workspace may have, unless it has a number of its own; 0 = no quota."""
    return {
        "workflows": env.integer("BRAINOPS_QUOTA_WORKFLOWS", 0, low=0, high=2**31 - 1),
        "active_triggers": env.integer("BRAINOPS_QUOTA_ACTIVE_TRIGGERS", 0, low=0, high=2**31 - 1),
        "runs_per_day": env.integer("BRAINOPS_QUOTA_RUNS_PER_DAY", 0, low=0, high=2**31 - 1),  # UTC days
        "storage_bytes": env.integer("BRAINOPS_QUOTA_STORAGE_BYTES", 0, low=0, high=2**63 - 1),
    }


def _refuse_old_names(env: Environment) -> None:
    """A limit that is silently forgotten would be worse than a start that is refused."""
    for old, new in RENAMED.items():
        if env.text(old, ""):
            env.refuse(f"{old} is now called {new}; rename it.")
