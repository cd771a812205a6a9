"""What `manage.py check --deploy` says about sign-in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_staff_factor(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Warn when staff may open the admin with a password alone."""
    if settings.BRAINOPS_STAFF_MFA == "required":
        return []
    return [
        Warning(
            "Staff may open the admin with a password alone.",
            hint="Set BRAINOPS_STAFF_MFA=required; who has no second factor is led to the page that sets one up.",
            id="accounts.W001",
        )
    ]
