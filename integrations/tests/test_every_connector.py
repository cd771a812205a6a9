"""What every connector owes: declared data that is true, recorded exchanges that replay, no network of its own."""

import ast

import jsonschema_rs
import pytest

from integrations.contract import Result
from integrations.registry import all_actions, all_connectors, connector_of
from integrations.tests.replay import CONNECTORS, failure_written, fixtures, replay, written

ACTIONS = list(all_actions().items())
EXAMPLES = [(name, example) for name, action in ACTIONS for example in action.examples]
SOURCES = sorted(CONNECTORS.rglob("*.py"))
# All that the code of a connector may import besides the standard library's pure parts and its own folder.
OURS = {"integrations.contract", "integrations.messages", "integrations.refusals"}
NO_NETWORK = {
    "socket",
    "ssl",
    "http",
    "urllib.request",
    "smtplib",
    "ftplib",
    "asyncio",
    "subprocess",
    "threading",
    "os",
}


@pytest.mark.parametrize("key", all_connectors())
def test_a_connector_has_a_manual_and_at_least_one_action(key):
    assert (CONNECTORS / key / "README.md").read_text().startswith(f"# {all_connectors()[key].title}\n")
    assert any(connector_of(name).key == key for name in all_actions())


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_an_actions_schemas_are_valid_and_closed(name, action):
    jsonschema_rs.meta.validate(dict(action.config_schema))
    jsonschema_rs.meta.validate(dict(action.output_schema))
    assert action.config_schema["additionalProperties"] is False


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_an_action_shows_examples(name, action):
    assert action.examples


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_fits_the_schema_and_has_a_recording(name, example):
    recordings = {(connector, fixture): content for connector, fixture, content in fixtures()}

    jsonschema_rs.validate(dict(all_actions()[name].config_schema), dict(example.config))
    assert recordings[name.partition(".")[0], example.fixture]["config"] == example.config


@pytest.mark.parametrize(
    ("connector", "name", "fixture"), fixtures(), ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_recorded_exchange_replays(connector, name, fixture):
    action = all_actions()[f"{connector}.{fixture.get('action', 'request')}"]
    outcome, requests = replay(action, fixture)

    assert [written(request) for request in requests] == [exchange["request"] for exchange in fixture["exchanges"]]
    if isinstance(outcome, Result):
        jsonschema_rs.validate(dict(action.output_schema), outcome.output)
        assert outcome.output == fixture["result"]
    else:
        assert failure_written(outcome) == fixture["failure"]


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_a_dry_run_answers_in_the_shape_of_the_output(name, action):
    for example in action.examples:
        simulated = action.simulate(example.config)

        jsonschema_rs.validate(dict(action.output_schema), simulated.output)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CONNECTORS)))
def test_the_code_of_a_connector_cannot_reach_the_network(path):
    own = f"integrations.connectors.{path.relative_to(CONNECTORS).parts[0]}"
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)

    assert imported.isdisjoint(NO_NETWORK)
    assert {name for name in imported if name.startswith("integrations")} <= OURS | {
        name for name in imported if name.startswith(own)
    }
    assert not {
        name for name in imported if name.split(".")[0] in ("brainops", "django", "httpx2", "requests", "urllib3")
    }
