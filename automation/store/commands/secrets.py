"""What steps send to services: secrets, opened for one call. The answer is a value in memory and is stored nowhere."""

from __future__ import annotations

from typing import Any

from automation.engine.commands import CommandRefused, UseSecrets
from automation.engine.secrets import Opened
from automation.engine.wording import one_of
from automation.store import secrets
from automation.store.commands import CommandContext
from brainops.core.errors import SecretUnreadable


def _use(cursor: Any, context: CommandContext, command: UseSecrets) -> Opened:
    rows = secrets.find(cursor, context.workspace_id, command.names + command.others)
    missing = [name for name in command.names if name not in rows]
    if missing:
        said = f"This workspace has no secret {one_of(missing)}. Create it under Secrets, then retry the run."
        raise CommandRefused("unknown_secret", said)
    try:
        opened = secrets.opened(rows, command.names)
    except SecretUnreadable as error:
        raise CommandRefused("secret_unreadable", str(error)) from error
    secrets.mark_used(cursor, [rows[name] for name in command.names], context.workflow_id)
    return opened


HANDLERS = {UseSecrets: _use}
POLLS = frozenset({UseSecrets})  # asked anew each time: what it answers must not be remembered in a table
