"""The content of a mail: its text, its HTML, and every other part as a file."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import cast

from webhooks.mail.message.bounded import parse
from webhooks.mail.message.clean import decoded, one_line
from webhooks.mail.message.head import Unreadable

MOST_PARTS = 200
MOST_LINES = 1_000_000
MOST_DASHED = 50_000  # lines that may begin a part
MOST_WORK = 8_000_000  # lines times nested parts: the parser asks each line whether it ends one of them
LONGEST_TEXT = 200_000  # characters that a run sees of the text, and of the HTML
_NESTING = re.compile(rb"^content-type:[ \t\r\n]*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_ENDINGS = {"message/rfc822": ".eml", "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part that becomes a file. `name` is what the sender says: a name to show, never a path."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail holds. `is_cut`: text or HTML was too long to be shown whole, and is among the parts."""

    text: str | None
    html: str | None
    parts: tuple[Part, ...]
    is_cut: bool = False


def read_content(raw: bytes) -> Content:
    """Read a whole mail. Malformed ones as Python's `email` does, which finds something in each. Raises Unreadable."""
    _require_readable(raw)
    try:
        leaves = list(_leaves(parse(raw)))
    except RecursionError as error:
        raise Unreadable("Its parts are nested too deeply to be read.") from error
    if len(leaves) > MOST_PARTS:
        raise Unreadable(f"It has {len(leaves):,} parts; at most {MOST_PARTS} are read.")
    text = _first(leaves, "text/plain")  # a part without headers counts as False
    text = _first_broken(leaves) if text is None else text
    html = _first(leaves, "text/html")
    parts = [_part(leaf, number) for number, leaf in enumerate(leaves, 1) if leaf is not text and leaf is not html]
    shown = [None if leaf is None else _text_of(leaf) for leaf in (text, html)]
    long = [part for part in map(_long_part, shown, ("text.txt", "text.html")) if part]
    short = [None if body is None else body[:LONGEST_TEXT] for body in shown]
    return Content(short[0], short[1], (*long, *parts), is_cut=bool(long))


def _require_readable(raw: bytes) -> None:
    lines, nested = raw.count(b"\n"), sum(1 for _ in _NESTING.finditer(raw))
    is_work = lines > MOST_LINES or lines * (nested + 1) > MOST_WORK or raw.count(b"\n--") > MOST_DASHED
    if is_work or nested > MOST_PARTS:
        raise Unreadable(f"It has {lines:,} lines and {nested:,} nested parts, more than is read of one mail.")


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold something; a mail within the mail is one."""
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        for inner in cast("list[EmailMessage]", message.get_payload()):
            yield from _leaves(inner)
        return
    yield message


def _first(leaves: list[EmailMessage], content_type: str) -> EmailMessage | None:
    found = (leaf for leaf in leaves if leaf.get_content_type() == content_type and not _is_attachment(leaf))
    return next(found, None)


def _first_broken(leaves: list[EmailMessage]) -> EmailMessage | None:
    """A multipart whose boundary is nowhere: what stands in it is all the text there is."""
    return next((leaf for leaf in leaves if leaf.get_content_maintype() == "multipart"), None)


def _is_attachment(leaf: EmailMessage) -> bool:
    try:
        return leaf.get_content_disposition() == "attachment"
    except Exception:  # noqa: BLE001  # the parser of `email` breaks on some headers
        return False


def _text_of(leaf: EmailMessage) -> str:
    """The text with line ends of one kind."""
    text = decoded(_bytes_of(leaf), _charset(leaf))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _long_part(text: str | None, name: str) -> Part | None:
    """What is too long for the run's data, as a file beside it."""
    if text is None or len(text) <= LONGEST_TEXT:
        return None
    return Part(name, "text/html" if name.endswith("html") else "text/plain", text.encode())


def _part(leaf: EmailMessage, number: int) -> Part:
    kind = leaf.get_content_type()
    name = _filename(leaf) or f"part-{number}{_ending(kind)}"
    return Part(name, kind, _bytes_of(leaf), one_line(str(leaf.get("Content-ID", "")))[:255].strip("<>"))


def _ending(content_type: str) -> str:
    if content_type.startswith("multipart/"):
        return ".txt"
    return _ENDINGS.get(content_type) or mimetypes.guess_extension(content_type) or ".bin"


def _filename(leaf: EmailMessage) -> str:
    try:
        return one_line(leaf.get_filename() or "")
    except Exception:  # noqa: BLE001  # the parser of `email` breaks on some names
        return ""


def _charset(leaf: EmailMessage) -> str | None:
    try:
        return leaf.get_content_charset()
    except Exception:  # noqa: BLE001  # the parser of `email` breaks on some charsets
        return None


def _bytes_of(leaf: EmailMessage) -> bytes:
    """The decoded content of a part; a mail within the mail as it stands."""
    try:
        if leaf.is_multipart():
            return b"".join(inner.as_bytes() for inner in cast("list[EmailMessage]", leaf.get_payload()))
        return cast(bytes, leaf.get_payload(decode=True)) or b""
    except Exception:  # noqa: BLE001  # a transfer encoding that is none, headers that cannot be written again
        return str(leaf.get_payload()).encode("utf-8", "replace")
