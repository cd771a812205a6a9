"""Finding connectors and actions by folder scan."""

import sys

import pytest

from integrations import connectors
from integrations.contract import Effect
from integrations.registry import BrokenConnector, all_actions, all_connectors, connector_of

MANIFEST = """
from integrations.contract import Connector
CONNECTOR = Connector(key="{key}", title="Planted", description="For a test.", icon="science")
"""
ACTION = """
from integrations.contract import Action, Effect, Result

def run(call):
    return Result(None)
    yield

ACTION = Action(key="{key}", title="T", description="D", effect=Effect.READ, config_schema={{}}, output_schema={{}}, run=run)
"""


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Put files into a connectors folder that the scan also looks at."""
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    _forget()

    def write(**files):
        for name, text in files.items():
            path = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.parent.joinpath("__init__.py").touch()
            path.write_text(text)

    yield write
    _forget()
    for name in [name for name in sys.modules if name.startswith("integrations.connectors.planted")]:
        del sys.modules[name]


def _forget():
    all_connectors.cache_clear()
    all_actions.cache_clear()


def test_the_http_connector_is_found():
    action = all_actions()["http.request"]

    assert connector_of("http.request") is all_connectors()["http"]
    assert (action.key, action.effect) == ("request", Effect.SEND)


def test_a_folder_is_all_that_a_new_connector_needs(plant):
    plant(
        planted__connector=MANIFEST.format(key="planted"),
        planted__list_things=ACTION.format(key="list_things"),
        planted__shared="LIMIT = 1",
    )

    assert all_connectors()["planted"].title == "Planted"
    assert [name for name in all_actions() if name.startswith("planted.")] == ["planted.list_things"]


def test_a_key_that_is_not_the_name_of_its_folder_is_refused(plant):
    plant(planted__connector=MANIFEST.format(key="other"))

    with pytest.raises(BrokenConnector, match="the key is 'other', it must be 'planted'"):
        all_connectors()


def test_a_key_that_is_not_the_name_of_its_file_is_refused(plant):
    plant(planted__connector=MANIFEST.format(key="planted"), planted__act=ACTION.format(key="other"))

    with pytest.raises(BrokenConnector, match="the key is 'other', it must be 'act'"):
        all_actions()


def test_a_folder_without_a_manifest_is_refused(plant):
    plant(planted__connector="")

    with pytest.raises(BrokenConnector, match="must hold one Connector, got None"):
        all_connectors()


def test_an_unknown_name_belongs_to_no_connector():
    with pytest.raises(KeyError):
        connector_of("nothing.here")
