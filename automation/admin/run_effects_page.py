"""The effects tab of a run's page: what it did outside, how sure that is, and the keys its targets know it by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from automation.admin.run_log_page import number
from automation.looks.states import EFFECTS, Look
from automation.services import effects
from automation.services.effects import EffectRow
from brainops.accounts.caller import Caller

SHOWN = 25


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One effect and how it looks."""

    row: EffectRow
    look: Look


@dataclass(frozen=True, slots=True)
class EffectTab:
    """Some effects, the status they were chosen by, and where the next ones start."""

    lines: Sequence[EffectLine]
    status: str
    statuses: Mapping[str, str]
    next_after: int | None


def read(caller: Caller, uid: UUID, asked: Mapping[str, str]) -> EffectTab:
    """The effects that the query of an address asks for. Raises NotFound."""
    status = asked.get("status", "") if asked.get("status") in effects.STATUSES else ""
    after = number(asked.get("after"), most=2**31 - 1)
    page = effects.ledger(caller, uid, after=-1 if after is None else after, status=status or None, limit=SHOWN)
    lines = [EffectLine(row, EFFECTS[row.status]) for row in page.rows]
    return EffectTab(lines, status, {word: look.word for word, look in EFFECTS.items()}, page.next_after)
