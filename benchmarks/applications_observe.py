"""Record which startup and shutdown handlers of a real application run, and in which order.

Knows nothing of awaken. Three commands:

`mark ROOT [FILE:FUNCTION...]` empties in place every function below ROOT that an `on_event`
decorator registers, and those named, but for one line that prints its place: so they run without
the services they ask for, and one whose body is moved takes its line along.

`run [PATH...] MODULE:EXPRESSION` imports the module, with the paths first in `sys.path`, takes what
the expression means in it for the application, drives one server cycle of the ASGI lifespan
protocol, and prints what ran. Packages that the program imports and that are not installed are
stood in for by names that can be called, subclassed and used as annotations.

`register [PATH...] MODULE:EXPRESSION` prints the lists in which FastAPI and Starlette keep
handlers: what is left there on an application that has a lifespan would never run.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.abc
import importlib.machinery
import inspect
import sys
import types
from pathlib import Path
from typing import Any

MARK = "@@"
PAUSE = 0.5
"""Seconds that tasks have which handlers start."""
SKIPPED = ("/tests/", "/test/", "/docs/", "/examples/", "/node_modules/", "/.venv/")


class _Standing(type):
    """The type of everything a missing package is asked for."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)

    def __getitem__(cls, _key: object) -> Any:
        return cls

    def __iter__(cls) -> Any:
        return iter(())

    def __or__(cls, _other: object) -> Any:
        return cls

    __ror__ = __or__


class _StandIn(metaclass=_Standing):
    """What a missing package has: called with a function it gives the function back."""

    def __new__(cls, *arguments: object, **_keywords: object) -> Any:
        if len(arguments) == 1 and isinstance(arguments[0], types.FunctionType):
            return arguments[0]
        return object.__new__(cls)

    def __init__(self, *_arguments: object, **_keywords: object) -> None:
        super().__init__()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)

    def __call__(self, *arguments: object, **_keywords: object) -> Any:
        if len(arguments) == 1 and isinstance(arguments[0], types.FunctionType):
            return arguments[0]
        return self

    def __getitem__(self, _key: object) -> Any:
        return self

    def __lt__(self, _other: object) -> bool:
        return False

    __gt__ = __le__ = __ge__ = __lt__

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def __iter__(self) -> Any:
        return iter(())

    @classmethod
    def __get_validators__(cls) -> Any:
        yield lambda value: value

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        return {"type": "any"}


def _stand_in(name: str) -> Any:
    return _Standing(name, (_StandIn,), {})


class _MissingModule(types.ModuleType):
    """A module of a package that is not installed."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _stand_in(name)
        setattr(self, name, made)
        return made


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last in `sys.meta_path`: what files below `paths` want and nobody finds is missing."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.missing: set[str] = set()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:  # noqa: ARG002
        top = fullname.partition(".")[0]
        if top not in self.missing and (path is not None or not _asked_by(self.paths)):
            return None
        self.missing.add(top)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        return _MissingModule(spec.name)

    def exec_module(self, module: Any) -> None:
        """Leave the module empty: it makes its names when asked."""


def _asked_by(paths: list[Path]) -> bool:
    """Whether the file that is importing lies below one of `paths`."""
    frame = inspect.currentframe()
    while frame is not None and (
        frame.f_code.co_filename == __file__ or "importlib" in frame.f_code.co_filename
    ):
        frame = frame.f_back
    asking = Path(frame.f_code.co_filename) if frame is not None else Path()
    return any(path in asking.parents for path in paths)


def _registers(node: ast.expr) -> bool:
    call = node.func if isinstance(node, ast.Call) else node
    return isinstance(call, ast.Attribute) and call.attr == "on_event"


def _emptied(source: str, named: set[str], place: str) -> str:
    """`source` with the bodies of its handlers replaced by a line that prints them."""
    lines = source.splitlines(keepends=True)
    found: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]] = []
    pending: list[tuple[ast.AST, str]] = [(ast.parse(source), "")]
    while pending:
        parent, prefix = pending.pop()
        for node in ast.iter_child_nodes(parent):
            name = prefix
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{node.name}".lstrip(".")
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                name in named or any(map(_registers, node.decorator_list))
            ):
                found.append((node, name))
            else:
                pending.append((node, name))
    for node, name in sorted(found, key=lambda each: -each[0].lineno):
        first = node.body[0]
        indentation = " " * first.col_offset
        line = f'{indentation}print("{MARK}", "{place}:{name}", flush=True)\n'
        lines[first.lineno - 1 : node.end_lineno] = [line]
    return "".join(lines)


def mark(root: Path, named: list[str]) -> None:
    """Empty the handlers below `root` in place."""
    by_file: dict[str, set[str]] = {}
    for each in named:
        file, _, function = each.partition(":")
        by_file.setdefault(file, set()).add(function)
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root).as_posix()
        if not path.is_file() or any(part in f"/{place}" for part in SKIPPED):
            continue
        source = path.read_text("utf-8", "replace")
        if place in by_file or "on_event(" in source:
            path.write_text(_emptied(source, by_file.get(place, set()), place), "utf-8")


def _application(arguments: list[str]) -> Any:
    *paths, target = arguments
    roots = [Path(path).resolve() for path in paths]
    sys.path[:0] = map(str, roots)
    sys.meta_path.append(_Finder(roots))
    module, _, expression = target.partition(":")
    return eval(expression, vars(importlib.import_module(module)))


async def _cycle(application: Any) -> None:
    to_application: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    to_server: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.ensure_future(application(scope, to_application.get, to_server.put))
    for event in ("startup", "shutdown"):
        print(event, flush=True)
        to_application.put_nowait({"type": f"lifespan.{event}"})
        answer = asyncio.ensure_future(to_server.get())
        await asyncio.wait({task, answer}, return_when=asyncio.FIRST_COMPLETED)
        message = answer.result() if answer.done() else {"type": "ended"}
        if not message["type"].endswith(".complete"):
            print("failed", message, flush=True)
            break
        await asyncio.sleep(PAUSE)
    await asyncio.wait({task}, timeout=5)


def _left(application: Any) -> None:
    router = getattr(application, "router", application)
    for event in ("on_startup", "on_shutdown"):
        for handler in getattr(router, event, []):
            print(event, getattr(handler, "__qualname__", repr(handler)), flush=True)


def main(arguments: list[str]) -> None:
    """Carry out one of the three commands."""
    command, *rest = arguments
    if command == "mark":
        mark(Path(rest[0]), rest[1:])
    elif command == "run":
        asyncio.run(_cycle(_application(rest)))
    elif command == "register":
        _left(_application(rest))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
