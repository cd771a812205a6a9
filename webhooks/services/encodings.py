"""Content-Encoding: gzip and deflate are undone after the signature was checked, and never beyond a limit."""

from __future__ import annotations

from brainops.core.egress import decoding
from brainops.core.egress.errors import ProtocolError
from brainops.core.egress.errors import TooLarge as Beyond
from brainops.core.errors import InvalidInput, TooLarge, UnsupportedMediaType

_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})


def decoded(body: bytes, encoding: str, *, most: int) -> bytes:
    """The body as its sender wrote it, of at most `most` bytes.

    Raises UnsupportedMediaType for another encoding or several of them, TooLarge, and InvalidInput
    (`malformed_encoding`).
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in _KNOWN:
        said = f"The Content-Encoding {name[:40]!r} is not read. Send the body as it is, or with gzip or deflate."
        raise UnsupportedMediaType(said)
    if not body:
        return body
    sink = decoding.sink_for(name, most)
    try:
        sink.add(body)
        return sink.finish()
    except Beyond as error:
        said = f"Decompressed the body has more than {most:,} bytes, the most that this endpoint takes."
        raise TooLarge(said, details={"limit_bytes": most}) from error
    except ProtocolError as error:
        raise InvalidInput(f"The body is not {name} throughout.", code="malformed_encoding") from error
