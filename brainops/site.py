"""The admin site of BrainOps."""

from __future__ import annotations

from typing import Any

from django.db.models.base import ModelBase
from unfold.sites import UnfoldAdminSite

# Beat's tables are written from the settings alone; a task put in by hand would run whatever Celery knows by name.
_HIDDEN_APPS = frozenset({"django_celery_beat"})


class BrainOpsSite(UnfoldAdminSite):
    """Django admin in unfold's clothes, for staff."""

    site_title = "BrainOps"
    site_header = "BrainOps"
    index_title = "Overview"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, except those nobody should edit."""
        models: Any = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        shown = [model for model in models if model._meta.app_label not in _HIDDEN_APPS]
        super().register(shown, admin_class, **options)
