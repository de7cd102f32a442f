"""What the documentation, docstrings and comments name exists: paths, modules and their contents.

A path below ``awaken/`` must be there; a dotted name must be a module, or something in one; a file
that the architecture names alone must end the path of one; and what the docstring of a package
names as its modules must be modules.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
PACKAGE = HERE / "awaken"
PAGES = [HERE / "README.md", *sorted((HERE / "docs").glob("*.md"))]
SOURCES = [
    *sorted(PACKAGE.rglob("*.py")),
    *sorted(path for path in (HERE / "tests").rglob("*.py") if "fixtures" not in path.parts),
]
PATH = re.compile(r"(?<![\w/.-])(?:awaken|benchmarks|docs|tests)/[\w/-]+(?:\.\w+)*(?![\w<{*])")
DOTTED = re.compile(r"(?<![\w./@:`-])`{0,2}(awaken(?:\.[A-Za-z_]\w*)+)(?![\w/:]|\.\w)")
FILE = re.compile(r"`((?:\w+/)*\w+\.py)`")
NAMED = re.compile(r"``([a-z_]+)``")
FILE_NAME = re.compile(r"awaken\.(toml|json|patch|sarif|md)")
NO_MODULES = {"awaken.rules"}
"""The group of entry points."""
NO_PATHS = {
    "awaken/v1",
    "awaken/codemods/asyncio/create_task.py",
    "awaken/codemods/asyncio/async_sleep.py",
}
"""The name of a fingerprint in SARIF; the rules that a reader of docs/writing-rules.md makes."""
OF_CASES = {"case.py", "before.py", "after.py", "models.py"}
"""Files of fixtures and of programs, not of awaken."""


@cache
def said_in(path: Path) -> str:
    """Return what a file says to people: a page as a whole, of a module docstrings and comments."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return text
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([*docstrings(ast.parse(text)), *comments])


@cache
def defined_in(path: Path) -> frozenset[str]:
    """Return the names of the functions and classes of a module."""
    statements = ast.parse(path.read_text("utf-8")).body
    found = (one for one in statements if isinstance(one, ast.FunctionDef | ast.ClassDef))
    return frozenset(one.name for one in found)


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Yield every string that stands alone: docstrings, and those below a name."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.value.value


def exists(dotted: str) -> bool:
    """Whether ``dotted`` is a module of awaken, or something that one holds."""
    names = dotted.split(".")
    for count in range(len(names), 0, -1):
        place = HERE.joinpath(*names[:count])
        if place.is_dir() or place.with_suffix(".py").is_file():
            found = import_module(".".join(names[:count]))
            for name in names[count:]:
                if not hasattr(found, name) and name not in getattr(found, "__annotations__", {}):
                    return False
                found = getattr(found, name, None)
            return True
    return False


def unknown(kind: str, names: re.Pattern[str], is_known: Callable[[str], bool]) -> list[str]:
    """Return what ``names`` finds in the files of a kind and ``is_known`` does not know."""
    files = PAGES if kind == "pages" else SOURCES
    named = {
        (path.relative_to(HERE), one) for path in files for one in names.findall(said_in(path))
    }
    assert named
    return sorted(f"{path}: {one}" for path, one in named if not is_known(one))


@pytest.mark.parametrize("kind", ["pages", pytest.param("sources", marks=pytest.mark.slow)])
def test_every_path_that_is_named_exists(kind):
    assert unknown(kind, PATH, lambda one: one in NO_PATHS or (HERE / one).exists()) == []


@pytest.mark.parametrize("kind", ["pages", pytest.param("sources", marks=pytest.mark.slow)])
def test_every_dotted_name_exists(kind):
    def is_known(one: str) -> bool:
        return one in NO_MODULES or bool(FILE_NAME.fullmatch(one)) or exists(one)

    assert unknown(kind, DOTTED, is_known) == []


def test_every_file_that_the_architecture_names_exists():
    files = [*SOURCES, *(HERE / "benchmarks").rglob("*.py"), *HERE.glob("*.py")]
    there = [f"/{path.relative_to(HERE).as_posix()}" for path in files]
    pages = [HERE / "docs/architecture.md", *(HERE / "docs/architecture").glob("*.md")]
    named = {file for page in pages for file in FILE.findall(page.read_text("utf-8"))} - OF_CASES

    assert named
    assert sorted(one for one in named if not any(path.endswith(f"/{one}") for path in there)) == []


@pytest.mark.parametrize(
    "package",
    [path.parent for path in SOURCES if path.name == "__init__.py" and PACKAGE in path.parents],
    ids=lambda path: path.relative_to(HERE).as_posix(),
)
def test_a_package_names_only_what_is_there(package):
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    modules = {path.stem for path in SOURCES} | {path.parent.name for path in SOURCES}
    defined = {name for path in package.rglob("*.py") for name in defined_in(path)}

    assert set(NAMED.findall(said)) <= modules | defined | {"ast"}
