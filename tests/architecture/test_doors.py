"""Doors of the API begin every query at the caller's workspace; the exceptions stand here with their reason."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Source, all_sources

DOORS = ("brainops/accounts/api/", "automation/api/", "webhooks/api/", "brainops/core/api/")
# What gives its `queryset` to the wall (brainops/accounts/scoping.py) before anybody reads it.
WALLED = {"ScopedViewSet"}
# `file class.function`: why these rows are the caller's, or everybody's.
ALLOWED = {
    "automation/api/firings.py FiringViewSet.list": "of a trigger that was looked up for the caller in the same line",
    "brainops/accounts/api/me.py MeView._body": "the caller's own memberships, by the caller's id",
    "brainops/accounts/api/my_sessions.py MySessionViewSet": "no row at all; the caller's own come from the service",
    "brainops/accounts/api/own.py own_session": "the caller's own login, by the caller's id",
    "brainops/accounts/api/own.py own_user": "the caller, by the caller's id",
    "brainops/accounts/api/quotas.py QuotasView.get": "staff read quotas of any workspace; asked in the line before",
}
# SQL of a door's own.
SQL_ALLOWED = {
    "automation/api/starting.py _inner_id": "the inner id of a run that this request has just started",
    "brainops/accounts/api/authentication.py _is_slug_of": "asks who is calling: no workspace is known yet",
    "brainops/accounts/api/authentication.py _of_token": "asks who is calling: no workspace is known yet",
}
NEVER_IMPORTED = {
    "pickle": "a stream that runs code when it is read",
    "cPickle": "a stream that runs code when it is read",
    "dill": "a stream that runs code when it is read",
    "marshal": "a stream that crashes the reader",
    "shelve": "pickle in a file",
    "telnetlib": "no encryption",
    "ftplib": "no encryption",
}
NEVER_CALLED = {"eval", "exec", "compile", "__import__", "mark_safe"}


def names_of(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the classes and functions around it, as `Class.function`."""

    def walk(node: ast.AST, around: tuple[str, ...]) -> Iterator[tuple[str, ast.AST]]:
        yield ".".join(around), node
        inner = (*around, node.name) if isinstance(node, ast.ClassDef | ast.FunctionDef) else around
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    yield from walk(source.tree, ())


def walled_classes(source: Source) -> set[str]:
    return {
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and {getattr(base, "id", "") for base in node.bases} & WALLED
    }


def unscoped(source: Source) -> set[str]:
    """`file place` of every `Model.objects` that is not the queryset of a walled view."""
    walled = walled_classes(source)
    return {
        f"{source.path} {place}"
        for place, node in names_of(source)
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_base_manager", "_default_manager")
        if place not in walled
    }


def doors() -> list[Source]:
    return [source for source in all_sources() if source.path.startswith(DOORS) and not source.is_test]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("class A(ScopedViewSet):\n    queryset = M.objects.all()", set()),
        ("class A(APIView):\n    queryset = M.objects.all()", {"x.py A"}),
        ("class A(ScopedViewSet):\n    def get(self):\n        return M.objects.get(id=1)", {"x.py A.get"}),
        ("def f():\n    return M._base_manager.all()", {"x.py f"}),
    ],
)
def test_the_check_knows_a_queryset_without_its_wall(text, found):
    assert unscoped(Source("x.py", text, ast.parse(text))) == found


def test_no_door_of_the_api_begins_a_query_elsewhere():
    found = {place for source in doors() for place in unscoped(source)}

    assert found == ALLOWED.keys()


def test_no_door_speaks_sql_itself_but_those_named():
    cursors = {
        f"{source.path} {place}"
        for source in doors()
        for place, node in names_of(source)
        if isinstance(node, ast.Attribute) and node.attr in ("cursor", "raw", "extra")
    }

    assert cursors == SQL_ALLOWED.keys()


def test_nothing_reads_streams_that_run_code_or_runs_text():
    imported = {
        f"{source.path} {alias.name}"
        for source in all_sources()
        if not source.is_test
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, ast.alias(getattr(node, "module", None) or "")]
        if alias.name.partition(".")[0] in NEVER_IMPORTED
    }
    called = {
        f"{source.path} {place} {node.func.id}"
        for source in all_sources()
        if not source.is_test
        for place, node in names_of(source)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NEVER_CALLED
    }

    assert imported == set()
    assert called == set()
