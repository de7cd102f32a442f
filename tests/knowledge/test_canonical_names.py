"""Names of libraries in awaken are canonical: no other one is ever equal to what code names."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import awaken
from awaken.knowledge import knowledge

PACKAGE = Path(awaken.__file__).parent


def strings_of(value):
    """Yield the strings in what a TOML file says, keys included."""
    match value:
        case str():
            yield value
        case list() | dict():
            for item in (*value, *(value.values() if isinstance(value, dict) else ())):
                yield from strings_of(item)


def strings_in_package():
    """Yield each string of the package, with its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value
    for path in sorted(PACKAGE.rglob("*.toml")):
        said = tomllib.loads(path.read_text())
        said.pop("same", None)  # the table of the other names
        yield from ((path, text) for text in strings_of(said))


def test_no_string_is_another_name_of_what_awaken_knows():
    canonical = knowledge().canonical
    other = [
        f"{path.relative_to(PACKAGE)}: {text} is {canonical(text)}"
        for path, text in strings_in_package()
        if canonical(text) != text
    ]

    assert other == []
