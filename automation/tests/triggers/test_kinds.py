"""Trigger kinds: found in every app, and what they declare holds."""

import sys
from types import ModuleType

import pytest

from automation import triggers
from automation.engine.checker import Checker
from automation.triggers import BrokenTriggerKind, all_trigger_kinds
from automation.triggers.contract import TriggerKind

EXAMPLES = [
    pytest.param(kind, example, id=f"{kind.key} {number}")
    for kind in all_trigger_kinds().values()
    for number, example in enumerate(kind.examples)
]


def module_with(name, kind):
    module = ModuleType(f"shop.triggers.{name}")
    module.KIND = kind
    return module


def kind(key):
    return TriggerKind(key=key, title="", description="", icon="", config_schema={})


def test_kinds_of_every_app_are_found_by_their_files():
    assert {"schedule", "webhook"} <= set(all_trigger_kinds())
    assert [*all_trigger_kinds()] == sorted(all_trigger_kinds())


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_of_a_kind_passes_its_own_checks(kind, example, settings):
    settings.BRAINOPS_WATCHED_MODELS = ["auth.Group"]

    assert Checker(kind.config_schema).violations(example) == ()
    assert list(kind.check(example)) == []
    assert kind.complete(kind.complete(example)) == kind.complete(example)


@pytest.mark.parametrize("kind", all_trigger_kinds().values(), ids=lambda kind: kind.key)
def test_a_kind_says_what_it_is_and_shows_an_example(kind):
    assert all((kind.title, kind.description, kind.icon, kind.examples))
    assert kind.config_schema["additionalProperties"] is False
    assert kind.secret_keys <= set(kind.config_schema["properties"])


def test_a_key_must_be_the_name_of_its_file():
    with pytest.raises(BrokenTriggerKind) as refusal:
        triggers._checked(module_with("mail", kind("email")))

    assert str(refusal.value) == "shop.triggers.mail: the key is 'email', it must be 'mail' like its file."


def test_a_kind_must_be_declared_as_one():
    with pytest.raises(BrokenTriggerKind) as refusal:
        triggers._checked(module_with("mail", "mail"))

    assert str(refusal.value) == "shop.triggers.mail must hold one TriggerKind, got 'mail'."


def test_two_apps_cannot_have_the_same_kind(monkeypatch, settings, tmp_path):
    package = tmp_path / "shop_for_test"
    (package / "triggers").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "triggers" / "__init__.py").write_text("")
    (package / "triggers" / "schedule.py").write_text("from automation.triggers.schedule import KIND\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "shop_for_test"]

    with pytest.raises(BrokenTriggerKind) as refusal:
        all_trigger_kinds.__wrapped__()

    assert "another app has a trigger kind 'schedule' already" in str(refusal.value)
    for name in [name for name in sys.modules if name.startswith("shop_for_test")]:
        del sys.modules[name]
