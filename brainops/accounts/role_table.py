"""The table of roles and verbs as it stands in docs/people.md, made from the policy."""

from __future__ import annotations

from brainops.accounts.models.membership import Role
from brainops.accounts.policy import CREATOR_PERMISSIONS, ROLE_PERMISSIONS, Permission

BEGIN, END = "<!-- roles: begin (manage.py role_table) -->", "<!-- roles: end -->"


def markdown() -> str:
    """One row a noun and verb; a dot where a role has it, and where the creator of a workflow has it on that one."""
    head = f"| permission | {' | '.join(role.label for role in Role)} | creator |"
    rule = f"|---|{':-:|' * (len(Role) + 1)}"
    return "\n".join([head, rule, *(_row(permission) for permission in Permission)])


def stored(page: str) -> str:
    """The table between the marks of a page. Raises ValueError when they are missing."""
    return page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip()


def _row(permission: Permission) -> str:
    marks = [permission in ROLE_PERMISSIONS[role] for role in Role]
    marks.append(permission in CREATOR_PERMISSIONS)
    return f"| `{permission}` | {' | '.join('●' if mark else '' for mark in marks)} |"
