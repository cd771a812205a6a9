"""What stands in a workspace, or belongs to a person there, in rooms that accounts does not know.

Those rooms register here when their app is ready. Everything is called inside the transaction of the change, with the
workspace's people locked; a provider that raises undoes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from brainops.accounts.models import User
from brainops.audit.actor import HasActor
from brainops.core.registry import Registry

Counts = Mapping[str, int]  # rows by kind: {"workflows": 3}


@dataclass(frozen=True, slots=True)
class Departure:
    """What becomes of a person's things when they leave a workspace.

    `count(workspace_id, person)` only looks; `hand_over(by, workspace_id, person, successor)` does it. Both return how
    many of what.
    """

    count: Callable[[UUID, User], Counts]
    hand_over: Callable[[HasActor, UUID, User, User], Counts]


@dataclass(frozen=True, slots=True)
class Clearance:
    """What has to happen before the rows of a workspace are deleted.

    `count_active(workspace_id)` is how much is under way there, `clear(workspace_id)` unties what a cascade would miss.
    """

    count_active: Callable[[UUID], int]
    clear: Callable[[UUID], None]


departures: Registry[Departure] = Registry("departure")
clearances: Registry[Clearance] = Registry("clearance")
# (person with the new user name, the old one): carries on what names the person
renames: Registry[Callable[[User, str], None]] = Registry("rename")
