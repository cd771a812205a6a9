"""Stored files: what is written, read and forgotten of them by hand. How a run takes hold of one: `new_run.FILES`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

REFERENCE = "$file"
# Of a reference in a JSON text as orjson writes it. Inside of a text its quotation marks would have backslashes.
_WRITTEN = re.compile(r'"\$file":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"')

INSERT = """
insert into automation_storedfile (id, workspace_id, name, content_type, size, sha256, expires_at)
values (%(id)s, %(workspace)s, %(name)s, %(content_type)s, %(size)s, %(sha256)s,
        statement_timestamp() + make_interval(secs => %(seconds)s))
"""
ADD_CHUNK = "insert into automation_filechunk (file_id, seq, data) values (%s, %s, %s)"

TAKE_UNUSED = """
update automation_storedfile set expires_at = statement_timestamp() + make_interval(secs => %(seconds)s)
where id = (
  select id from automation_storedfile
  where expires_at > statement_timestamp() and workspace_id = %(workspace)s and sha256 = %(sha256)s and size = %(size)s
    and name = %(name)s and content_type = %(content_type)s
  order by expires_at limit 1 for update skip locked)
returning id
"""

FIND = """
select id, name, content_type, size, sha256 from automation_storedfile where id = %s and workspace_id = %s
"""
CHUNK = "select data from automation_filechunk where file_id = %s and seq = %s"
CHUNK_OF_WORKSPACE = """
select c.data from automation_storedfile f join automation_filechunk c on c.file_id = f.id
where f.id = %s and f.workspace_id = %s and c.seq = %s
"""
SIZE_SINCE = """
select coalesce(sum(size), 0)::bigint from automation_storedfile
where workspace_id = %s and created_at > coalesce(%s, '-infinity'::timestamptz)
"""

# What a run has taken hold of meanwhile is locked, or has no expiry any more when its lock is let go.
FORGET = """
with due as materialized (
  select id from automation_storedfile where expires_at < statement_timestamp()
  order by expires_at limit %(most)s for update skip locked),
doomed as materialized (
  select id from due where not exists (select from automation_fileuse u where u.file_id = due.id)),
used as (
  update automation_storedfile set expires_at = null
  where id in (select id from due) and id not in (select id from doomed)),
chunks as (delete from automation_filechunk where file_id in (select id from doomed))
delete from automation_storedfile where id in (select id from doomed)
"""

DELETE_OF_WORKSPACE = """
with doomed as materialized (select id from automation_storedfile where workspace_id = %s),
uses as (delete from automation_fileuse where file_id in (select id from doomed)),
chunks as (delete from automation_filechunk where file_id in (select id from doomed))
delete from automation_storedfile where id in (select id from doomed)
"""


class Found(NamedTuple):
    """A file of a workspace, without its bytes."""

    id: UUID
    name: str
    content_type: str
    size: int
    sha256: str

    @property
    def reference(self) -> dict[str, Any]:
        """The file as JSON names it."""
        return {
            REFERENCE: str(self.id),
            "name": self.name,
            "content_type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
        }


def named_in(text: str) -> list[UUID]:
    """The files that a JSON text of orjson refers to, each once."""
    if REFERENCE not in text:  # the hot path: most texts
        return []
    return [UUID(found) for found in dict.fromkeys(_WRITTEN.findall(text))]


def insert(cursor: Any, workspace_id: UUID, file: Found, *, seconds: float) -> None:
    """Write the row of a file whose chunks stand; it is swept after so many seconds unless a run takes it."""
    cursor.execute(INSERT, {**file._asdict(), "workspace": workspace_id, "seconds": seconds})


def take_unused(cursor: Any, workspace_id: UUID, file: Found, *, seconds: float) -> Found | None:
    """The same file, if it is there and waits for a run; it waits for so many seconds anew."""
    cursor.execute(TAKE_UNUSED, {**file._asdict(), "workspace": workspace_id, "seconds": seconds})
    row = cursor.fetchone()
    return file._replace(id=row[0]) if row else None


def add_chunks(cursor: Any, file_id: UUID, pieces: Iterable[bytes]) -> None:
    """Write the pieces of a file, each but the last of CHUNK_BYTES."""
    for seq, piece in enumerate(pieces):
        cursor.execute(ADD_CHUNK, (file_id, seq, piece))


def find(cursor: Any, workspace_id: UUID, file_id: UUID) -> Found | None:
    """A file of a workspace."""
    cursor.execute(FIND, (file_id, workspace_id))
    row = cursor.fetchone()
    return Found(*row) if row else None


def chunk(cursor: Any, file_id: UUID, seq: int) -> bytes | None:
    """One piece of a file."""
    cursor.execute(CHUNK, (file_id, seq))
    row = cursor.fetchone()
    return bytes(row[0]) if row else None


def chunk_of_workspace(cursor: Any, workspace_id: UUID, file_id: UUID, seq: int) -> bytes | None:
    """One piece of a file, if the workspace has it."""
    cursor.execute(CHUNK_OF_WORKSPACE, (file_id, workspace_id, seq))
    row = cursor.fetchone()
    return bytes(row[0]) if row else None


def size_since(cursor: Any, workspace_id: UUID, since: datetime | None) -> int:
    """Bytes of the files that a workspace got since an instant."""
    cursor.execute(SIZE_SINCE, (workspace_id, since))
    return int(cursor.fetchone()[0])


def forget(cursor: Any, *, most: int) -> int:
    """Delete files that no run refers to and whose time is over; returns how many."""
    cursor.execute(FORGET, {"most": most})
    return int(cursor.rowcount)


def delete_of_workspace(cursor: Any, workspace_id: UUID) -> int:
    """Delete all files of a workspace; returns how many."""
    cursor.execute(DELETE_OF_WORKSPACE, (workspace_id,))
    return int(cursor.rowcount)
