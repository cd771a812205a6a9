"""Forms: fields for the simple types of a JSON Schema, a text of JSON for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from brainops.core import json_gate
from brainops.core.errors import InvalidInput, MalformedJson, Problem

MOST_FIELDS = 50
LONG_TEXT = 200  # characters; a text that may be longer gets a larger field
PREFIX = "data."
_FORMATS = {"date": "date", "email": "email", "uri": "url"}
_TEXTS = frozenset({"text", "area", *_FORMATS.values()})  # kinds whose values are texts as they stand

Json = Any
Posted = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is text, area, email, url, number, date, check, choice or json.

    `choices` pairs JSON text with a label. `problem` is what is wrong with the value.
    """

    name: str
    title: str
    hint: str
    kind: str
    value: str
    is_required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    step: str = "any"
    problem: str = ""


def fields(form: Mapping[str, Json] | None, posted: Posted | None = None, *, is_ordered: bool = False) -> list[Field]:
    """The fields of a form with what was posted, else with its defaults; required ones first unless it `is_ordered`.

    The database keeps no order of an object's members.
    """
    made = [_field(name, rule, form or {}, posted) for name, rule in _rules(form)]
    return made if is_ordered else sorted(made, key=lambda field: not field.is_required)


def read(form: Mapping[str, Json] | None, posted: Posted) -> Json:
    """The data that was entered; None without a form. Raises InvalidInput for what is no number and no JSON."""
    if form is None:
        return None
    if _is_one_text(form):
        return _parse("json", "", posted.get(PREFIX, ""))
    data: dict[str, Json] = {}
    problems: list[Problem] = []
    for field in fields(form, posted):
        text = posted.get(PREFIX + field.name, "")
        try:
            if text.strip() or field.kind == "check":
                data[field.name] = _parse(field.kind, field.title, text)
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput.from_problems(problems)
    return data


def _rules(form: Mapping[str, Json] | None) -> Iterator[tuple[str, Mapping[str, Json]]]:
    if form is None:
        return
    if _is_one_text(form):
        yield "", {"title": form.get("title", "Data"), "description": form.get("description", "")}
        return
    for name, rule in form["properties"].items():
        yield name, rule if isinstance(rule, dict) else {}


def _is_one_text(form: Mapping[str, Json]) -> bool:
    """True for a schema that fields cannot show: not an object with named members."""
    properties = form.get("properties")
    return not isinstance(properties, dict) or not 0 < len(properties) <= MOST_FIELDS


def _field(name: str, rule: Mapping[str, Json], form: Mapping[str, Json], posted: Posted | None) -> Field:
    kind = _kind(rule)
    required = form.get("required")
    return Field(
        name=name,
        title=str(rule.get("title") or name.replace("_", " ").capitalize()),
        hint=str(rule.get("description") or _limits(rule)),
        kind=kind,
        value=_default(kind, rule) if posted is None else posted.get(PREFIX + name, ""),
        is_required=isinstance(required, list) and name in required and kind != "check",
        choices=tuple((_text(one), str(one)) for one in rule["enum"]) if kind == "choice" else (),
        step="1" if rule.get("type") == "integer" else "any",
    )


def _kind(rule: Mapping[str, Json]) -> str:
    if isinstance(rule.get("enum"), list):
        return "choice"
    match rule.get("type"):
        case "string" if rule.get("format") in _FORMATS:
            return _FORMATS[rule["format"]]
        case "string":
            return "area" if rule.get("maxLength", LONG_TEXT) > LONG_TEXT else "text"
        case "number" | "integer":
            return "number"
        case "boolean":
            return "check"
    return "json"


def _limits(rule: Mapping[str, Json]) -> str:
    words = {"minimum": "at least", "maximum": "at most", "minLength": "at least", "maxLength": "at most"}
    found = [f"{word} {rule[name]}" for name, word in words.items() if name in rule]
    unit = " characters" if "minLength" in rule or "maxLength" in rule else ""
    return f"{', '.join(found).capitalize()}{unit}." if found else ""


def _default(kind: str, rule: Mapping[str, Json]) -> str:
    if "default" not in rule:
        return ""
    value = rule["default"]
    if kind == "check":
        return "on" if value is True else ""
    return str(value) if kind in {*_TEXTS, "number"} else _text(value)


def _parse(kind: str, title: str, text: str) -> Json:
    if kind in _TEXTS:
        return text
    if kind == "check":
        return bool(text)
    if not text.strip():
        return None
    try:
        return json_gate.read(text.encode())
    except MalformedJson as error:
        what = "a number" if kind == "number" else "JSON"
        said = f"{title or 'The data'} must be {what}, got {text[:40]!r}."
        raise InvalidInput(said, problems=[Problem("malformed", said)]) from error


def _text(value: Json) -> str:
    return orjson.dumps(value).decode()
