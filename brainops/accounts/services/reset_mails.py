"""Mails with a link to a new password.

Who asks is answered before anybody looks whether the address is known; the mail is written afterwards, on a thread of
the process that took the request, or by a worker's sweep when that process is gone.
"""

from __future__ import annotations

import threading

from django.conf import settings
from django.db import connections, transaction

from brainops.accounts.models import ResetRequest, User
from brainops.accounts.services import login_limits, passwords
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core import clock, logs, mail
from brainops.core.errors import Conflict
from brainops.core.web.clients import current_ip

RESET_PATH = "/auth/password/reset/"
_MOST_ATTEMPTS = 3
_WORTH_SENDING_SECONDS = 15 * 60
_at_work = threading.Lock()

log = logs.get_logger(__name__)

_TEXT = """Hello {name},

somebody, probably you, asked for a new password for {email} at BrainOps. Choose it here within an hour:

{link}

If it was not you, do nothing: your password stays as it is.
"""


def request(email: str) -> None:
    """Note that somebody wants a new password. The same work for every address; raises TooManyRequests, Conflict."""
    if not mail.has_server():
        message = "This installation sends no mail (BRAINOPS_EMAIL_URL). An administrator can set a new password."
        raise Conflict(message, code="no_mail_server")
    ip = current_ip.get()
    login_limits.take_reset(email, ip)
    ResetRequest.objects.create(email=email.strip().lower()[:254], ip=ip or None)
    transaction.on_commit(deliver_soon)


def deliver_soon() -> int:
    """Send what waits on a thread of its own, so that nobody waits for the mail server; returns 0, as sweeps do."""
    if ResetRequest.objects.exists():
        threading.Thread(target=_deliver_and_close, name="reset-mails", daemon=True).start()
    return 0


def deliver() -> int:
    """Send what waits; returns how many mails left. A request without a user, or an old one, is dropped."""
    left = 0
    for row in ResetRequest.objects.order_by("id")[:100]:
        # two processes may get here: the row count tells who has it
        if ResetRequest.objects.filter(id=row.id).delete()[0]:
            left += _answer(row)
    return left


def _deliver_and_close() -> None:
    if not _at_work.acquire(blocking=False):
        return  # the one at work takes ours along, or the next minute does
    try:
        deliver()
    except Exception:  # whatever it was: what is left is tried in the next minute
        log.exception("reset_mails_failed")
    finally:
        _at_work.release()
        connections.close_all()


def _answer(row: ResetRequest) -> bool:
    is_late = (clock.now() - row.created_at).total_seconds() > _WORTH_SENDING_SECONDS
    user = User.objects.filter(email=row.email, is_active=True).first()
    if is_late or user is None or not user.has_usable_password():
        return False
    link = f"{settings.BRAINOPS_PUBLIC_URL}{RESET_PATH}{passwords.link_for(user)}"
    text = _TEXT.format(name=user.get_full_name(), email=user.email, link=link)
    if mail.send(user.email, subject="A new password for BrainOps", text=text) is not mail.Delivery.SENT:
        _put_back(row)
        return False
    _record(user, row)
    return True


def _put_back(row: ResetRequest) -> None:
    if row.attempts + 1 < _MOST_ATTEMPTS:
        ResetRequest.objects.create(email=row.email, ip=row.ip, attempts=row.attempts + 1)


def _record(user: User, row: ResetRequest) -> None:
    record(
        actor=Actor.anonymous(),
        workspace_id=None,
        action="user.password_link",
        target_kind="user",
        target_id=user.id,
        summary=f"Sent {user.email} a link to a new password, asked for from {row.ip or 'an unknown address'}.",
    )
