"""The kinds that stand behind containers in rows and lists. They are never called: the course opens the container."""

from __future__ import annotations

from functools import cache

from automation.engine.checker import Checker
from automation.engine.kinds import Call, Effect, Kind, Outcome

TITLES = {
    "group": ("Group", "Run nested steps once, as one step."),
    "for_each": ("For each", "Run the step or its nested steps for every item of a list."),
    "while": ("While", "Repeat nested steps as long as an expression holds."),
    "try": ("Try", "Run nested steps; when one fails run others, and some in any case."),
}
BATCH = "for_each.batch"  # the kind of the rows that hold the items of a loop
ANYTHING = Checker({})


@cache
def container_kind(word: str) -> Kind:
    """The kind of a container: group, for_each, while or try."""
    title, description = TITLES[word]
    return Kind(
        key=word,
        title=title,
        description=description,
        group="Flow",
        icon="account_tree",
        effect=Effect.PURE,
        config_schema={"type": "object"},
        output_schema={},
        run=_never,
        ports=_ports if word == "try" else lambda _config: (),
    )


def _ports(_config: object) -> tuple[str, ...]:
    return ("ok", "caught")


def _never(call: Call) -> Outcome:
    raise LookupError(f"{call.path} is a container: nothing is to be called.")
