"""One JSON document read as a stream: the workflows one by one, and the rest of it, the frame, at the end.

The document is cut at brackets outside of strings; each piece then goes through the JSON gate. What is left when the
workflows are taken out must be a JSON document itself, so a comma too many or a second `workflows` cannot hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from brainops.core import json_gate
from brainops.core.errors import MalformedJson, TooLarge

Json = Any

READ_BYTES = 256 << 10
FRAME_BYTES = 1 << 20  # of the frame, white space aside
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[{}\[\]]', re.DOTALL)
_WORKFLOWS = b'"workflows"'
_SPACE = b" \t\r\n"
_STANDS_IN = b"0"  # for each workflow that was taken out of the frame
_NOTHING = b""


class Document:
    """Cuts a document. `frame` is the rest of it as a value, once `workflows` has ended."""

    def __init__(self, stream: BinaryIO, *, most_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._scanned = 0  # how far the buffer has been looked through
        self._taken = 0  # how far it has gone into the frame
        self._start: int | None = None  # where the workflow being read begins
        self._depth = 0
        self._is_list = False  # inside of the list of workflows
        self._last_string = _NOTHING
        self._rest = bytearray()
        self.count = 0
        self.frame: Json = None

    def workflows(self) -> Iterator[bytes]:
        """The text of each workflow. Raises MalformedJson, TooLarge; the frame is known afterwards."""
        while chunk := self._stream.read(READ_BYTES):
            self._buffer += chunk
            yield from self._cut()
            self._drop()
        self._keep(len(self._buffer))
        self.frame = self._read_frame()

    def _cut(self) -> Iterator[bytes]:
        for found in _TOKEN.finditer(self._buffer, self._scanned):
            token = found.group()
            if token[:1] == b'"':
                if not found.group(1):  # it goes on in the next chunk
                    self._scanned = found.start()
                    self._check_string(len(self._buffer) - self._scanned)
                    return
                self._last_string = token
            elif token in b"{[":
                self._open(token, found.start())
            else:
                piece = self._close(token, found.end())
                if piece is not None:
                    yield piece
            self._scanned = found.end()
        self._scanned = len(self._buffer)

    def _open(self, token: bytes, at: int) -> None:
        if self._is_list and self._depth == 2 and token == b"{":
            self._keep(at)
            self._start = at
        self._depth += 1
        if self._depth == 2 and token == b"[" and self._last_string == _WORKFLOWS:
            self._is_list = True

    def _close(self, token: bytes, end: int) -> bytes | None:
        self._depth -= 1
        if self._depth == 1:
            self._is_list = False
        if self._start is None or self._depth != 2:
            return None
        piece = bytes(self._buffer[self._start : end])
        self._start, self._taken = None, end
        self._rest += _STANDS_IN
        self.count += 1
        self._check_size(len(piece))
        return piece

    def _keep(self, end: int) -> None:
        """Put what stands before `end` into the frame; white space in the list does not count."""
        piece = bytes(self._buffer[self._taken : end])
        self._rest += piece.translate(None, _SPACE) if self._is_list else piece
        self._taken = end
        if len(self._rest) - 2 * self.count > FRAME_BYTES:
            raise TooLarge(f"What stands around the workflows is larger than {FRAME_BYTES:,} bytes.")

    def _drop(self) -> None:
        """Forget what has been read, up to the workflow or the string that goes on."""
        if self._start is not None:
            self._check_size(len(self._buffer) - self._start)
            end = self._start
        else:
            end = min(self._scanned, len(self._buffer))
            self._keep(max(end, self._taken))
        del self._buffer[:end]
        self._scanned -= end
        self._taken = max(self._taken - end, 0)
        self._start = None if self._start is None else 0

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            said = f"Workflow {self.count} of the file is larger than {self._most_bytes:,} bytes."
            raise TooLarge(said, details={"limit_bytes": self._most_bytes})

    @staticmethod
    def _check_string(size: int) -> None:
        most = json_gate.default_limits().string_bytes
        if size > most + READ_BYTES:
            raise TooLarge(f"The file holds a text of more than {most:,} bytes.", details={"limit_bytes": most})

    def _read_frame(self) -> Json:
        limits = json_gate.default_limits()
        bounds = json_gate.Limits(len(self._rest), limits.depth, limits.keys, limits.string_bytes)
        frame = json_gate.read(bytes(self._rest), bounds)
        if not isinstance(frame, dict):
            raise MalformedJson('An export is an object with "format", "format_version" and "workflows".')
        listed = frame.pop("workflows", None)
        if listed != [0] * self.count:
            raise MalformedJson('"workflows" must be a list of objects.')
        return frame
