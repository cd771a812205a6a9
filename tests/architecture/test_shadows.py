"""A comprehension's variable never hides a name of the module that the same function uses.

Readers stumble over it, and so does Python 3.12.1: it inlines comprehensions, and then takes the
module's name for an unset local variable (UnboundLocalError).
"""

import ast

from tests.architecture.source import all_sources

Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_names(tree: ast.Module) -> set[str]:
    """What stands at the top of a module: functions, classes, imports, constants."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def comprehension_names(function: Function) -> set[str]:
    """The variables of all comprehensions within a function."""
    return {
        name.id
        for node in ast.walk(function)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }


def test_no_comprehension_hides_a_name_of_its_module():
    found = [
        f"{source.path}:{function.lineno} {function.name}: {', '.join(sorted(hidden))}"
        for source in all_sources()
        for function in ast.walk(source.tree)
        if isinstance(function, Function) and (hidden := comprehension_names(function) & module_names(source.tree))
    ]

    assert found == []
