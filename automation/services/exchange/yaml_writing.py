"""YAML that reads the same in YAML 1.1 and 1.2: whatever one of them would take for a number or a word is quoted."""

from __future__ import annotations

import re
from typing import Any

import yaml

Json = Any

_WIDE = 1_000_000  # characters: lines are not folded, a diff shows what changed
# What the core schema of YAML 1.2 reads as a number and PyYAML's resolver of 1.1 does not: 1e3, 0o17.
_MORE_NUMBERS = re.compile(r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)$")


class _Dumper(yaml.CSafeDumper):
    """Plain blocks: no anchors, no tags, no sorting."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value again instead of pointing at it: readers here refuse aliases."""
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and not text.startswith((" ", "\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _MORE_NUMBERS, list("-+.0123456789"))


def dump(value: Json, *, indent: int = 0) -> bytes:
    """The value as YAML blocks, each line moved in by `indent` spaces."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE, encoding=None)
    if indent:
        space = " " * indent
        text = "\n".join(space + line if line else line for line in text.split("\n"))
    return text.encode()
