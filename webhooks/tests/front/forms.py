"""multipart/form-data by hand, so that it can be wrong."""

from __future__ import annotations

BOUNDARY = b"XX"


def field(name: str, value: str) -> tuple[bytes, bytes]:
    """A field of a form."""
    return f'Content-Disposition: form-data; name="{name}"'.encode(), value.encode()


def file(name: str, filename: str, data: bytes, content_type: str = "image/png") -> tuple[bytes, bytes]:
    """A file of a form."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {content_type}'
    return head.encode(), data


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """A form of these parts, with the boundary XX."""
    pieces = [b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts]
    return b"".join(pieces) + b"--" + BOUNDARY + b"--\r\n"
