"""Every hand-written statement plans on the migrated schema, with the indexes it was written for."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

from automation import store
from automation.tests.store.statement_rows import fill
from automation.tests.store.statements import CASES, plan_of

STATEMENT = re.compile(r"^\s*(with|select|insert|update|delete)\b", re.IGNORECASE)
PIECES = {
    "checkpoint.CHECKPOINT",
    "state_values._INSERT",
    "state_values._UPDATE",
    "tally._COUNTED",
    "tally._FACTS",
    "tally._SPREAD",
    "tally._BY_TIME",
    "tally._BY_WORKFLOW",
    "tally._FAILURES",
}  # completed by other statements


def statements() -> Iterator[tuple[str, str]]:
    """Each constant of the store that holds a statement, by module and name."""
    for module in pkgutil.walk_packages(store.__path__, f"{store.__name__}."):
        place = module.name.removeprefix(f"{store.__name__}.")
        for name, value in vars(importlib.import_module(module.name)).items():
            if name.isupper() and isinstance(value, str) and STATEMENT.match(value):
                yield f"{place}.{name}", value


TEXTS = dict(statements())


def is_used(index: str, plan: str) -> bool:
    """True when a plan looks things up by an index; instead of a key another one that holds it will do.

    `a|b`: either, where none of the rows is in them, so that the planner has nothing to choose by.
    """
    if any(name in plan for name in index.split("|")):
        return True
    return index.endswith("_pkey") and "Index Scan" in plan and "Seq Scan" not in plan


@pytest.mark.django_db
def test_each_hand_statement_plans_with_the_indexes_it_was_written_for():
    fill()

    plans = {name: plan_of(TEXTS[name], case.parameters) for name, case in CASES.items()}

    missed = {
        name: [index for index in case.indexes if not is_used(index, plans[name])]
        for name, case in CASES.items()
        if not all(is_used(index, plans[name]) for index in case.indexes)
    }
    assert missed == {}, "\n\n".join(f"{name}\n{plans[name]}" for name in missed)


def test_no_hand_statement_is_left_out():
    planned = {TEXTS[name] for name in CASES}

    assert sorted(name for name, text in TEXTS.items() if text not in planned and name not in PIECES) == []
