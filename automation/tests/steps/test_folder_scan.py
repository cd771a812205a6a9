"""The folder scan refuses files that break the contract."""

import sys
from types import ModuleType

import pytest

from automation import steps
from automation.tests.engine.samples import kind


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (None, "automation.steps.probe must hold one Kind named KIND, got None."),
        ("text", "automation.steps.probe must hold one Kind named KIND, got 'text'."),
        (kind("other"), "automation.steps.probe: the key is 'other', it must be 'probe' like its file."),
    ],
)
def test_a_file_that_breaks_the_contract_is_named(monkeypatch, declared, message):
    module = ModuleType("automation.steps.probe")
    module.KIND = declared
    monkeypatch.setitem(sys.modules, "automation.steps.probe", module)

    with pytest.raises(steps.BrokenKind) as refused:
        steps._kind_in("automation.steps.probe")

    assert str(refused.value) == message
