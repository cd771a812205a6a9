"""Names say what a thing is, and each file says its reason in its first line."""

import ast

from tests.architecture.source import all_sources

# Drawers that everything ends up in; name the file by its noun instead.
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "handler", "handlers", "lib"}
# One word per idea (style 4): a Run is never a job, a Step never a node.
STRANGERS = {"Job", "Execution", "Task", "Node", "Flow"}


def test_no_file_is_a_drawer():
    assert [source.path for source in all_sources() if source.stem in DRAWERS] == []


def test_no_class_has_another_word_for_a_word_we_have():
    found = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in all_sources()
        if not source.is_test
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name in STRANGERS
    ]

    assert found == []


def test_each_file_says_what_it_is_for():
    silent = [source.path for source in all_sources() if source.tree.body and not ast.get_docstring(source.tree)]

    assert silent == []


def test_a_first_line_is_a_sentence():
    first_lines = {
        source.path: (ast.get_docstring(source.tree) or "").split("\n", 1)[0]
        for source in all_sources()
        if source.tree.body and not source.is_test
    }

    assert {path: line for path, line in first_lines.items() if line and not line.endswith((".", "?", ":"))} == {}
