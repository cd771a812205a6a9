"""Files of a delivery before they are stored: bytes that its reading made, never something a body says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brainops.core.errors import InvalidInput

Json = Any
REFERENCE = "$file"  # the key by which runs know a stored file


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that came with a delivery."""

    name: str
    content_type: str
    data: bytes

    def outline(self) -> dict[str, Json]:
        """What is known of it before it is stored."""
        return {"name": self.name, "content_type": self.content_type, "size": len(self.data)}


def has_files(body: Json) -> bool:
    """True when a parsed body holds files that are not stored yet.

    They stand at its top, or in its fields, behind the texts of the same name. Asked of every delivery, so it is plain.
    """
    if body.__class__ is not dict:
        return body.__class__ is FilePart
    for value in body.values():
        last = value[-1] if value.__class__ is list and value else value
        if last.__class__ is FilePart:
            return True
    return False


def placed(body: Json, keep: Callable[[FilePart], Json]) -> Json:
    """The body with each file replaced by what `keep` says of it."""
    if isinstance(body, FilePart):
        return keep(body)
    if isinstance(body, list):
        return [placed(part, keep) for part in body]
    return {name: placed(part, keep) for name, part in body.items()} if isinstance(body, dict) else body


def refuse_references(body: Json) -> None:
    """Refuse data that looks like a stored file's reference: files come in a body, they are not named by it.

    Raises InvalidInput (`file_reference`). Security rule R9: nothing that a sender writes may name a file of ours.
    """
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if REFERENCE in value:
                raise InvalidInput(
                    f'The key "{REFERENCE}" names stored files and cannot be sent. Send the file itself, as '
                    "multipart/form-data.",
                    code="file_reference",
                )
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
