"""Survey: the first reading of a file. What it holds, whether it is whole, and which stored workflows it means.

Only names, keys and calls are kept: ten thousand workflows are a few megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q

from automation.engine.document.templates import OPENING
from automation.models import Workflow
from automation.services.exchange import form
from automation.services.exchange.reading import File, Piece
from automation.services.workflow_calls import references
from brainops.core.errors import InvalidInput, Problem

Json = Any
Heard = Callable[[int], None]  # told how many workflows have been read

AT_ONCE = 1000  # workflows looked up by one query
TELLS = 100  # workflows between two signs of life


@dataclass(slots=True)
class Entry:
    """What is remembered of one workflow of the file. `target` is the stored one that it means."""

    index: int
    key: str | None
    name: str
    calls: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)  # names of workflows that it calls by key
    is_broken: bool = False
    conflict: Problem | None = None
    target: UUID | None = None
    new_id: UUID = field(default_factory=uuid4)

    @property
    def id(self) -> UUID:
        """The id that it has, or will have, here."""
        return self.target or self.new_id


@dataclass(slots=True)
class Survey:
    """The entries of a file, in order."""

    entries: list[Entry]
    by_key: dict[str, Entry] = field(default_factory=dict)
    by_name: dict[str, Entry] = field(default_factory=dict)


def survey(file: File, workspace_id: UUID, heard: Heard = lambda _count: None) -> Survey:
    """Read a whole file and find what it means here. Raises InvalidInput when the file as a whole is refused."""
    entries: list[Entry] = []
    chain = form.EMPTY_CHAIN
    for piece in file.pieces():
        entries.append(_entry(piece))
        chain = form.chained(chain, piece.checksum)
        if len(entries) % TELLS == 0:
            heard(len(entries))
    _check_frame(file.frame or {}, entries, chain)
    found = Survey(entries)
    _note_names(found)
    _match(workspace_id, entries)
    return found


def _entry(piece: Piece) -> Entry:
    value = piece.value
    if piece.problems or value is None:
        name = value.get("name") if value else None
        return Entry(piece.index, None, name if isinstance(name, str) else "", is_broken=True)
    calls = tuple(dict.fromkeys(one.named for one in references(value["definition"]) if OPENING not in one.named))
    told = value.get("references", {}).get("workflows", ()) if calls else ()
    hints = {one["named"]: one["name"] for one in told if "name" in one}
    return Entry(piece.index, value.get("key"), value["name"], calls, hints)


def _check_frame(frame: Mapping[str, Json], entries: Sequence[Entry], chain: str) -> None:
    """A file that was cut, or put together anew, says so."""
    told = frame.get("counts", {}).get("workflows")
    if told is not None and told != len(entries):
        said = f"The file says that it holds {told} workflows, but it holds {len(entries)}. Remove `counts` if it may."
        raise InvalidInput.from_problems([Problem("count_mismatch", said, "/counts/workflows")])
    checksum = frame.get("checksum")
    if checksum is not None and checksum != chain and not any(entry.is_broken for entry in entries):
        said = f"The file was changed: its workflows sum up to {chain}. If that was meant, remove its `checksum`."
        raise InvalidInput.from_problems([Problem("checksum_mismatch", said, "/checksum")])


def _note_names(found: Survey) -> None:
    several: set[str] = set()
    for entry in found.entries:
        if entry.key is not None and found.by_key.setdefault(entry.key, entry) is not entry:
            first = found.by_key[entry.key].index
            said = f"The key {entry.key!r} stands twice in the file, first at /workflows/{first}."
            entry.conflict = Problem("twice_in_file", said, f"/workflows/{entry.index}/key")
        elif not entry.is_broken and found.by_name.setdefault(entry.name, entry) is not entry:
            several.add(entry.name)
    for name in several:
        del found.by_name[name]  # which of them a call means nobody can tell


def _match(workspace_id: UUID, entries: Sequence[Entry]) -> None:
    """Find the stored workflow of each entry: by its key first, by its name among those that no key claims."""
    waiting = [entry for entry in entries if not entry.is_broken and entry.conflict is None]
    claimed: set[UUID] = set()
    for some in _batches([entry for entry in waiting if entry.key is not None]):
        _match_keys(workspace_id, some, claimed)
    for some in _batches([entry for entry in waiting if entry.target is None]):
        _match_names(workspace_id, some, claimed)


def _match_keys(workspace_id: UUID, entries: Sequence[Entry], claimed: set[UUID]) -> None:
    keys = [str(entry.key) for entry in entries]
    ids = [id_ for id_ in map(_uuid, keys) if id_ is not None]
    rows = Workflow.objects.filter(Q(source_key__in=keys) | Q(id__in=ids), workspace_id=workspace_id)
    known = list(rows.values_list("id", "source_key"))
    by_key: dict[str, UUID] = {str(id_): id_ for id_, _ in known}
    by_key.update({key: id_ for id_, key in known if key is not None})
    for entry in entries:
        entry.target = by_key.get(str(entry.key))
        if entry.target in claimed:
            said = f"The key {entry.key!r} means a workflow that another part of the file means already."
            entry.conflict = Problem("twice_in_file", said, f"/workflows/{entry.index}/key")
        elif entry.target is not None:
            claimed.add(entry.target)


def _match_names(workspace_id: UUID, entries: Sequence[Entry], claimed: set[UUID]) -> None:
    rows = Workflow.objects.filter(workspace_id=workspace_id, name__in=[entry.name for entry in entries])
    by_name: dict[str, list[tuple[UUID, str | None, bool]]] = {}
    for id_, name, key, archived_at in rows.values_list("id", "name", "source_key", "archived_at"):
        by_name.setdefault(name, []).append((id_, key, archived_at is not None))
    for entry in entries:
        fitting = [
            (id_, is_archived)
            for id_, key, is_archived in by_name.get(entry.name, ())
            # with two different keys they are two workflows that happen to have one name
            if (entry.key is None or key is None) and not (id_ in claimed and entry.key is not None)
        ]
        live = [id_ for id_, is_archived in fitting if not is_archived] or [id_ for id_, _ in fitting]
        _settle(entry, live, claimed)


def _settle(entry: Entry, fitting: Sequence[UUID], claimed: set[UUID]) -> None:
    if len(fitting) > 1:
        said = f"Several workflows here are named {entry.name!r}, and the file's key is known to none of them."
        entry.conflict = Problem("ambiguous_workflow", said, f"/workflows/{entry.index}/name")
    elif fitting and fitting[0] in claimed:
        said = f"Another part of the file means the workflow named {entry.name!r} already."
        entry.conflict = Problem("twice_in_file", said, f"/workflows/{entry.index}/name")
    elif fitting:
        entry.target = fitting[0]
        claimed.add(fitting[0])


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    ready = iter(entries)
    while some := list(islice(ready, AT_ONCE)):
        yield some


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
