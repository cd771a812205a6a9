"""What steps read of the files of their workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from automation.engine.commands import CommandRefused, FindFile, ReadFilePiece
from automation.store import files
from automation.store.commands import CommandContext

Json = Any


def answer(cursor: Any, workspace_id: UUID, command: FindFile | ReadFilePiece) -> Json:
    """What a file command of a workspace is answered. Raises CommandRefused."""
    if isinstance(command, ReadFilePiece):
        return files.chunk_of_workspace(cursor, workspace_id, command.file_id, command.seq) or b""
    try:
        found = files.find(cursor, workspace_id, UUID(command.file_id))
    except ValueError:
        found = None
    if found is None:
        said = (
            f"There is no file {command.file_id[:60]!r} in this workspace. It goes with the last run that refers to it."
        )
        raise CommandRefused("unknown_file", said)
    return {"id": found.id, "name": found.name, "content_type": found.content_type, "size": found.size}


def _answer(cursor: Any, context: CommandContext, command: FindFile | ReadFilePiece) -> Json:
    return answer(cursor, context.workspace_id, command)


HANDLERS = {FindFile: _answer, ReadFilePiece: _answer}
POLLS = frozenset({FindFile, ReadFilePiece})  # they only look, and bytes are not remembered in a table
