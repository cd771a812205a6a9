"""A tree is a JSON value whose strings may be templates."""

import pytest

from automation.engine.expressions import Budget, ExpressionError, Reference, compile_tree, tree_errors

SCOPE = {"inputs": {"id": "A1", "tags": ["x", "y"], "body": {"n": 1}}}


def test_every_string_is_rendered_and_everything_else_stays():
    tree = compile_tree(
        {
            "url": "/orders/{{ inputs.id }}",
            "json": {
                "tags": "{{ inputs.tags }}",
                "first": ["{{ inputs.tags[0] }}", 1, None, True, {"deep": "{{ 1 + 1 }}"}],
            },
            "plain": {"a": [1, 2]},
        }
    )

    assert tree.render(SCOPE) == {
        "url": "/orders/A1",
        "json": {"tags": ["x", "y"], "first": ["x", 1, None, True, {"deep": 2}]},
        "plain": {"a": [1, 2]},
    }


def test_the_order_of_keys_is_kept():
    tree = compile_tree({"b": "{{ 1 }}", "a": 2, "c": "{{ 3 }}"})

    assert list(tree.render(SCOPE)) == ["b", "a", "c"]


def test_parts_without_expressions_are_shared():
    value = {"a": {"constant": [1]}, "b": "{{ inputs.id }}"}

    assert compile_tree(value).render(SCOPE)["a"] is value["a"]


@pytest.mark.parametrize("value", [None, 1, "text", [1, {"a": "b"}], {}])
def test_a_value_without_expressions_is_constant(value):
    tree = compile_tree(value)

    assert tree.is_constant
    assert tree.render(SCOPE) is value


def test_rendering_changes_neither_the_document_nor_the_scope():
    value = {"a": ["{{ inputs.body }}", "{{ inputs.tags|reverse }}"]}
    scope = {"inputs": {"tags": [1, 2], "body": {}}}
    compile_tree(value).render(scope)

    assert value == {"a": ["{{ inputs.body }}", "{{ inputs.tags|reverse }}"]}
    assert scope == {"inputs": {"tags": [1, 2], "body": {}}}


def test_references_carry_the_pointer_of_their_string():
    tree = compile_tree({"a/b~": ["{{ inputs.id }}", "{{ b.c }} {{ a }}"], "x": "{{ inputs.id }}"})

    assert tree.references == (
        Reference(("inputs", "id"), "/a~1b~0/0"),
        Reference(("a",), "/a~1b~0/1"),
        Reference(("b", "c"), "/a~1b~0/1"),
        Reference(("inputs", "id"), "/x"),
    )


def test_an_error_carries_the_pointer_of_its_string():
    with pytest.raises(ExpressionError) as caught:
        compile_tree({"with": [{"url": "{{ inputs.idd }}"}]}).render(SCOPE)

    assert (caught.value.pointer, caught.value.position, caught.value.suggestion) == ("/with/0/url", 10, "inputs.id")


def test_all_errors_are_found_at_once():
    errors = tree_errors({"a": "{{ 1 + }}", "b": ["{{ x|uper }}", "{{ fine }}"], "{{ k }}": "{% if %}"})

    assert [(error.pointer, error.message) for error in errors] == [
        ("/a", "Expression \"{{ 1 + }}\" at position 7: unexpected 'end of the expression'."),
        ("/b/0", 'Expression "{{ x|uper }}" at position 5: there is no filter "uper". Did you mean "upper"?'),
        (
            "/{{ k }}",
            'Expression "{{ k }}" at position 0: a key cannot have expressions. '
            "Make the whole object with one expression: {{ {inputs.key: inputs.value} }}.",
        ),
        (
            "/{{ k }}",
            'Expression "{% if %}" at position 0: {% begins one of Jinja\'s statements, which do not exist here. '
            "Use one expression in {{ }}; write {{ '{%' }} for the characters themselves.",
        ),
    ]


def test_no_more_than_a_hundred_errors_are_told():
    assert len(tree_errors([f"{{{{ {index} + }}}}" for index in range(1000)])) == 100


def test_a_tree_with_errors_is_not_compiled():
    with pytest.raises(ExpressionError) as caught:
        compile_tree({"a": {"b": "{{ 1 + }}"}})

    assert caught.value.pointer == "/a/b"


def test_a_value_nested_too_deep_is_refused():
    value = "{{ 1 }}"
    for _ in range(5000):
        value = [value]

    with pytest.raises(ExpressionError, match="nested deeper than 100 levels"):
        compile_tree(value)


def test_one_large_value_is_handed_over_without_being_counted():
    body = {"rows": list(range(10_000))}

    assert compile_tree({"json": "{{ body }}"}).render({"body": body}, Budget(output_bytes=10)) == {"json": body}


def test_several_large_values_are_counted_together():
    body = {"rows": list(range(10_000))}
    tree = compile_tree({"a": "{{ body }}", "b": ["{{ body }}"]})

    with pytest.raises(ExpressionError) as caught:
        tree.render({"body": body}, Budget(output_bytes=100_000))

    assert caught.value.pointer == "/b/0"
    assert caught.value.message == (
        'Expression "{{ body }}" at position 0: it makes more than the 100000 bytes an expression may produce. '
        "Pick the parts that are needed."
    )


def test_the_same_template_in_two_places_names_each_place():
    tree = compile_tree({"a": "{{ x|default(1) }}", "b": "{{ x }}", "c": "{{ x }}"})

    with pytest.raises(ExpressionError) as caught:
        tree.render({})

    assert caught.value.pointer == "/b"
