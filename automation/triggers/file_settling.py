"""What becomes of a file behind the run it started: it is left, marked, moved or deleted.

Each of it may be done again: what is not there any more, or is another file by now, is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from automation.triggers.contract import Config, Item, Json, Poll, SourceError
from automation.triggers.file_opening import opened
from automation.triggers.file_places.contract import FileEntry, Gone, Place, Unreadable, escaped, unescaped

LEAVE, MARK, MOVE, DELETE = "leave", "mark", "move", "delete"


def handle_of(entry: FileEntry, config: Config) -> Json:
    """What finds the file again; nothing for one that is left."""
    return None if config["after"] == LEAVE else {"path": escaped(entry.path), "version": entry.version}


def settle(poll: Poll, items: Sequence[Item]) -> None:
    """Put the files of taken items away. Raises SourceError when one could not be; the others are."""
    with opened(poll) as place:
        refused = put_away(place, poll.trigger.config, [item.handle for item in items])
    if refused:
        raise SourceError(f"{refused[0].refused} It is tried again.", code="not_put_away")


def put_away(place: Place, config: Config, handles: Iterable[Mapping[str, Json]]) -> list[Item]:
    """Put files away by their handles; return what the ledger is to say of those that cannot be."""
    refused = []
    for handle in handles:
        try:
            _put_away(place, config, unescaped(handle["path"]), handle["version"])
        except Unreadable as error:
            said = f"{handle['path']!r} was taken and cannot be put away ({config['after']}): {error}."
            refused.append(Item(f"{handle['path']}@{handle['version']}#put-away", handle, refused=said))
        except Gone:
            continue
    return refused


def _put_away(place: Place, config: Config, path: str, version: str) -> None:
    entry = place.look(path)
    if entry is None or entry.version != version:
        return  # another one by now: it is a file of its own
    if config["after"] == DELETE:
        place.delete(entry)
    elif config["after"] == MOVE:
        place.move(entry, config["move_to"])
    elif config["after"] == MARK:
        place.mark(entry)
