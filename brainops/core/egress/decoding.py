"""Decoding of bodies with a hard cap: no more is ever decompressed than the caller asked for."""

from __future__ import annotations

import zlib
from typing import Protocol

from brainops.core.egress.errors import ProtocolError, TooLarge

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_FRAME_BYTES = 64 * 1024  # what compressing may add to a body that does not shrink


class Sink(Protocol):
    """Takes the body as it comes from the wire."""

    def add(self, piece: bytes) -> None:
        """Take the next piece. Raises TooLarge, or ProtocolError when it cannot be decoded."""

    def finish(self) -> bytes:
        """Return the whole decoded body. Raises ProtocolError when it is cut short."""


def sink_for(encoding: str, max_bytes: int) -> Sink:
    """Choose by `Content-Encoding`. Only what was asked for is decoded; several layers are refused."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return Plain(max_bytes)
    if encoding in ("gzip", "x-gzip"):
        return Inflated(max_bytes, _GZIP)
    if encoding == "deflate":
        return Inflated(max_bytes, _ZLIB)
    raise ProtocolError(f"The answer is encoded as {encoding[:40]!r}; only gzip and deflate were asked for.")


class Plain:
    """A body that is sent as it is."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise too_large(self._max_bytes)
        self._pieces.append(piece)

    def finish(self) -> bytes:
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


class Inflated:
    """A gzip or deflate body. Gzip may have several members (RFC 1952 2.2); deflate may come without its zlib frame."""

    def __init__(self, max_bytes: int, window_bits: int) -> None:
        self._max_bytes = max_bytes
        self._bits = window_bits
        self._inflater = zlib.decompressobj(window_bits)
        self._decoded = bytearray()
        self._received = 0

    def add(self, piece: bytes) -> None:
        if not self._received and self._bits == _ZLIB and piece[0] & 0x0F != 8:
            self._inflater = zlib.decompressobj(_RAW)  # what some servers call deflate (RFC 9110 8.4.1.2)
        self._received += len(piece)
        if self._received > self._max_bytes + _FRAME_BYTES:  # endless empty blocks decode to nothing
            raise too_large(self._max_bytes)
        try:
            self._inflate(piece)
        except zlib.error as error:
            raise ProtocolError(f"The body is not what its Content-Encoding says: {error}.") from error

    def finish(self) -> bytes:
        if self._received and not self._inflater.eof:
            raise ProtocolError("The compressed body is cut short.")
        return bytes(self._decoded)

    def _inflate(self, piece: bytes) -> None:
        while piece:
            if self._inflater.eof:
                if self._bits != _GZIP:
                    raise ProtocolError("Bytes follow the end of the compressed body.")
                self._inflater = zlib.decompressobj(_GZIP)
            # One byte beyond the cap is enough to know, and all that is ever made.
            room = self._max_bytes - len(self._decoded) + 1
            self._decoded += self._inflater.decompress(piece, room)
            if len(self._decoded) > self._max_bytes:
                raise too_large(self._max_bytes)
            piece = self._inflater.unconsumed_tail or self._inflater.unused_data


def too_large(max_bytes: int) -> TooLarge:
    """Say that the body passes the cap."""
    return TooLarge(f"The answer's body is larger than {max_bytes} bytes.")
