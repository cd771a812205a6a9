"""sample_of: a value of a schema's shape."""

import pytest

from automation.engine.sampling import sample_of


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 5}, 5),
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "integer", "examples": [7, 8]}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string"}, ""),
        ({"type": "number"}, 0),
        ({"type": "boolean"}, False),
        ({"type": ["string", "null"]}, ""),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, [""]),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"properties": {"id": {"type": "string", "examples": ["ord_1"]}, "n": {}}}, {"id": "ord_1", "n": None}),
        ({}, None),
        (True, None),
    ],
)
def test_a_sample_has_the_shape_of_its_schema(schema, value):
    assert sample_of(schema) == value


def test_a_schema_without_end_has_a_sample_with_one():
    endless: dict = {"type": "object", "properties": {}}
    endless["properties"]["again"] = endless

    assert str(sample_of(endless)).count("again") == 8
