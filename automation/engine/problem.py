"""Problem: one refusal of a document, with the place it is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document.

    `pointer` is a JSON pointer into the document (RFC 6901), `""` for the whole of it.
    `code` is stable and machine readable; `message` is a sentence that says what, where, which value, and the way out.
    """

    code: str
    message: str
    pointer: str = ""
