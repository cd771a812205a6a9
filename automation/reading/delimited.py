"""Rows of CSV: fields between delimiters, quoted where they must be. RFC 4180, with a choice of characters."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from itertools import chain

from automation.reading.items import Malformed, Options, Read
from automation.reading.records import Unfit, records
from automation.reading.text import LongLine, is_storable, lines

LIKELY = ",;\t|"
# A quote that is never closed would take the rest of the file along; the reader refuses at csv's own limit of a field,
# and the lines after the first are read again as rows of their own.


class _Lines:
    """Lines for csv's reader: those of the record under way can be taken back."""

    def __init__(self, source: Iterator[str | LongLine]) -> None:
        self._source = source
        self._again: deque[str | LongLine] = deque()
        self.record: list[str | LongLine] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.record.append(line)
        if isinstance(line, LongLine):
            raise line
        return line

    def begin(self) -> None:
        """The next line begins a record."""
        self.record.clear()

    def take_back(self) -> None:
        """Read all lines of this record but the first once more."""
        self._again.extendleft(reversed(self.record[1:]))
        self.record.clear()


def read_csv(text: io.TextIOWrapper, options: Options) -> Iterator[Read | Malformed]:
    """The rows of a text."""
    return records(_rows(text, options), options)


def _rows(text: io.TextIOWrapper, options: Options) -> Iterator[list[str] | Unfit]:
    source = lines(text)
    first = next(source, "")
    delimiter = options.delimiter or _likely(first if isinstance(first, str) else "")
    given = _Lines(chain([first], source))
    reader = csv.reader(
        given,
        delimiter=delimiter,
        quotechar=options.quote or None,
        quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        given.begin()
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, LongLine) as error:
            yield Unfit(_why(error))
            given.take_back()
            continue
        if row:
            is_whole = all(is_storable(line) for line in given.record if isinstance(line, str))
            yield row if is_whole else Unfit("it holds bytes that are no text in this encoding")


def _likely(line: str) -> str:
    """The delimiter that stands most often in the first line, outside of quotes."""
    bare = "".join(line.split('"')[::2])
    return max(LIKELY, key=bare.count)


def _why(error: Exception) -> str:
    if isinstance(error, LongLine):
        return str(error)
    said = str(error)
    if "unexpected end" in said or "field larger" in said:
        return "its quote is never closed"
    return f"its quotes make no sense ({said})"
