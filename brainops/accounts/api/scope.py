"""Base classes of every view of the API: the caller is known, allowed, and sees one workspace only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework.viewsets import GenericViewSet

from brainops.accounts.caller import Caller
from brainops.accounts.scoping import get_scoped, scoped
from brainops.core.api.cursors import Ordering
from brainops.core.api.parameters import KnownParameters

M = TypeVar("M", bound=Model)


class CallerMixin(KnownParameters):
    """`self.caller` for views."""

    request: Any
    # action (viewsets) or lower-case method (plain views) → Permission, or ANY_CALLER
    permissions: ClassVar[Mapping[str, str]] = {}

    @property
    def caller(self) -> Caller:
        """Who is calling. The permission class has made sure that there is one."""
        return cast(Caller, self.request.auth)


class CallerView(CallerMixin):
    """A plain view for known callers."""


class ScopedViewSet(CallerMixin, GenericViewSet[Any]):
    """A viewset whose every queryset holds the rows of the caller's workspace and nothing else.

    A foreign id, a missing id and an impossible id give the same 404. Set `queryset`, `permissions`, `serializer_class`
    and, when the model does not have `workspace_id` itself, `workspace_field`.
    """

    # actions that list → the orders a caller may ask for, by name; the first is the usual one
    orderings: ClassVar[Mapping[str, Mapping[str, Ordering]]] = {}
    # actions that list rows whose total nobody can know
    uncounted: ClassVar[Collection[str]] = ()
    workspace_field: ClassVar[str] = "workspace_id"
    lookup_field = "id"
    creator_may: ClassVar[bool] = False  # the creator keeps a builder's verbs; the service asks with `created_by`

    def get_queryset(self) -> QuerySet[Any]:
        """The rows of the caller's workspace."""
        if getattr(self, "swagger_fake_view", False):  # spectacular looks at the model only
            return super().get_queryset().none()
        return scoped(super().get_queryset(), self.caller, field=self.workspace_field)

    def get_object(self) -> Any:
        """The row of the address. Raises NotFound."""
        id_ = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        return get_scoped(super().get_queryset(), self.caller, id_, by=self.lookup_field, field=self.workspace_field)
