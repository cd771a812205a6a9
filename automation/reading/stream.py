"""A file that is kept in pieces, as a stream that can seek. Holds one piece at a time."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

CHUNK_BYTES = 256 << 10


def stream_of(size: int, chunk: Callable[[int], bytes]) -> io.BufferedReader:
    """A stream of `size` bytes whose pieces of CHUNK_BYTES `chunk(seq)` gives. Reading raises what `chunk` raises."""
    return io.BufferedReader(_Pieces(size, chunk), CHUNK_BYTES)


class _Pieces(io.RawIOBase):
    def __init__(self, size: int, chunk: Callable[[int], bytes]) -> None:
        self._size = size
        self._chunk = chunk
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        seq, start = divmod(self._at, CHUNK_BYTES)
        if self._held[0] != seq:
            self._held = (seq, self._chunk(seq))
        found = self._held[1][start : start + len(buffer)]
        if not found:
            raise OSError(f"Piece {seq} of the file is missing.")
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
