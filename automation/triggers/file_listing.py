"""Which of the files that stand there are new, and which of these nobody writes to any more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from automation.engine.durations import parse_duration
from automation.triggers.contract import Config, Json, Poll, SourceError
from automation.triggers.file_patterns import is_wanted
from automation.triggers.file_places.contract import MARKER, FileEntry, Place
from automation.triggers.file_rows import FIRST, row_key
from automation.triggers.file_settling import MARK

MOST_FILES = 100_000  # in one place: all of them are listed at each look
MOST_KNOWN = 20_000  # whose content is remembered
MOST_WAITING = 5_000  # that are watched for a while at once
KEYS_AT_ONCE = 5_000
REMEMBER_SECONDS = 6 * 3_600.0  # the ledger forgets what was not asked about for weeks
CONTENT, ITEMS = "content", "items"
_SHORT = 20  # hexadecimal digits: 80 bits

Waiting = dict[str, list[Json]]


@dataclass(frozen=True, slots=True)
class Stable:
    """New files that may be read now, the oldest first; and since when the others stand as they do."""

    ready: list[FileEntry]
    waiting: Waiting


def wanted(place: Place, config: Config) -> list[FileEntry]:
    """The files that the trigger means, the oldest first. Raises SourceError when there are too many of any."""
    found = list(islice(place.files(config["depth"] if config["recursive"] else 1), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        said = f"More than {MOST_FILES:,} files stand there. Let the trigger move or delete what it has taken."
        raise SourceError(said, code="too_many_files")
    marked = {one.path for one in found if one.name.endswith(MARKER)} if config["after"] == MARK else set()
    return sorted(
        (one for one in found if one.path not in marked and one.path + MARKER not in marked and _is_meant(one, config)),
        key=lambda one: (one.modified_at is not None, one.modified_at or 0, one.path),
    )


def _is_meant(entry: FileEntry, config: Config) -> bool:
    if not config["min_bytes"] <= entry.size <= config.get("max_bytes", entry.size):
        return False
    folder = _folder_inside(config)
    if folder and entry.path.startswith(folder):
        return False  # what was moved there
    return is_wanted(entry.path, config["include"], config["exclude"])


def _folder_inside(config: Config) -> str:
    """The folder that taken files are moved to, when it lies in the watched one: its path there with a slash."""
    to, watched = config.get("move_to", "").strip("/"), config["folder"].strip("/")
    inside = to.removeprefix(watched).strip("/") if to.startswith(f"{watched}/" if watched else "") else ""
    return f"{inside}/" if inside else ""


def ledger_key(entry: FileEntry, config: Config) -> str:
    """The key by which the ledger tells whether a file was taken."""
    return row_key(entry.key, FIRST) if config["deliver"] == ITEMS else entry.key


def unseen(poll: Poll, entries: Sequence[FileEntry], known: Iterable[str]) -> list[FileEntry]:
    """Those that were not taken in this version. By content the cursor knows it, else the ledger."""
    config = poll.trigger.config
    remembered = frozenset(known)
    left = [entry for entry in entries if short(entry.key) not in remembered]
    if config["dedupe"] == CONTENT:
        return left
    by_key = {ledger_key(entry, config): entry for entry in left}
    keys, seen = list(by_key), set[str]()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        seen |= poll.seen(keys[start : start + KEYS_AT_ONCE])
    return [entry for key, entry in by_key.items() if key not in seen]


def stable(entries: Sequence[FileEntry], config: Config, before: Waiting, now: float) -> Stable:
    """Part the files that have stood as they are for long enough from those that are still watched."""
    least = parse_duration(config["stable_for"])
    ready, waiting = list[FileEntry](), Waiting()
    for entry in entries:
        if entry.is_whole or not least:
            ready.append(entry)
            continue
        version, since = before.get(short(entry.path), ["", now])
        since = since if version == entry.version else now
        if now - since >= least:
            ready.append(entry)
        if len(waiting) < MOST_WAITING:
            waiting[short(entry.path)] = [entry.version, since]
    return Stable(ready, waiting)


def short(text: str) -> str:
    """A text as the cursor remembers it."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_SHORT]


def digest(entries: Iterable[FileEntry]) -> str:
    """What changes when the files that stand there do."""
    return short("\n".join(sorted(entry.key for entry in entries)))
