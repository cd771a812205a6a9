"""JSON pointers and the names people read."""

from automation.engine.pointers import document_order, dotted, pointer, tokens


def test_a_pointer_escapes_tilde_and_slash():
    assert pointer(["a/b", "c~d", 0]) == "/a~1b/c~0d/0"


def test_tokens_undo_a_pointer():
    assert tokens("/a~1b/c~0d/0") == ("a/b", "c~d", "0")
    assert tokens("") == ()


def test_a_dotted_path_shows_indexes_in_brackets():
    assert dotted(["with", "cases", 0, "port"]) == "with.cases[0].port"


def test_the_document_order_counts_list_items_as_numbers():
    pointers = ["/steps/10", "/steps/2/with", "/steps/2", "/inputs", ""]

    assert sorted(pointers, key=document_order) == ["", "/inputs", "/steps/2", "/steps/2/with", "/steps/10"]


def test_fields_that_look_like_numbers_have_an_order_too():
    names = ["/b", f"/{'9' * 5000}", "/²", "/10", "/9"]

    assert sorted(names, key=document_order) == ["/9", "/10", f"/{'9' * 5000}", "/b", "/²"]
