"""Count which shapes public FastAPI applications with synchronous sessions have.

Reads the newest commit of each snapshot (git directories `MIRROR/OWNER+NAME/repo`), runs nothing of
it, and knows nothing of awaken. A repository counts if it uses FastAPI, makes an engine and has a
function with a session; one that has asynchronous sessions, too, is left out. Usage:

    uv run python benchmarks/first_contact/survey.py MIRROR RESULT [--without OWNER/NAME ...]

RESULT is TOML: for each part and form how many repositories have it, if several do, and how often.
"""

from __future__ import annotations

import argparse
import ast
import io
import itertools
import re
import subprocess
import sys
import tarfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import tomlkit

sys.path.insert(0, str(Path(__file__).parents[1]))
import async_syntax as syntax
from async_programs import is_test
from async_shapes import DETECTORS, is_migration, kind_of

_FOREIGN = frozenset({".venv", "venv", "env", "node_modules", "site-packages"})
_ASYNCHRONOUS = re.compile(rb"\bcreate_async_engine\b|\bAsyncSession\b")
_URLS = re.compile(r"(sqlite://(?:/?:memory:)?|sqlite:///|postgres\w*|mysql)(?=[^\w:]|:|$)")
_EVENTS = {"lifespan": "in the lifespan", "on_event": "in on_event", "startup": "in on_event"}
_ENGINE = re.compile(rb"(?<!async_)\bcreate_engine\(")
_LIBRARIES = frozenset({"factory", "testcontainers", "unittest", "pytest_asyncio"})

Modules = list[tuple[PurePosixPath, ast.Module]]


def read_snapshot(folder: Path) -> tuple[str, bytes, Modules]:
    """Return the newest commit of a snapshot, its Python files in one, and those that parse."""
    directory = folder / ".git" if (folder / ".git").exists() else folder
    git = ["git", f"--git-dir={directory}"]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    # One that lacks a blob ends early, and is read as far as it goes; one without Python is empty.
    said = subprocess.run([*git, "archive", "HEAD", "*.py"], check=False, capture_output=True)
    text, modules = b"", []
    with tarfile.open(fileobj=io.BytesIO(said.stdout or bytes(10240))) as archive:
        for member in archive:
            path, content = PurePosixPath(member.name), archive.extractfile(member)
            if content is None or not _FOREIGN.isdisjoint(path.parts):
                continue
            text += (source := content.read())
            with suppress(SyntaxError, ValueError, RecursionError):
                modules += [(path, ast.parse(source))] * (not is_migration(path))
    return commit.stdout.strip(), text, modules


def session_places(node: ast.AST, place: syntax.Place) -> Iterator[tuple[str, str]]:
    """Where sessions come from without a dependency, and from calls of one."""
    tests = ", tests" * is_test(place.path)
    value = getattr(node, "value", None)
    if isinstance(node, ast.For) and syntax.is_session(node.target):
        yield "session", f"for db in get_db(){tests}"
    if not isinstance(value, ast.Call):
        return
    called = syntax.name_of(value.func)
    if isinstance(node, ast.Assign) and syntax.is_session(node.targets[0]):
        inner = place.function
        where = "generator" if inner and syntax.is_generator(inner) else place.where
        if syntax.is_made_by(value.func):
            yield "session", f"db = SessionLocal(), {where}"
        elif called == "next":
            yield "session", f"db = next(get_db()){tests}"
    elif isinstance(node, ast.Return) and called.endswith(("Session", "SessionLocal")):
        yield "session", f"return SessionLocal(){tests}"


def table_places(node: ast.AST, place: syntax.Place) -> Iterator[tuple[str, str]]:
    """Where the tables are made."""
    if isinstance(node, ast.Call) and syntax.name_of(node.func) == "create_all":
        inner = place.function
        words = f"{inner.name} {' '.join(map(ast.unparse, inner.decorator_list))}" if inner else ""
        event = next((said for word, said in _EVENTS.items() if word in words), "in a function")
        said = event if inner else "when imported, or in a script"
        yield "create_all", "in tests" if is_test(place.path) else said


def dependency_places(node: ast.AST, _: syntax.Place) -> Iterator[tuple[str, str]]:
    """What is a dependency beside a plain function, and where."""
    if any(keyword.arg == "dependencies" for keyword in getattr(node, "keywords", ())):
        yield "dependency", f"dependencies=[...] of {syntax.name_of(getattr(node, 'func', node))}"
    match node:
        case ast.Call(func=ast.Name("Depends"), args=[ast.Name(name)]):
            yield "dependency", "Depends(Class)" if name[:1].isupper() else "Depends(function)"
        case ast.Call(func=ast.Name("Depends"), args=arguments):
            kind = type(arguments[0]).__name__.lower() if arguments else ""
            yield "dependency", f"Depends({kind})"


def parameter_places(node: ast.AST, place: syntax.Place) -> Iterator[tuple[str, str]]:
    """How functions of the program are given a session."""
    if not isinstance(node, syntax.Function) or is_test(place.path):
        return
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    depends = ", = Depends(...)" * any("Depends(" in ast.unparse(value) for value in defaults)
    for one in every:
        if one.annotation is None and syntax.is_session(ast.Name(one.arg)):
            yield "parameter", f"not annotated{depends}"
        elif one in syntax.session_parameters(node):
            said = ast.unparse(one.annotation) if one.annotation else ""
            is_known = re.fullmatch(r"(\w+\.)*(Session|Annotated\[.*)", said, re.DOTALL)
            form = re.sub(r"\[.*|\w+\.", "", said) if is_known else "another name"
            yield "parameter", f"{form}{depends}"


def commit_places(node: ast.AST, place: syntax.Place) -> Iterator[tuple[str, str]]:
    """Which functions commit."""
    inner = place.function
    if not isinstance(node, ast.Call) or not inner or is_test(place.path):
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr == "commit" and syntax.awaits(node):
        around = place._replace(around=place.around[: place.around.index(inner)])
        own = "of its parameter" if syntax.session_parameters(inner) else "it made or took"
        form = "of self" if isinstance(node.func.value, ast.Attribute) else own
        yield "commit", f"{kind_of(inner, around)}, a session {form}"


def test_places(node: ast.AST, place: syntax.Place) -> Iterator[tuple[str, str]]:
    """Which database tests use, and which libraries help them."""
    if not is_test(place.path):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        url = _URLS.match(node.value) if "://" in node.value else None
        if url:
            memory = ":memory:" in node.value or node.value == "sqlite://"
            yield "database of tests", "SQLite in memory" if memory else url[1].split(":")[0]
    elif isinstance(node, ast.Import | ast.ImportFrom):
        names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        for name in _LIBRARIES.intersection(name.split(".")[0] for name in names):
            yield "library of tests", name


PARTS = [*DETECTORS, session_places, table_places, dependency_places]
PARTS += [parameter_places, commit_places, test_places]


def reason_against(text: bytes, modules: Modules) -> str:
    """Say why a repository is left out; nothing if it counts."""
    users = (
        isinstance(node, syntax.Function) and syntax.uses_session(node)
        for path, module in modules
        for node in ast.walk(module)
        if not is_test(path)
    )
    if b"fastapi" not in text or not _ENGINE.search(text) or not any(users):
        return "no FastAPI, no engine or no function with a session"
    return "asynchronous sessions, too" if _ASYNCHRONOUS.search(text) else ""


def main() -> None:
    """Read the command line, count and write."""
    parser = argparse.ArgumentParser(description="count the shapes of public applications")
    parser.add_argument("mirror", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--without", nargs="*", default=[])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    forms: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    commits, left, lines = {}, Counter[str](), 0
    for folder in sorted(arguments.mirror.glob("*+*/repo")):
        name = folder.parent.name.replace("+", "/", 1)
        if name in arguments.without:
            continue
        commit, text, modules = read_snapshot(folder)
        if reason := reason_against(text, modules):
            left[reason] += 1
            continue
        commits[name], lines = commit, lines + text.count(b"\n")
        for path, module in modules:
            for node, place in syntax.walk(module, path):
                for part, form in itertools.chain(*(detect(node, place) for detect in PARTS)):
                    forms[part, form][name] += 1
    document: dict[str, Any] = {"repositories": len(commits), "lines": lines}
    document |= {"left_out": dict(left), "commits": commits}
    for (part, form), counts in sorted(forms.items(), key=lambda one: (one[0][0], -len(one[1]))):
        if len(counts) > 1:
            document.setdefault(part, {})[form] = [len(counts), counts.total()]
    arguments.result.write_text(tomlkit.dumps(document))


if __name__ == "__main__":
    main()
