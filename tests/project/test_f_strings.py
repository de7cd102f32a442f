"""Where the parts of f-strings stand, as far as that can be proved."""

import ast

import pytest

from awaken.project import Module
from awaken.project.source import f_strings
from awaken.project.source.f_strings import differs_apart, is_placed, is_shown
from awaken.workspace.sources import decode


@pytest.fixture(autouse=True)
def an_older_python(monkeypatch):
    """Nothing is believed of positions, whichever Python runs the tests."""
    monkeypatch.setattr(f_strings, "PLACES_PARTS", False)


def module(text):
    source = decode("m.py", text.encode())
    return Module(source, ast.parse(source.text.decode()), "m")


def calls(of):
    return [node for node in of.walk() if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    "text",
    [
        "f'{count()}'",
        "f'count() = {count()} and {count()!r:>4}'",
        "f'{count(1) + count(2)}' 'count(1)' f'{count(2)}'",
        "f'{f\"{count()}\"}'",
        "f'{a:>{count()}}'",
        "f'é{{count()}} {count()}'",
        "rf'''\n\\x {count()}\n{count()}'''",
    ],
)
def test_what_is_proved_to_stand_somewhere_stands_there(text):
    of = module(text)

    assert calls(of)
    for call in calls(of):
        assert is_placed(of, call)
        assert of.text_of(call).startswith("count(")


@pytest.mark.parametrize("column", [2, 3, 11, 26])
def test_another_place_is_not_believed_though_it_reads_alike(column):
    of = module("f'count() or {count()} or {count()}'")
    first, second = sorted(calls(of), key=lambda one: one.col_offset)
    moved = first if column != first.col_offset else second

    moved.col_offset, moved.end_col_offset = column, column + len("count()")

    assert not is_placed(of, moved)


def test_the_place_outside_of_an_f_string_is_known():
    of = module("x = count()")

    assert is_placed(of, calls(of)[0])


@pytest.mark.parametrize("text", ["f'{count()=}'", "f'{count() = !s}'", "f'{f\"{count()}\" = }'"])
def test_an_f_string_may_show_its_code(text):
    of = module(text)

    assert is_shown(of, calls(of)[0])


@pytest.mark.parametrize(
    "text", ["f'{count()!=3}'", "f'{count():=^9}'", "f'={count()}='", "count()"]
)
def test_an_equals_sign_elsewhere_shows_nothing(text):
    of = module(text)

    assert not is_shown(of, calls(of)[0])


def test_trees_are_compared_apart_from_what_was_replaced():
    old, new = (ast.parse(text, mode="eval").body for text in ("f'{a} {b}'", "f'{a} {c()}'"))
    replaced = next(one for one in ast.walk(old) if isinstance(one, ast.Name) and one.id == "b")
    kept = next(one for one in ast.walk(old) if isinstance(one, ast.Name) and one.id == "a")

    assert not differs_apart(old, new, {replaced})
    assert differs_apart(old, new, {kept})
    assert differs_apart(old, new, set())
