"""A document that names other things than before says everything else as it did."""

from __future__ import annotations

import pytest

from automation.engine.renaming import Renaming, renamed, renamed_text
from automation.steps import all_kinds

ROOTS = {"vars": {"a": "b", "two": "two words"}, "secrets": {"a": "z"}}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{ vars.a }}", "{{ vars.b }}"),
        ("{{ vars['a'].x }}", '{{ vars["b"].x }}'),
        ("{{ vars[ 'a' ] }}", '{{ vars[ "b" ] }}'),
        ("{{ vars.two|upper }}", '{{ vars["two words"]|upper }}'),
        ("vars.a {{ vars.a }} vars.a", "vars.a {{ vars.b }} vars.a"),
        ("{{ vars.a ~ 'vars.a' ~ secrets.a }}", "{{ vars.b ~ 'vars.a' ~ secrets.z }}"),
        ("{{ vars.a }}{{ vars.a }}", "{{ vars.b }}{{ vars.b }}"),
        ("{{ inputs.vars.a }}", "{{ inputs.vars.a }}"),
        ("{{ vars.ab }}", "{{ vars.ab }}"),
        ("{{ vars[inputs.a] }}", "{{ vars[inputs.a] }}"),
        ("{{ vars }}", "{{ vars }}"),
        ("{{ vars.a", "{{ vars.a"),
        ("{{ § vars.a }}", "{{ § vars.a }}"),
    ],
)
def test_a_name_is_changed_where_it_is_one(text: str, wanted: str):
    assert renamed_text(text, ROOTS) == wanted


def test_names_change_in_every_place_of_a_document_and_nowhere_else():
    document = {
        "schema": 1,
        "inputs": {"type": "object", "properties": {"x": {"default": "{{ vars.a }}"}}},
        "steps": [
            {
                "id": "each",
                "for_each": {"items": "{{ vars.a }}"},
                "steps": [{"id": "say", "uses": "log", "with": {"message": "{{ vars.a }}"}}],
            },
            {"id": "run", "uses": "code", "with": {"code": "'{{ vars.a }}'"}},
            {"id": "send", "uses": "http.request", "connection": "shop", "with": {"url": "{{ secrets.a }}"}},
            {"id": "call", "call": {"workflow": "Old", "inputs": {"x": ["{{ vars.a }}"]}}},
        ],
        "output": {"a/b~c": "{{ vars.a }}"},
        "settings": {"on_failure": "Old", "concurrency": {"limit": 1, "key": "{{ inputs.x }}"}},
    }
    names = Renaming({"a": "b"}, {"a": "z"}, {"shop": "store"}, {"Old": "New"})

    made = renamed(document, names, all_kinds())

    steps = made["steps"]
    assert made["inputs"] == document["inputs"]
    assert steps[0]["for_each"]["items"] == steps[0]["steps"][0]["with"]["message"] == "{{ vars.b }}"
    assert steps[1] == document["steps"][1]
    assert (steps[2]["connection"], steps[2]["with"]["url"]) == ("store", "{{ secrets.z }}")
    assert steps[3]["call"] == {"workflow": "New", "inputs": {"x": ["{{ vars.b }}"]}}
    assert (made["output"], made["settings"]["on_failure"]) == ({"a/b~c": "{{ vars.b }}"}, "New")
    assert document["steps"][2]["connection"] == "shop"  # the given one stays
