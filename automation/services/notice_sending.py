"""Send the messages of the outbox: each at least once, under an id that stays the same.

A message is claimed first and sent outside of any transaction. Whoever dies over it leaves it to the next, two minutes
later. What fails is tried again for a day, with growing pauses; then it is given up, with its last error.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from automation.engine.commands import CommandRefused
from automation.engine.notices import ABOUT_SCHEDULES, DIGEST, TEST, delay_seconds
from automation.engine.points import reach
from automation.models import DeliveryState, NoticeChannel, NoticeDelivery
from automation.services import notice_letters, notice_links, runs
from automation.services.notice_links import Silence
from automation.services.notice_people import is_reachable
from automation.services.outboxes import Outbox
from automation.store import notices as store
from automation.store.callees import check_depth, find_callee
from automation.store.intake import CalledBy
from brainops.core import clock, mail
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.errors import AppError
from brainops.core.redact import redact_text
from brainops.core.standard_webhooks import signed_headers
from integrations.messages import Response
from integrations.refusals import retry_after_seconds, shown

BESIDE = 4  # messages at once, in one process
WEBHOOK_SECONDS = 15.0  # for the whole of one attempt
ANSWER_BYTES = 64 * 1024  # of a receiver's answer
GONE = 410
BUSY = (429, 503)  # refusals of ours that time may heal
PAUSE_AT_LIMIT_SECONDS = 120.0
LONGEST_ERROR = 500  # characters
PATH = "notice:"  # how a started run stands among the runs called by the one it is told about

log = structlog.get_logger(__name__)


class Refusal(Exception):
    """A message that was not taken. `state` is final; None: it is tried again, if there is time left.

    `counts` is False when it was not even tried.
    """

    def __init__(
        self,
        reason: str,
        state: DeliveryState | None = None,
        *,
        retry_after_seconds: float | None = None,
        counts: bool = True,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state
        self.retry_after_seconds = retry_after_seconds
        self.counts = counts


def send_next() -> bool:
    """Send the message that is due for longest; False when none is. Never raises for what the receiver does."""
    claimed = claim()
    if claimed is None:
        return False
    send(claimed)
    return True


def claim() -> UUID | None:
    """Claim the message that is due for longest; None when none is."""
    with transaction.atomic(), connection.cursor() as cursor:
        return store.claim(cursor)


def has_due() -> bool:
    """True when a message waits to be sent."""
    with connection.cursor() as cursor:
        return store.has_due(cursor)


def outbox() -> Outbox:
    """The outbox of notices, for the postman."""
    return Outbox(claim, send, has_due, BESIDE)


def send(delivery_id: UUID) -> None:
    """Send one claimed message and store what became of it."""
    rows = NoticeDelivery.objects.select_related("rule", "workspace").filter(id=delivery_id)
    delivery = rows.first()
    if delivery is None:  # its rule was deleted
        return
    try:
        _deliver(delivery)
    except Refusal as refusal:
        _refused(delivery, refusal)
    except Exception:
        log.exception("notice_not_sent", delivery_id=str(delivery.id))
        _refused(delivery, Refusal("Something went wrong on our side; the log says what."))
    else:
        _settle(delivery, state=DeliveryState.SENT, sent_at=Now(), last_error="")


def _deliver(delivery: NoticeDelivery) -> None:
    """Send by the channel. Raises Refusal."""
    rule = delivery.rule
    if rule is not None and not rule.is_active and not delivery.is_test:
        raise Refusal("The rule was switched off.", DeliveryState.DROPPED)
    reach("before_notice")
    if delivery.channel == NoticeChannel.EMAIL:
        _mail(delivery)
    elif rule is not None and delivery.channel == NoticeChannel.WEBHOOK:
        _post(delivery, rule.url, rule.secret)
    elif rule is not None:
        _start(delivery, rule.workflow_id)
    reach("after_notice")


def _mail(delivery: NoticeDelivery) -> None:
    about = {"rule_id": delivery.rule_id, "workflow_id": delivery.workflow_id}
    silence_url = ""
    if delivery.user_id is not None:
        if not is_reachable(delivery.workspace_id, delivery.user_id, **about):
            raise Refusal("The receiver is no active member any more, or wants no more mails.", DeliveryState.DROPPED)
        silence_url = notice_links.url_of(Silence(delivery.workspace_id, delivery.rule_id, delivery.user_id))
    _refuse_too_many(delivery)
    letter = notice_letters.write(delivery.content, workspace=delivery.workspace.name, silence_url=silence_url)
    host = urlsplit(settings.BRAINOPS_PUBLIC_URL).hostname
    headers = {"Message-ID": f"<{delivery.id}@{host}>", "Auto-Submitted": "auto-generated"}  # RFC 3834
    if silence_url:  # RFC 8058: mail programs show a button
        headers |= {"List-Unsubscribe": f"<{silence_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    try:
        mail.deliver(delivery.address, subject=letter.subject, text=letter.text, html=letter.html, headers=headers)
    except mail.MailRefused as refusal:
        raise Refusal(str(refusal), DeliveryState.FAILED if refusal.is_final else None) from refusal


def _refuse_too_many(delivery: NoticeDelivery) -> None:
    most: int = settings.BRAINOPS_LIMITS["mails_per_hour"]
    rows = NoticeDelivery.objects.filter(workspace_id=delivery.workspace_id, channel=NoticeChannel.EMAIL)
    if rows.filter(sent_at__gt=Now() - timedelta(hours=1)).count() >= most:
        said = f"The workspace has sent {most} mails within the hour (BRAINOPS_LIMIT_MAILS_PER_HOUR); this one waits."
        raise Refusal(said, retry_after_seconds=PAUSE_AT_LIMIT_SECONDS, counts=False)


def _post(delivery: NoticeDelivery, url: str, secret: str | None) -> None:
    """POST it signed; any 2xx is taken for an answer. Redirects are refused."""
    if not secret:
        raise Refusal("The rule has no secret to sign with. Save it anew.", DeliveryState.FAILED)
    body = orjson.dumps(webhook_body(delivery))
    signed = signed_headers(secret, body, message_id=str(delivery.id), timestamp=int(clock.now().timestamp()))
    request = http.Request(
        "POST",
        url,
        {"Content-Type": "application/json", **signed},
        body,
        total_seconds=WEBHOOK_SECONDS,
        read_seconds=WEBHOOK_SECONDS,
        max_bytes=ANSWER_BYTES,
    )
    try:
        answer = http.send(request)
    except EgressError as error:
        raise Refusal(f"{error.code}: {error.message}") from error
    if 200 <= answer.status < 300:
        return
    response = Response(answer.status, clock.now(), answer.headers, answer.body, answer.url)
    said = f"The receiver answered {answer.status}: {shown(response) or 'an empty body'}"
    final = DeliveryState.FAILED if answer.status == GONE else None
    raise Refusal(said, final, retry_after_seconds=retry_after_seconds(response))


def webhook_body(delivery: NoticeDelivery) -> dict[str, Any]:
    """What a receiver gets: `{type, timestamp, data}` as Standard Webhooks advises."""
    event = delivery.event
    noun = _noun(event)
    workspace = {"id": str(delivery.workspace_id), "slug": delivery.workspace.slug, "name": delivery.workspace.name}
    return {
        "type": f"{noun}.{event.removeprefix(f'{noun}_')}",
        "timestamp": delivery.created_at.isoformat(),
        "data": {**delivery.content, "workspace": workspace},
    }


def _noun(event: str) -> str:
    """What an event is about."""
    if event in ABOUT_SCHEDULES:
        return "schedule"
    return "approval" if event.startswith("approval_") else "notice" if event in (DIGEST, TEST) else "run"


def _start(delivery: NoticeDelivery, workflow_id: UUID | None) -> None:
    """Start the rule's workflow, once however often this is tried."""
    if workflow_id is None:
        raise Refusal("The workflow that the rule starts is gone. Choose another one.", DeliveryState.FAILED)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            callee = find_callee(cursor, delivery.workspace_id, str(workflow_id))
            told = {"notice": delivery.content} if callee.inputs.admits("notice") else {}
            above = _above(cursor, delivery)
            runs.start(
                workflow_id,
                workspace_id=delivery.workspace_id,
                inputs=told,
                trigger={"kind": "notice", "event": delivery.event, "delivery": str(delivery.id)},
                mode=runs.RunMode.TEST if delivery.is_test else runs.RunMode.ASYNC,
                dedupe_key=f"notice:{delivery.id}",
                handles=above,
            )
    except CommandRefused as refusal:
        raise Refusal(str(refusal), DeliveryState.FAILED) from refusal
    except AppError as refusal:
        raise Refusal(refusal.message, None if refusal.status in BUSY else DeliveryState.FAILED) from refusal


def _above(cursor: Any, delivery: NoticeDelivery) -> CalledBy | None:
    """The run that a started one is told about stands above it. Raises CommandRefused when too many do."""
    about = delivery.content.get("run")
    found = store.place_of(cursor, about["id"]) if about else None
    if found is None:
        return None
    run_id, depth = found
    check_depth(depth + 1)
    return CalledBy(run_id, f"{PATH}{delivery.id}", depth + 1, is_detached=True)


def _refused(delivery: NoticeDelivery, refusal: Refusal) -> None:
    """Try again later, or give up."""
    with connection.cursor() as cursor:
        now = store.now(cursor)
    reason = redact_text(refusal.reason)[:LONGEST_ERROR]
    seconds = delay_seconds(delivery.attempts, retry_after_seconds=refusal.retry_after_seconds)
    next_at = now + timedelta(seconds=seconds)
    state = refusal.state
    if state is None and delivery.ends_at is not None and next_at >= delivery.ends_at:
        state = DeliveryState.FAILED
    if state is DeliveryState.FAILED:
        log.warning("notice_given_up", delivery_id=str(delivery.id), attempts=delivery.attempts, reason=reason)
    attempts = delivery.attempts if refusal.counts else delivery.attempts - 1
    _settle(delivery, state=state or DeliveryState.PENDING, last_error=reason, next_at=next_at, attempts=attempts)


def _settle(delivery: NoticeDelivery, **values: Any) -> None:
    """Store the outcome, unless somebody took the message over meanwhile: then theirs counts, except for a success."""
    rows = NoticeDelivery.objects.filter(id=delivery.id)
    if values["state"] != DeliveryState.SENT:
        rows = rows.filter(state=DeliveryState.PENDING, attempts=delivery.attempts)
    rows.update(**values)
