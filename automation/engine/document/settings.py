"""The settings of a document beyond what a schema alone can judge."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.document.parse import Document
from automation.engine.document.templates import OPENING
from automation.engine.problem import Problem
from automation.engine.wording import quoted


def check_settings(document: Document) -> Iterator[Problem]:
    """A queue's limit where nothing queues, and a failure workflow that is not written out."""
    limits = document.settings.get("concurrency")
    if isinstance(limits, dict) and "queue_limit" in limits and limits.get("when_full", "queue") != "queue":
        said = quoted(str(limits["when_full"]))
        message = (
            f'"settings.concurrency.queue_limit" counts waiting runs; with "when_full" {said} none waits. Remove it.'
        )
        yield Problem("conflicting_fields", message, "/settings/concurrency/queue_limit")
    handler = document.settings.get("on_failure")
    if isinstance(handler, str) and OPENING in handler:
        message = f'"settings.on_failure" is the id or name of a workflow, written out; got {quoted(handler)}.'
        yield Problem("constant_wanted", message, "/settings/on_failure")
