"""The one table of who may do what: a permission for each verb, the least role that has it, and what a scope grants.

Read never implies run (security rule R7): run, cancel, retry, replay, test, export and import have permissions of
their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

from brainops.accounts.models.membership import Role
from brainops.core.errors import InvalidInput, Problem


class Permission(StrEnum):
    """`noun:verb`; the same texts are the scopes of API keys."""

    WORKFLOWS_READ = "workflows:read"
    WORKFLOWS_CREATE = "workflows:create"
    WORKFLOWS_UPDATE = "workflows:update"
    WORKFLOWS_DELETE = "workflows:delete"
    WORKFLOWS_EXPORT = "workflows:export"
    WORKFLOWS_IMPORT = "workflows:import"
    WORKFLOWS_ASSIGN = "workflows:assign"  # give to another owner
    RUNS_READ = "runs:read"
    RUNS_EXECUTE = "runs:execute"
    RUNS_CANCEL = "runs:cancel"
    RUNS_RETRY = "runs:retry"
    RUNS_SIGNAL = "runs:signal"
    APPROVALS_READ = "approvals:read"
    APPROVALS_DECIDE = "approvals:decide"
    STATE_READ = "state:read"
    STATE_WRITE = "state:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"  # send one, which may start runs; deal with dead letters
    TRIGGERS_READ = "triggers:read"
    TRIGGERS_CREATE = "triggers:create"
    TRIGGERS_UPDATE = "triggers:update"
    TRIGGERS_DELETE = "triggers:delete"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_CREATE = "webhooks:create"
    WEBHOOKS_UPDATE = "webhooks:update"
    WEBHOOKS_DELETE = "webhooks:delete"
    WEBHOOKS_TEST = "webhooks:test"
    WEBHOOKS_REPLAY = "webhooks:replay"
    INTEGRATIONS_READ = "integrations:read"
    INTEGRATIONS_CREATE = "integrations:create"
    INTEGRATIONS_UPDATE = "integrations:update"
    INTEGRATIONS_DELETE = "integrations:delete"
    INTEGRATIONS_TEST = "integrations:test"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    VARIABLES_READ = "variables:read"
    VARIABLES_WRITE = "variables:write"
    SECRETS_READ = "secrets:read"  # names and dates; nobody reads a value
    SECRETS_WRITE = "secrets:write"
    NOTICES_READ = "notices:read"
    NOTICES_WRITE = "notices:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    SUBSCRIPTIONS_REPLAY = "subscriptions:replay"  # send again what did not arrive
    AUDIT_READ = "audit:read"
    AUDIT_EXPORT = "audit:export"
    WORKSPACE_UPDATE = "workspace:update"
    WORKSPACE_TRANSFER = "workspace:transfer"
    WORKSPACE_DELETE = "workspace:delete"


P = Permission

# What each role adds to the roles before it.
_ADDED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset(
        {
            *(P.WORKFLOWS_READ, P.RUNS_READ, P.APPROVALS_READ, P.TRIGGERS_READ, P.WEBHOOKS_READ),
            *(P.INTEGRATIONS_READ, P.MEMBERS_READ, P.STATE_READ, P.EVENTS_READ),
            *(P.VARIABLES_READ, P.NOTICES_READ, P.SUBSCRIPTIONS_READ),
        }
    ),
    Role.OPERATOR: frozenset(
        {
            *(P.RUNS_EXECUTE, P.RUNS_CANCEL, P.RUNS_RETRY, P.RUNS_SIGNAL, P.APPROVALS_DECIDE),
            *(P.STATE_WRITE, P.EVENTS_WRITE, P.WEBHOOKS_REPLAY, P.SUBSCRIPTIONS_REPLAY),
        }
    ),
    Role.BUILDER: frozenset(
        {
            *(P.WORKFLOWS_CREATE, P.WORKFLOWS_UPDATE, P.WORKFLOWS_DELETE, P.WORKFLOWS_EXPORT, P.WORKFLOWS_IMPORT),
            *(P.TRIGGERS_CREATE, P.TRIGGERS_UPDATE, P.TRIGGERS_DELETE),
            *(P.WEBHOOKS_CREATE, P.WEBHOOKS_UPDATE, P.WEBHOOKS_DELETE, P.WEBHOOKS_TEST),
            *(P.INTEGRATIONS_CREATE, P.INTEGRATIONS_UPDATE, P.INTEGRATIONS_DELETE, P.INTEGRATIONS_TEST),
            *(P.VARIABLES_WRITE, P.SECRETS_READ, P.NOTICES_WRITE, P.SUBSCRIPTIONS_WRITE),
        }
    ),
    Role.ADMIN: frozenset(
        {
            *(P.MEMBERS_WRITE, P.KEYS_READ, P.KEYS_WRITE, P.WORKFLOWS_ASSIGN, P.SECRETS_WRITE),
            *(P.AUDIT_READ, P.AUDIT_EXPORT, P.WORKSPACE_UPDATE),
        }
    ),
    Role.OWNER: frozenset({P.WORKSPACE_TRANSFER, P.WORKSPACE_DELETE}),
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    role: frozenset().union(*(_ADDED[lower] for lower in Role if lower.rank <= role.rank)) for role in Role
}

# Who made a workflow keeps these on it while a member, whatever the role became.
CREATOR_PERMISSIONS = frozenset(
    permission
    for permission in ROLE_PERMISSIONS[Role.BUILDER]
    if permission.startswith(("workflows:", "runs:", "triggers:", "webhooks:"))
) - {P.WORKFLOWS_CREATE, P.WORKFLOWS_IMPORT}

ALL_SCOPES = "*"


def role_allows(role: Role, permission: Permission) -> bool:
    """True when members of this role have the permission."""
    return permission in ROLE_PERMISSIONS[role]


def scopes_allow(scopes: Collection[str], permission: Permission) -> bool:
    """True when one of the scopes covers the permission: `*`, `runs:*` or exactly `runs:execute`."""
    noun = permission.partition(":")[0]
    return permission in scopes or ALL_SCOPES in scopes or f"{noun}:*" in scopes


def check_scopes(scopes: Iterable[str], *, pointer: str = "") -> list[str]:
    """The scopes without repeats, in order. Raises InvalidInput that names every unknown one.

    `pointer` is where the list stands in the body.
    """
    given = list(scopes)
    known = known_scopes()
    problems = [
        Problem("unknown_scope", f"The scope {scope!r} is not known. Known: {', '.join(known)}.", f"{pointer}/{index}")
        for index, scope in enumerate(given)
        if scope not in known
    ]
    if problems:
        raise InvalidInput.from_problems(problems)
    return list(dict.fromkeys(given))


def known_scopes() -> list[str]:
    """Every scope that means something."""
    nouns = dict.fromkeys(permission.partition(":")[0] for permission in Permission)
    return [ALL_SCOPES, *(f"{noun}:*" for noun in nouns), *Permission]
