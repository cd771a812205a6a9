"""The mail of an invitation: plain text, one link."""

from __future__ import annotations

from brainops.accounts.models import Invitation
from brainops.core import mail

_TEXT = """\
{inviter} invites you to the workspace "{workspace}" on BrainOps, as {role}.
{message}
Open this address to accept or to decline; looking at it does neither:

{link}

It works until {end:%Y-%m-%d %H:%M} UTC, once. If you do not know who sent this, leave it alone: nothing happens then.
"""


def send(row: Invitation, link: str) -> mail.Delivery:
    """Mail an invitation to its address."""
    inviter = row.invited_by.email if row.invited_by else "An administrator"
    text = _TEXT.format(
        inviter=inviter,
        workspace=_line(row.workspace.name),
        role=row.get_role_display(),
        message=_quoted(row.message),
        link=link,
        end=row.expires_at,
    )
    return mail.send(row.email, subject=f"Invitation to {_line(row.workspace.name)}", text=text)


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(message: str) -> str:
    """The inviter's words, marked as theirs: nobody should take them for ours."""
    return "".join(f"\n> {line}" for line in message.splitlines()) + ("\n" if message else "")
