"""One look at the files of a place: list, leave out what is known, wait for what grows, read and keep the rest.

The cursor: `begun`, what stood there first was remembered; `waiting`, since when new files stand as they do; `known`,
files whose content was taken (only there where contents count); `quiet`, a listing in which nothing was new; `open`,
the file that is read row by row; `after`, files that are to be put away.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from django.conf import settings

from automation.engine.wording import counted
from automation.triggers import file_listing as listing
from automation.triggers.contract import First, Item, Json, Poll, Polled, SourceError
from automation.triggers.file_listing import CONTENT, ITEMS, digest, ledger_key, short
from automation.triggers.file_opening import opened
from automation.triggers.file_places.contract import FileEntry, Gone, Place, Unreadable, escaped
from automation.triggers.file_rows import begin, next_rows
from automation.triggers.file_settling import handle_of, put_away
from brainops.core import clock

REMEMBERED_AT_ONCE = 2_500  # files that stood there before the trigger
LOOK_SECONDS = 60.0  # of reading files; then what was read is taken first
LOOK_BYTES = 256 << 20
HELD_BYTES = 1 << 20  # of a file in memory; more of it waits on the disk

Cursor = dict[str, Json]


def poll(context: Poll) -> Polled:
    """Look once. Raises SourceError and EgressError."""
    cursor: Cursor = dict(context.cursor or {})
    if "open" in cursor:
        return next_rows(context, cursor)
    with opened(context) as place:
        stuck = put_away(place, context.trigger.config, cursor.pop("after", ()))
        found = listing.wanted(place, context.trigger.config)
        if not cursor.get("begun"):
            return _first(context, cursor, found)
        return _with(stuck, _look(context, place, cursor, found))


def _first(context: Poll, cursor: Cursor, found: Sequence[FileEntry]) -> Polled:
    """What stood there before the trigger: remembered without being read, unless it is wanted, too."""
    config = context.trigger.config
    begun: Cursor = {"begun": True}
    if config["first"] == First.ALL:
        return Polled([], begun, has_more=bool(found))
    if config["dedupe"] == CONTENT:
        return Polled([], {**begun, "known": _known([short(entry.key) for entry in found])})
    new = listing.unseen(context, found, ())
    items = [Item(ledger_key(entry, config), _described(entry), at=entry.modified_at) for entry in new]
    if len(items) > REMEMBERED_AT_ONCE:
        return Polled(items[:REMEMBERED_AT_ONCE], cursor, has_more=True)
    return Polled(items, begun)


def _look(context: Poll, place: Place, cursor: Cursor, found: Sequence[FileEntry]) -> Polled:
    now = clock.now().timestamp()
    standing = digest(found)
    quiet, asked_at = cursor.get("quiet", ["", 0.0])
    if quiet == standing and now - asked_at < listing.REMEMBER_SECONDS:
        return Polled([], cursor)
    config = context.trigger.config
    known = frozenset(cursor.get("known", ())) & {short(entry.key) for entry in found}
    new = listing.unseen(context, found, known)
    cursor = {"begun": True, **({"known": sorted(known)} if known else {})}
    if not new:
        return Polled([], {**cursor, "quiet": [standing, now]})
    stable = listing.stable(new, config, (context.cursor or {}).get("waiting", {}), now)
    cursor |= {"waiting": stable.waiting} if stable.waiting else {}
    reading = _Reading(context, place, cursor)
    return reading.rows(stable.ready) if config["deliver"] == ITEMS else reading.files(stable.ready)


@dataclass(slots=True)
class _Reading:
    """Files on their way from the place into the database."""

    context: Poll
    place: Place
    cursor: Cursor
    items: list[Item] = field(default_factory=list)
    contents: set[str] = field(default_factory=set)  # of this look

    def files(self, ready: Sequence[FileEntry]) -> Polled:
        """An item for each file, as many as are wanted at once."""
        ends_at, left = clock.monotonic() + LOOK_SECONDS, LOOK_BYTES
        for position, entry in enumerate(ready):
            if position and (len(self.items) >= self.context.most or clock.monotonic() > ends_at or left < entry.size):
                return Polled(self.items, self.cursor, has_more=True)
            left -= entry.size
            try:
                self._take(entry)
            except SourceError:
                if not self.items:
                    raise
                return Polled(self.items, self.cursor)  # the next look meets it again
        return Polled(self.items, self.cursor)

    def rows(self, ready: Sequence[FileEntry]) -> Polled:
        """The rows of the first file that can be read."""
        for entry in ready:
            kept = self._kept(entry)
            if kept is not None:
                key, reference = kept
                state = begin(entry, key, reference, self.context.trigger.config)
                return _with(self.items, next_rows(self.context, {**self.cursor, "open": state}))
        return Polled(self.items, self.cursor, has_more=False)

    def _take(self, entry: FileEntry) -> None:
        kept = self._kept(entry)
        if kept is not None:
            key, reference = kept
            data = {"file": reference, **_described(entry)}
            handle = handle_of(entry, self.context.trigger.config)
            self.items.append(Item(key, data, at=entry.modified_at, handle=handle))

    def _kept(self, entry: FileEntry) -> tuple[str, Json] | None:
        """The key and the reference of a file that was read whole; None for one that is not to be taken now."""
        most = settings.BRAINOPS_LIMITS["file_bytes"]
        if entry.size > most:
            self._refuse(entry, f"The file has {entry.size:,} bytes; at most {most:,} are taken.")
            return None
        try:
            with SpooledTemporaryFile(max_size=HELD_BYTES) as held:
                _fill(held, self.place, entry)
                kind = mimetypes.guess_type(entry.name)[0] or ""
                reference = self.context.keep_file(entry.name, kind, cast(BinaryIO, held))
        except Gone:
            return None  # it grows, or it is away: the next look says
        except Unreadable as error:
            self._refuse(entry, f"The file cannot be read: {error}.", is_lasting=False)
            return None
        return self._keyed(entry, reference)

    def _keyed(self, entry: FileEntry, reference: Json) -> tuple[str, Json] | None:
        if self.context.trigger.config["dedupe"] != CONTENT:
            return entry.key, reference
        key = f"sha256:{reference['sha256']}"
        self.cursor["known"] = _known([*self.cursor.get("known", ()), short(entry.key)])
        asked = key if self.context.trigger.config["deliver"] != ITEMS else f"{key}#1"
        if key in self.contents or self.context.seen([asked]):
            if handle := handle_of(entry, self.context.trigger.config):
                self.cursor["after"] = [*self.cursor.get("after", ()), handle]
            return None
        self.contents.add(key)
        return key, reference

    def _refuse(self, entry: FileEntry, why: str, *, is_lasting: bool = True) -> None:
        """Let the ledger say why nothing was started; a reason that may go away is not the file's last word."""
        key = ledger_key(entry, self.context.trigger.config)
        self.items.append(Item(key if is_lasting else f"{key}#unread", _described(entry), refused=why))


def _with(items: Sequence[Item], polled: Polled) -> Polled:
    return replace(polled, items=[*items, *polled.items]) if items else polled


def _fill(held: IO[bytes], place: Place, entry: FileEntry) -> None:
    size = 0
    for piece in place.read(entry):
        held.write(piece)
        size += len(piece)
    if size != entry.size:
        raise Gone
    held.seek(0)


def _known(hashes: Sequence[str]) -> list[str]:
    """What the cursor remembers of contents. Raises SourceError when it is too much."""
    if len(hashes) > listing.MOST_KNOWN:
        said = f"The contents of {counted(len(hashes), 'file')} are to be remembered, more than {listing.MOST_KNOWN:,}."
        raise SourceError(f"{said} Let the trigger move or delete what it has taken.", code="too_many_files")
    return sorted(set(hashes))


def _described(entry: FileEntry) -> dict[str, Json]:
    return {
        "path": entry.path.encode("utf-8", "replace").decode() if _is_text(entry.path) else escaped(entry.path),
        "name": entry.name if _is_text(entry.name) else escaped(entry.name),
        "size": entry.size,
        "modified_at": entry.modified_at.isoformat() if entry.modified_at else None,
    }


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
