"""A trigger kind for tests: it looks at a list in this process, as others look at a mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from automation.triggers.contract import Item, Poll, Polled, Polling, SourceError, TriggerKind


class Inbox:
    """What a source could be: `things` in their order, its moods, and what it was told."""

    def __init__(self) -> None:
        self.things: list[str] = []
        self.page = 100
        self.error: Exception | None = None
        self.settle_error: Exception | None = None
        self.has_cursor = True
        self.looks: list[object] = []  # the cursors it was asked with
        self.settled: list[str] = []
        self.before_answer = lambda: None

    def poll(self, poll: Poll) -> Polled:
        """Show what is behind the cursor; without one, all that is not known."""
        self.looks.append(poll.cursor)
        self.before_answer()
        if self.error is not None:
            raise self.error
        if poll.trigger.config.get("secret"):
            poll.secret(poll.trigger.config["secret"], host="mail.example.com:993")
        if not self.has_cursor:
            known = poll.seen(self.things)
            return Polled(self._items(name for name in self.things if name not in known))
        start = (poll.cursor or {"at": 0})["at"]
        shown = self.things[start : start + self.page]
        end = start + len(shown)
        return Polled(self._items(shown), {"at": end}, has_more=end < len(self.things))

    def settle(self, _poll: Poll, items: Iterable[Item]) -> None:
        """Remember what it was told."""
        if self.settle_error is not None:
            raise self.settle_error
        self.settled += [item.handle["name"] for item in items]

    def _items(self, names: Iterable[str]) -> list[Item]:
        return [Item(name, {"name": name}, handle={"name": name}) for name in names]

    def module(self) -> ModuleType:
        """The file of the kind."""
        module = ModuleType("tests.triggers.inbox")
        module.KIND = TriggerKind(
            key="inbox",
            title="Inbox",
            description="For tests.",
            icon="inbox",
            config_schema={
                "type": "object",
                "properties": {
                    "every": {"type": "integer"},
                    "first": {"enum": ["skip", "all"]},
                    "folder": {"type": "string"},
                    "secret": {"type": "string"},
                },
                "additionalProperties": False,
            },
            polling=Polling(
                poll=self.poll,
                every=lambda config: config.get("every", 60),
                first=lambda config: config.get("first", "skip"),
                settle=self.settle,
            ),
        )
        return module


BROKEN = SourceError("The mailbox does not answer.", code="unreachable")
