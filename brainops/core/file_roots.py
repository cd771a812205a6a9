"""Folders of this machine that file triggers may watch, as the operator has opened them.

`BRAINOPS_FILE_ROOTS` is a comma-separated list of `name=/folder`, open to every workspace, or `name@workspace=/folder`
with a workspace's id, open to that one. Triggers name a root; where it is, they are never told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

_ENTRY = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]{0,49})(?:@(?P<workspace>[0-9a-f-]{36}))?=(?P<folder>/.*)")


@dataclass(frozen=True, slots=True)
class FileRoot:
    """A folder, and the one workspace that may watch it; None for all."""

    folder: str
    workspace_id: UUID | None = None

    def is_open_to(self, workspace_id: UUID) -> bool:
        """True when triggers of the workspace may watch it."""
        return self.workspace_id is None or self.workspace_id == workspace_id


def parse_roots(entries: Iterable[str]) -> dict[str, FileRoot]:
    """The roots by name. Raises ValueError that names the entry that is wrong."""
    found: dict[str, FileRoot] = {}
    for entry in entries:
        parts = _ENTRY.fullmatch(entry)
        try:
            workspace_id = UUID(parts["workspace"]) if parts and parts["workspace"] else None
        except ValueError:
            parts = None
        if parts is None:
            said = f"BRAINOPS_FILE_ROOTS: {entry[:80]!r} is no root; write name=/folder or name@workspace-id=/folder."
            raise ValueError(said)
        if parts["name"] in found:
            raise ValueError(f"BRAINOPS_FILE_ROOTS names the root {parts['name']!r} twice.")
        found[parts["name"]] = FileRoot(parts["folder"], workspace_id)
    return found
