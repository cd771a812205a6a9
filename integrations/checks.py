"""Checks at start: a wrong allow list or a broken connector stops the process, not the first run that needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from brainops.core.egress.allow import parse_allow_list
from integrations.registry import BrokenConnector, all_actions, all_connectors, all_polls


@register()
def check_egress_allow(**_: Any) -> Sequence[Error]:
    """Refuse entries of BRAINOPS_EGRESS_ALLOW that cannot be read."""
    try:
        parse_allow_list(settings.BRAINOPS_EGRESS_ALLOW)
    except ValueError as error:
        return [Error(str(error), id="integrations.E001")]
    return []


@register()
def check_connectors(**_: Any) -> Sequence[Error]:
    """Refuse connector folders that break the contract."""
    try:
        all_connectors()
        all_actions()
        all_polls()
    except BrokenConnector as error:
        return [Error(str(error), id="integrations.E002")]
    return []
