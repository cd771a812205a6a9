"""What a document names outside of itself."""

from __future__ import annotations

from automation.engine.mentions import Mention, Mentions, mentions
from automation.steps import all_kinds

DOCUMENT = {
    "schema": 1,
    "steps": [
        {
            "id": "read",
            "uses": "http.request",
            "connection": "shop",
            "with": {"url": "{{ vars.base }}/{{ vars.path }}", "headers": {"Authorization": "{{ secrets.token }}"}},
        },
        {
            "id": "each",
            "for_each": {"items": "{{ vars.lines }}"},
            "steps": [{"id": "say", "uses": "log", "with": {"message": "{{ vars.base }} {{ item }}"}}],
        },
        {"id": "bill", "call": {"workflow": "Billing", "inputs": {"key": "{{ vars.key.part }}"}}},
        {"id": "other", "call": {"workflow": "{{ inputs.which }}"}},
    ],
    "settings": {"on_failure": "Tell somebody"},
}


def test_a_document_names_each_thing_once_and_where_it_stands_first():
    assert mentions(DOCUMENT, all_kinds()) == Mentions(
        vars=(
            Mention("base", "/steps/0/with/url"),
            Mention("path", "/steps/0/with/url"),
            Mention("lines", "/steps/1/for_each/items"),
            Mention("key", "/steps/2/call/inputs/key"),
        ),
        secrets=(Mention("token", "/steps/0/with/headers/Authorization"),),
        connections=(Mention("shop", "/steps/0/connection"),),
        calls=(Mention("Billing", "/steps/2/call/workflow"), Mention("Tell somebody", "/settings/on_failure")),
    )


def test_the_names_of_one_sort_stand_without_their_places():
    assert mentions(DOCUMENT, all_kinds()).names("vars") == ("base", "path", "lines", "key")


def test_a_computed_key_may_mean_any_variable():
    document = {"schema": 1, "steps": [], "output": "{{ vars[inputs.name] }}"}

    assert mentions(document, all_kinds()) == Mentions(reads_all_vars=True)


def test_what_is_no_document_names_nothing():
    assert [mentions(value, all_kinds()) for value in ({}, {"steps": 7}, {"steps": [{"with": {"a": "{{ vars."}}]})] == [
        Mentions(),
        Mentions(),
        Mentions(),
    ]


def test_braces_that_are_no_expressions_name_nothing():
    document = {"schema": 1, "steps": [{"id": "c", "uses": "code", "with": {"code": "x = '{{ secrets.t }}'"}}]}

    assert mentions(document, all_kinds()) == Mentions()
