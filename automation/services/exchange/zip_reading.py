"""A zip file with one known member, read in memory as a stream: nothing is ever unpacked to a disk."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from typing import Any, BinaryIO

from brainops.core.errors import InvalidInput, TooLarge

MEMBERS = {"export.json": "json", "export.ndjson": "ndjson", "export.yaml": "yaml"}
MOST_RATIO = 200  # unpacked bytes for each packed one; JSON of workflows comes to 5-40, zeros to 1000
SMALL_BYTES = 1 << 20  # below this the ratio does not matter
_DIRECTORY_BYTES = 64 << 10  # of a directory with one entry 60 are needed
_END = struct.Struct("<IHHHHIIH")
_LONGEST_END = _END.size + 0xFFFF  # with a comment
_ENCRYPTED = 1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_member(stream: BinaryIO, *, most_bytes: int) -> tuple[BinaryIO, str]:
    """The one member that is read here, as a stream, and the form it is in. Raises InvalidInput, TooLarge."""
    _check_directory(stream)
    try:
        archive = zipfile.ZipFile(stream)
        member = _only_member(archive)
        _check_size(member, most_bytes)
        return io.BufferedReader(_Counted(archive.open(member), member, most_bytes)), MEMBERS[member.filename]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, struct.error) as error:
        raise _refusal(f"it cannot be read ({error})") from error


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = archive.infolist()
    for member in found:
        if member.filename not in MEMBERS:
            raise _refusal(f"{member.filename[:80]!r} is no member that is read here. Known: {', '.join(MEMBERS)}")
        mode = member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise _refusal(f"{member.filename!r} is no plain file")
        if member.flag_bits & _ENCRYPTED:
            raise _refusal(f"{member.filename!r} is encrypted")
        if member.compress_type not in _PACKINGS:
            raise _refusal(f"{member.filename!r} is packed otherwise than deflated")
    if len(found) != 1:
        raise _refusal(f"it must hold exactly one of {', '.join(MEMBERS)}, got {len(found)} members")
    return found[0]


def _check_size(member: zipfile.ZipInfo, most_bytes: int) -> None:
    """By what the directory says; the reading counts for itself."""
    if member.file_size > most_bytes:
        said = f"Unpacked the file would have {member.file_size:,} bytes; at most {most_bytes:,} are taken."
        raise TooLarge(said, details={"limit_bytes": most_bytes})
    if member.file_size > SMALL_BYTES and member.file_size > MOST_RATIO * max(member.compress_size, 1):
        raise TooLarge(f"The zip file unpacks to more than {MOST_RATIO} times its size.")


def _check_directory(stream: BinaryIO) -> None:
    """Refuse a directory that is too large to be one of ours before anything reads it into memory."""
    size = stream.seek(0, io.SEEK_END)
    start = max(0, size - _LONGEST_END)
    stream.seek(start)
    tail = stream.read(_LONGEST_END)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise _refusal("it has no directory")
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack(tail[at : at + _END.size])
    is_zip64 = b"PK\x06\x07" in tail[max(0, at - 20) : at]
    if is_zip64 or entries > len(MEMBERS) or directory_bytes > _DIRECTORY_BYTES:
        raise _refusal(f"it must hold exactly one of {', '.join(MEMBERS)}, got {entries} members")
    stream.seek(0)


class _Counted(io.RawIOBase):
    """The member's bytes, never more than it said and never more than the limits."""

    def __init__(self, inner: Any, member: zipfile.ZipInfo, most_bytes: int) -> None:
        self._inner = inner
        self._most_bytes = most_bytes
        self._packed = max(member.compress_size, 1)
        self._read = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer. Raises InvalidInput, TooLarge."""
        try:
            found: bytes = self._inner.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise _refusal(f"its member is damaged ({error})") from error
        self._read += len(found)
        if self._read > self._most_bytes:
            raise TooLarge(f"Unpacked the file has more than {self._most_bytes:,} bytes.")
        if self._read > SMALL_BYTES and self._read > MOST_RATIO * self._packed:
            raise TooLarge(f"The zip file unpacks to more than {MOST_RATIO} times its size.")
        buffer[: len(found)] = found
        return len(found)


def _refusal(what: str) -> InvalidInput:
    return InvalidInput(f"The zip file is refused: {what}.", code="malformed_zip")
