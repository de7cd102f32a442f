"""Where a migrated program still runs synchronous code beside the loop, or the loop beside it.

Knows nothing of awaken. For two trees of one program, the second migrated, finds the calls that
carry from one to the other and were not there before: `run_sync`, `greenlet_spawn`, `asyncio.run`
and the calls of threads. The specification bridges by `asyncio.run` at an entry point, and by
`run_sync` where tables are made or what only knows a synchronous session is given one; all else is
another bridge, and counted against the functions that the migration wrote: those that are coroutine
functions now and were not or read otherwise. Tests are told apart, and so is what hands objects to
a schema of pydantic, which the specification (G6) bridges as well. Usage:

    python benchmarks/async_bridges.py BEFORE AFTER [--list]
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from async_by_hand import Name, functions_of, migration, named_functions, split
from async_programs import is_test, python_files
from tables import table

_THREADS = {"run_coroutine_threadsafe", "run_until_complete"}
_VALIDATING = {"from_orm", "model_dump", "model_validate", "parse_obj", "validate_python"}
SPECIFIED = ("entry point", "tables", "given a session")
OTHER = ("validates", "reads", "sets", "calls", "loop inside of a coroutine", "thread")


class Bridge(NamedTuple):
    """A call, where it stands and what it is for."""

    function: Name
    line: int
    kind: str
    text: str


def bridges_of(program: Path) -> list[Bridge]:
    """Return every bridge of a program, with the innermost named function around it."""
    found: list[Bridge] = []
    for path, module in python_files(program):
        around: dict[int, tuple[str, bool]] = {}
        # Inner functions come later, and say so for what is in them.
        for qualified, function in named_functions(module, ""):
            is_coroutine = isinstance(function, ast.AsyncFunctionDef)
            around |= {id(one): (qualified, is_coroutine) for one in ast.walk(function)}
        for node in ast.walk(module):
            if not isinstance(node, ast.Call):
                continue
            qualified, is_coroutine = around.get(id(node), ("", False))
            if kind := kind_of(node, is_coroutine=is_coroutine):
                place = Name(str(path), qualified)
                found.append(Bridge(place, node.lineno, kind, ast.unparse(node)))
    return found


def kind_of(call: ast.Call, *, is_coroutine: bool) -> str:
    """Return what a call bridges for, empty if it is no bridge."""
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if name == "asyncio.run":
        return "loop inside of a coroutine" if is_coroutine else "entry point"
    if last in _THREADS or name.endswith("from_thread.run"):
        return "thread"
    if last == "run_sync":
        text = ast.unparse(call)
        return "tables" if "create_all" in text or "drop_all" in text else "given a session"
    return _kind_of_spawned(call.args[0]) if last == "greenlet_spawn" and call.args else ""


def _kind_of_spawned(called: ast.expr) -> str:
    match called:
        case ast.Attribute(attr=name) if name in _VALIDATING:
            return "validates"
        case ast.Name(id="getattr"):
            return "reads"
        case ast.Name(id="setattr"):
            return "sets"
        case ast.Lambda(body=body):
            return "calls" if any(map(_is_call, ast.walk(body))) else "reads"
        case _:
            return "calls"


def _is_call(node: ast.AST) -> bool:
    """Whether a node calls more than `list`, which reads a relationship."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) not in {"list", "set", "tuple"}


def new_bridges(before: Path, after: Path) -> Iterator[Bridge]:
    """Yield the bridges of `after` that `before` does not have: as often in one function."""
    left = Counter((one.function, one.kind) for one in bridges_of(before))
    for one in bridges_of(after):
        if left[one.function, one.kind]:
            left[one.function, one.kind] -= 1
        else:
            yield one


def texts_of(program: Path) -> dict[Name, str]:
    """Return every function of a program as it reads."""
    return {
        Name(str(path), qualified): ast.unparse(function)
        for path, module in python_files(program)
        for qualified, function in named_functions(module, "")
    }


def written(before: Path, after: Path) -> frozenset[Name]:
    """Return the coroutine functions that a migration made, added or changed."""
    old, new = functions_of(before), functions_of(after)
    made = migration(old, new)
    texts, texts_after = texts_of(before), texts_of(after)
    changed = {
        name
        for name, is_coroutine in old.items()
        if is_coroutine and new.get(name) and texts[name] != texts_after[name]
    }
    return made.coloured | made.new | changed


def main() -> None:
    """Read the command line, compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--list", action="store_true", help="print each bridge of the program")
    arguments = parser.parse_args()
    found = list(new_bridges(arguments.before, arguments.after))
    rows: list[tuple[str, int, int]] = []
    for kind in (*SPECIFIED, *OTHER):
        in_tests = [is_test(PurePosixPath(one.function.path)) for one in found if one.kind == kind]
        rows.append((kind, len(in_tests) - sum(in_tests), sum(in_tests)))
    functions = written(arguments.before, arguments.after)
    bridged = frozenset(one.function for one in found if one.kind in OTHER)
    rows.append(("functions written", *split(functions)))
    rows.append(("of them with another bridge", *split(bridged)))
    more = frozenset(one.function for one in found if one.kind in OTHER and one.kind != "validates")
    rows.append(("of them for more than validating", *split(more)))
    print(table(["new bridges", "program", "tests"], rows))
    of_program, of_tests = zip(split(bridged), split(functions), strict=True)
    shares = [100 * some / max(every, 1) for some, every in (of_program, of_tests)]
    print(f"with another bridge: {shares[0]:.1f} % of the program, {shares[1]:.1f} % of the tests")
    if arguments.list:
        for one in sorted(found):
            if one.kind in OTHER and not is_test(PurePosixPath(one.function.path)):
                print(f"{one.function.path}:{one.line} {one.kind}: {one.text[:150]}")


if __name__ == "__main__":
    main()
