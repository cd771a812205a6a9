"""A file of the exchange format, whatever form it is in: its workflows one by one, then what stands around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
import yaml
from django.conf import settings

from automation.services.exchange import form
from automation.services.exchange.json_reading import Document
from automation.services.exchange.yaml_reading import Bounds, YamlReader
from automation.services.exchange.zip_reading import open_member
from automation.services.field_checks import problems
from brainops.core import json_gate
from brainops.core.errors import AppError, InvalidInput, MalformedJson, Problem, TooLarge

Json = Any
Open = Callable[[], BinaryIO]

# Members that say whose a workflow was or what its secrets are. They mean nothing here: left out and reported.
IGNORED = frozenset(
    {"id", "owner", "owner_id", "workspace", "workspace_id", "created_by", "secrets", "credentials", "values", "etag"}
)
_LEVELS_AROUND = 4  # a definition stands this deep in its workflow


@dataclass(frozen=True, slots=True)
class Piece:
    """One workflow of a file. `value` is None when `problems` say that nothing can be read; pointers are whole.

    `checksum` is what its content sums up to, whatever the file says.
    """

    index: int
    value: dict[str, Json] | None
    problems: tuple[Problem, ...] = ()
    ignored: tuple[Problem, ...] = ()
    checksum: str = ""

    @property
    def pointer(self) -> str:
        """Where it stands in the file."""
        return f"/workflows/{self.index}"


@dataclass(slots=True)
class File:
    """A file to import. It may be read again and again; `open_` gives its bytes from the beginning.

    After a whole reading `frame` is what stands around the workflows. Every way in which the file as a whole cannot be
    used raises InvalidInput; what is wrong with one workflow is told in its piece.
    """

    open_: Open
    form: str
    frame: Mapping[str, Json] | None = None

    def pieces(self) -> Iterator[Piece]:
        """Every workflow, in order. Raises InvalidInput, TooLarge at the place where the file cannot be read on."""
        with self.open_() as outer:
            stream, key = outer, self.form
            if key == "zip":
                stream, key = open_member(outer, most_bytes=settings.BRAINOPS_LIMITS["import_unpacked_bytes"])
            read = {"json": self._json, "ndjson": self._ndjson, "yaml": self._yaml}[key]
            most = settings.BRAINOPS_LIMITS["import_workflows"]
            for index, piece in enumerate(read(stream)):
                if index >= most:
                    raise TooLarge(f"The file holds more than {most:,} workflows. Import it in parts.")
                yield _piece(index, piece)

    def _json(self, stream: BinaryIO) -> Iterator[bytes]:
        document = Document(stream, most_bytes=_item_bytes())
        yield from document.workflows()
        self._set_frame(document.frame)

    def _ndjson(self, stream: BinaryIO) -> Iterator[Json]:
        frame = self._line(stream, 0)
        number = 1
        while True:
            line = self._line(stream, number)
            if isinstance(line, dict) and set(line) == {"end"} and isinstance(line["end"], dict):
                break
            if not (isinstance(line, dict) and set(line) == {"workflow"}):
                said = f'Line {number + 1} must be {{"workflow": …}} or, as the last one, {{"end": …}}.'
                raise MalformedJson(said, code="malformed_ndjson")
            yield line["workflow"]
            number += 1
        if stream.read(1):
            raise MalformedJson(f"Something follows the end in line {number + 1}.", code="malformed_ndjson")
        self._set_frame({**frame, **line["end"]} if isinstance(frame, dict) else frame)

    def _line(self, stream: BinaryIO, number: int) -> Json:
        most = _item_bytes()
        line = stream.readline(most + 1)
        if len(line) > most:
            raise TooLarge(f"Line {number + 1} is longer than {most:,} bytes.", details={"limit_bytes": most})
        if not line.strip():
            said = f'Line {number + 1} is empty: the file ended before its last line, {{"end": …}}.'
            raise MalformedJson(said, code="malformed_ndjson")
        try:
            return json_gate.read(line, _limits())
        except InvalidInput as error:
            raise MalformedJson(f"Line {number + 1}: {error.message}", code="malformed_ndjson") from error

    def _yaml(self, stream: BinaryIO) -> Iterator[Json]:
        limits = _limits()
        reader = YamlReader(stream, Bounds(limits.depth + _LEVELS_AROUND, limits.keys, limits.body_bytes))
        reader.begin()
        if not reader.opens(yaml.MappingStartEvent):
            raise MalformedJson("An export is a mapping with format, format_version and workflows.")
        frame: dict[str, Json] = {}
        while not reader.opens(yaml.MappingEndEvent):
            key = reader.key()
            if key in frame:
                raise MalformedJson(f"YAML: the key {key[:60]!r} stands twice.", code="malformed_yaml")
            if key == "workflows" and reader.opens(yaml.SequenceStartEvent):
                while not reader.opens(yaml.SequenceEndEvent):
                    yield reader.value()
                frame[key] = []
            else:
                frame[key] = reader.value()
        reader.end()
        if frame.pop("workflows", None) != []:
            raise MalformedJson('"workflows" must be a list.')
        self._set_frame(frame)

    def _set_frame(self, frame: Json) -> None:
        found = list(problems(form.checker_of("frame"), frame))
        if found:
            raise InvalidInput.from_problems(found)
        self.frame = frame


def _piece(index: int, given: bytes | Json) -> Piece:
    """One workflow through the gate and against the schema."""
    at = f"/workflows/{index}"
    try:
        encoded = given if isinstance(given, bytes) else _encoded(given)
        value = json_gate.read(encoded, _limits())
    except AppError as error:
        told = [Problem(one.code, one.message, at + one.pointer) for one in error.problems]
        return Piece(index, None, tuple(told or [Problem(error.code, error.message, at)]))
    ignored: list[Problem] = []
    plain = _without_ignored(value, at, ignored)
    checker = form.checker_of("workflow")
    if checker.is_valid(plain):
        return _checked(index, value, plain, tuple(ignored))
    found = [Problem(one.code, one.message, at + one.pointer) for one in problems(checker, plain)]
    return Piece(index, plain if isinstance(plain, dict) else None, tuple(found), tuple(ignored))


def _checked(index: int, value: Json, plain: dict[str, Json], ignored: tuple[Problem, ...]) -> Piece:
    """A workflow of the right shape, against the checksum that stands in it."""
    checksum = form.checksum_of(value)
    if plain.get("checksum", checksum) == checksum:
        return Piece(index, plain, (), ignored, checksum)
    said = f"The workflow was changed: it sums up to {checksum}. If that was meant, remove its `checksum`."
    wrong = Problem("checksum_mismatch", said, f"/workflows/{index}/checksum")
    return Piece(index, plain, (wrong,), ignored, checksum)


def _encoded(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError) as error:  # lone surrogates, integers beyond 64 bits
        raise MalformedJson(f"It cannot be written as JSON: {error}.") from error


def _without_ignored(value: Json, at: str, ignored: list[Problem]) -> Json:
    """A workflow, and its triggers, without what is never imported."""
    if not isinstance(value, dict):
        return value
    for name in sorted(IGNORED & set(value)):
        said = f"{name!r} is never imported: workflows get new ids and owners, secrets are set in the workspace."
        ignored.append(Problem("ignored", said, f"{at}/{name}"))
    plain = {name: member for name, member in value.items() if name not in IGNORED}
    if isinstance(plain.get("triggers"), list):
        each = enumerate(plain["triggers"])
        plain["triggers"] = [_without_ignored(trigger, f"{at}/triggers/{place}", ignored) for place, trigger in each]
    return plain


def _item_bytes() -> int:
    return int(settings.BRAINOPS_LIMITS["import_item_bytes"])


def _limits() -> json_gate.Limits:
    """Of one workflow with its history: each of its versions may be as large as a request."""
    limits = json_gate.default_limits()
    most = _item_bytes()
    keys = max(limits.keys, most // 20)
    return json_gate.Limits(most, limits.depth + _LEVELS_AROUND, keys, limits.string_bytes)
