"""CloudEvents in binary mode: attributes in `ce-` headers, data as the body. Pure.

Source: cloudevents/spec v1.0.2, bindings/http-protocol-binding.md, 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from automation.engine.cloud_events import check
from automation.engine.problem import Problem

PREFIX = "ce-"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def attributes_of(headers: Mapping[str, str], *, content_type: str) -> tuple[dict[str, str], list[Problem]]:
    """The attributes of headers with lower-case names, and every problem; each pointer is a header's name."""
    said, found = {}, []
    for name, value in headers.items():
        if not name.startswith(PREFIX):
            continue
        try:
            said[name.removeprefix(PREFIX)] = decoded(value)
        except ValueError as error:
            found.append(Problem("wrong_encoding", f"The header {name[:60]} {error}", name))
    if "datacontenttype" in said:
        said.pop("datacontenttype")
        found.append(Problem("conflict", "In binary mode the type of the data is Content-Type.", "ce-datacontenttype"))
    if content_type:
        said["datacontenttype"] = content_type
    wrong = {problem.pointer for problem in found}
    return said, found + [one for one in _named(check(said)) if one.pointer not in wrong]


def decoded(value: str) -> str:
    """The text of a header's value (3.1.3.2): unquoted, then percent-decoded once. Raises ValueError with a reason."""
    if (quoted := _QUOTED.fullmatch(value.strip())) is not None:
        value = _ESCAPED.sub(r"\1", quoted.group(1))
    if not value.isascii():
        raise ValueError("holds bytes beyond ASCII: percent-encode its UTF-8.")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise ValueError("is percent-encoded, but not UTF-8.") from None


def _named(problems: Iterator[Problem]) -> Iterator[Problem]:
    """Problems of attributes, under the names of their headers."""
    for problem in problems:
        name = problem.pointer.removeprefix("/")
        yield replace(problem, pointer="Content-Type" if name == "datacontenttype" else f"{PREFIX}{name}")
