"""Rows of a sheet of an XLSX workbook: a zip file of XML, opened with suspicion."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from defusedxml.common import DefusedXmlException
from openpyxl import DEFUSEDXML, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from automation.engine.wording import did_you_mean, quoted
from automation.reading.items import Malformed, Options, Read, ReadFault
from automation.reading.records import Unfit, records
from automation.reading.text import is_storable

Json = Any

MOST_MEMBERS = 5_000
MOST_BYTES = 512 << 20  # of all members unpacked
MOST_HELD_BYTES = 64 << 20  # of a member that is not read row by row: the shared texts, the styles
MOST_RATIO = 250  # unpacked to packed, of a member of more than a megabyte; tables reach 20 to 60
_SHEETS = "xl/worksheets/"
_DAMAGED = (zipfile.BadZipFile, InvalidFileException, DefusedXmlException, KeyError, ValueError, TypeError, SyntaxError)


def read_xlsx(stream: BinaryIO, options: Options) -> Iterator[Read | Malformed]:
    """The rows of a sheet. Empty rows are left out. Raises ReadFault for what is no workbook, or a bomb."""
    check_zip(stream)
    return records(_rows(stream, options), options, pads=True)


def check_zip(stream: BinaryIO) -> None:
    """Refuse a zip file that unpacks to more than a table does. Nobody unpacks more than it says here.

    Python's zipfile stops a member at the size that the directory names.
    """
    if not DEFUSEDXML:
        raise ReadFault("unsafe", "XLSX is not read: the package defusedxml is missing.")
    try:
        with zipfile.ZipFile(stream) as found:
            members = found.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ReadFault("no_workbook", f"The file is no XLSX workbook: {error}.") from error
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
        raise ReadFault(
            "too_large", f"The workbook unpacks to more than {MOST_BYTES:,} bytes or {MOST_MEMBERS:,} parts."
        )
    for member in members:
        is_bomb = member.file_size > (1 << 20) and member.file_size > MOST_RATIO * max(member.compress_size, 1)
        if is_bomb or (member.file_size > MOST_HELD_BYTES and not member.filename.startswith(_SHEETS)):
            raise ReadFault("too_large", f"The part {quoted(member.filename)} unpacks to {member.file_size:,} bytes.")


def _rows(stream: BinaryIO, options: Options) -> Iterator[list[Json] | Unfit]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that are not read
            book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            sheet = book[options.sheet] if options.sheet else book.worksheets[0]
            for row in sheet.iter_rows(values_only=True):
                if found := _fields(row):
                    yield found
    except KeyError as error:
        if options.sheet and "book" in locals() and options.sheet not in book.sheetnames:
            hint = did_you_mean(options.sheet, book.sheetnames)
            raise ReadFault("no_sheet", f"The workbook has no sheet {quoted(options.sheet)}.{hint}") from error
        raise _damaged(error) from error
    except (IndexError, *_DAMAGED) as error:
        raise _damaged(error) from error


def _fields(row: tuple[Any, ...]) -> list[Json] | Unfit | None:
    """The values of a row without the empty ones at its end; None for an empty row."""
    last = next((place for place in range(len(row), 0, -1) if row[place - 1] is not None), 0)
    if not last:
        return None
    fields = [_plain(value) for value in row[:last]]
    if all(is_storable(value) for value in fields if isinstance(value, str)):
        return fields
    return Unfit("it holds a character that cannot be stored")


def _plain(value: Any) -> Json:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _damaged(error: Exception) -> ReadFault:
    said = str(error).partition("\n")[0]
    if any(isinstance(one, DefusedXmlException) for one in _causes(error)):
        said = "it declares entities or refers to other files"
    return ReadFault("no_workbook", f"The workbook cannot be read: {said[:200].removesuffix('.')}.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came of: openpyxl hides what the parser said."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
