"""The wall between workspaces, for querysets: only a caller's own rows exist.

Every id that comes from outside, also one inside a body, is looked up through these functions (security rule R6).
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Model, QuerySet

from brainops.accounts.caller import Caller
from brainops.core.errors import NotFound

M = TypeVar("M", bound=Model)


def scoped(queryset: QuerySet[M], caller: Caller, *, field: str = "workspace_id") -> QuerySet[M]:
    """The rows of the caller's workspace. `field` leads from the model to the workspace's id."""
    return queryset.filter(**{field: caller.workspace()})


def get_scoped(
    queryset: QuerySet[M], caller: Caller, id_: UUID | str, *, by: str = "id", field: str = "workspace_id"
) -> M:
    """One row of the caller's workspace. Raises NotFound for a missing, foreign or impossible id alike."""
    lookup: dict[str, Any] = {by: id_}
    try:
        return scoped(queryset, caller, field=field).get(**lookup)
    except (ObjectDoesNotExist, ValidationError, ValueError, TypeError) as error:
        raise NotFound from error
