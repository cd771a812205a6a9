"""Files and functions stay small enough to be read in one sitting."""

import ast

from tests.architecture.source import all_sources

FILE_LINES = 400
FUNCTION_LINES = 60


def test_no_file_is_longer_than_the_wall():
    lengths = {source.path: len(source.text.splitlines()) for source in all_sources()}

    assert {path: length for path, length in lengths.items() if length > FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen():
    lengths = {
        f"{source.path}:{function.lineno} {function.name}": function.end_lineno - function.lineno + 1
        for source in all_sources()
        for function in ast.walk(source.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}
