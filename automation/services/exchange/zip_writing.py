"""The frame of a zip file with one deflated member whose size is known at the end (APPNOTE 6.3.10, 4.3 and 4.4.4)."""

from __future__ import annotations

import struct

from automation.services.exchange.form import MEMBER

_NAME = MEMBER.encode()
_NEEDED, _DEFLATED = 20, 8
_SIZE_FOLLOWS = 1 << 3 | 1 << 11  # sizes stand behind the data; the name is UTF-8
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01: equal content gives equal files
_PLAIN_FILE = 0o100644 << 16
_MADE_ON_UNIX = 3 << 8 | _NEEDED


def member_header() -> bytes:
    """What stands before the data."""
    fields = (0x04034B50, _NEEDED, _SIZE_FOLLOWS, _DEFLATED, _TIME, _DATE, 0, 0, 0, len(_NAME), 0)
    return struct.pack("<IHHHHHIIIHH", *fields) + _NAME


def file_end(crc: int, packed: int, size: int) -> bytes:
    """What stands behind the data: the sizes, the directory with its one entry, the end. At most 4 GiB."""
    sizes = struct.pack("<IIII", 0x08074B50, crc, packed, size)
    fields = (0x02014B50, _MADE_ON_UNIX, _NEEDED, _SIZE_FOLLOWS, _DEFLATED, _TIME, _DATE, crc, packed, size)
    entry = struct.pack("<IHHHHHHIIIHHHHHII", *fields, len(_NAME), 0, 0, 0, 0, _PLAIN_FILE, 0) + _NAME
    at = len(member_header()) + packed + len(sizes)
    return sizes + entry + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(entry), at, 0)
