"""The clock of replays: the next run of each, at its pace, exactly once however often somebody dies over it."""

from __future__ import annotations

import time

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db import Error as DatabaseError
from django.db.models.functions import Now

from automation.engine.limits import BULK
from automation.models import Replay, ReplayItem, ReplayState
from automation.services import retries
from automation.services.replay_people import who_asked
from automation.services.replay_sources import repeaters
from automation.services.retries import Repeat
from automation.store.replays import count_item, take_due
from brainops.core.errors import AppError, Conflict, NotFound

BUDGET_SECONDS = 0.4  # of one tick: timers must not wait long for a replay

log = structlog.get_logger(__name__)


def replays_due(*, seconds: float = BUDGET_SECONDS) -> int:
    """Start what is due; return how many runs were started. The caller rings the bell.

    Item and new run stand or fall in one transaction, and the new run carries the item in its dedupe key: a crash in
    between leaves nothing behind, and the next tick goes on where it was.
    """
    started = 0
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        moved = _next_item()
        if moved is None:
            break
        started += moved
    return started


def _next_item() -> bool | None:
    """Do the next item of a due replay: True when it started a run, None when nothing is due."""
    with transaction.atomic(), connection.cursor() as cursor:
        replay_id = take_due(cursor)
        if replay_id is None:
            return None
        replay = Replay.objects.select_related("created_by").get(id=replay_id)
        rows = ReplayItem.objects.filter(replay_id=replay_id, is_done=False).select_related("run")
        item = rows.order_by("id").first()
        if item is None:
            rows_done = Replay.objects.filter(id=replay_id)
            rows_done.update(state=ReplayState.DONE, finished_at=Now())
            return False
        is_started = _do(replay, item)
        count_item(cursor, replay_id, is_started=is_started)
        return is_started


def _do(replay: Replay, item: ReplayItem) -> bool:
    try:
        item.new_run_id = _retry(replay, item)
    except AppError as refusal:
        item.error = {"code": refusal.code, "message": refusal.message}
    except (DataError, IntegrityError):  # of what is repeated: it would hold up this replay and all others for ever
        log.exception("replay_item_refused", replay_id=str(replay.id), item=item.id)
        item.error = {"code": "internal_error", "message": AppError.sentence}
    except DatabaseError:
        raise  # the transaction is lost; the next tick tries the item again
    except Exception:
        log.exception("replay_item_broke", replay_id=str(replay.id), item=item.id)
        item.error = {"code": "internal_error", "message": AppError.sentence}
    item.is_done = True
    item.save(update_fields=["new_run", "error", "is_done"])
    return item.error is None


def _retry(replay: Replay, item: ReplayItem) -> int:
    caller = who_asked(replay)
    if caller is None:
        said = "Who asked for this replay may not repeat runs here any more. Somebody who may has to ask again."
        raise Conflict(said, code="permission_denied")
    repeat, key = Repeat.read(replay.options), f"replay:{item.id}"
    with transaction.atomic():
        if item.run is not None:
            return retries.retry(caller, item.run.uid, repeat, dedupe_key=key, queue=BULK).id
        if item.subject_id is None:
            raise NotFound  # the run went since
        return repeaters.get(replay.source)(caller, item.subject_id, repeat, key).id
