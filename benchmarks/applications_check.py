"""Check on the text of a program before and after that no handler was lost, doubled or reordered.

Knows nothing of awaken. `python benchmarks/applications_check.py BEFORE AFTER` reads the Python
files of both directories. Registrations are what `on_event`, `add_event_handler`, lists given to a
constructor and calls of `on_startup.append` say, in the order of each file, by the last name of
what is registered. Calls are what the new functions decorated with `asynccontextmanager` run before
their `yield` and after it: a call by name, be it under a condition, or the statements of a
registered function in their order. Every registration that is gone has to be called exactly once,
in the same order per file and event; what is called in another order, or not at all, or without
being registered, is printed.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

from msgspec import Struct

SKIPPED = ("/tests/", "/docs/", "/examples/", "/node_modules/", "/.awaken/")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Registration(Struct, frozen=True):
    """What is registered, by its last name, for which event."""

    event: str
    name: str


def last_name(node: ast.expr) -> str:
    """The name by which `node`, a handler or what makes one, is told apart."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Await):
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else ast.unparse(node)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


def _of_decorators(node: Function) -> list[Registration]:
    return [
        Registration(_text(each.args[0] if each.args else None), node.name)
        for each in node.decorator_list
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr == "on_event"
    ]


def _of_call(node: ast.Call) -> list[Registration]:
    found = []
    by_keyword = {each.arg: each.value for each in node.keywords}
    for event in ("startup", "shutdown"):
        given = by_keyword.get(f"on_{event}")
        if isinstance(given, ast.List | ast.Tuple):
            found += [Registration(event, last_name(each)) for each in given.elts]
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr == "add_event_handler":
        arguments = [*node.args, by_keyword.get("event_type"), by_keyword.get("func")]
        named, handler = [each for each in arguments if each is not None][:2]
        found.append(Registration(_text(named), last_name(handler)))
    if (
        isinstance(function, ast.Attribute)
        and function.attr == "append"
        and isinstance(function.value, ast.Attribute)
        and function.value.attr in {"on_startup", "on_shutdown"}
    ):
        found.append(Registration(function.value.attr[3:], last_name(node.args[0])))
    return found


def registrations_below(tree: ast.AST) -> list[Registration]:
    """What is registered in `tree`, in the order of its lines."""
    found: list[tuple[int, list[Registration]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((node.lineno, _of_decorators(node)))
        elif isinstance(node, ast.Call):
            found.append((node.lineno, _of_call(node)))
    return [each for _line, several in sorted(found, key=lambda one: one[0]) for each in several]


def lifespans(tree: ast.Module) -> dict[str, Function]:
    """The functions of the file that are decorated with `asynccontextmanager`, by their text."""
    return {
        ast.unparse(node): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(last_name(each) == "asynccontextmanager" for each in node.decorator_list)
    }


def _plain(function: Function) -> list[str]:
    """The statements of a function without docstring and `global`, as text."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return [ast.unparse(each) for each in body if not isinstance(each, ast.Global | ast.Pass)]


def _calls(statements: list[ast.stmt], bodies: dict[str, list[str]]) -> list[str]:
    """The handlers that statements run, by name; what is neither is named with a `!`."""
    passing = ast.Global | ast.Pass | ast.Import | ast.ImportFrom
    kept = [each for each in statements if not isinstance(each, passing)]
    texts = [ast.unparse(each) for each in kept]
    found: list[str] = []
    at = 0
    while at < len(kept):
        inlined = [
            (len(body), name)
            for name, body in bodies.items()
            if body and texts[at : at + len(body)] == body
        ]
        node = kept[at]
        at += max(inlined)[0] if inlined else 1
        if inlined:
            found.append(max(inlined)[1])
        elif isinstance(node, ast.If):
            found += _calls(node.body, bodies)
        else:
            text = f"!{ast.unparse(node)}"
            found.append(last_name(node.value) if isinstance(node, ast.Expr) else text)
    return found


def other_names(old: ast.Module, new: ast.Module) -> dict[str, list[str]]:
    """What else a handler is called by: variables of the new file, functions that registered it."""
    names: dict[str, list[str]] = {}
    for node in ast.walk(new):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    names[target.id] = [last_name(node.value)]
    for node in ast.walk(old):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [each for one in node.body for each in registrations_below(one)]
            if inner:
                names[node.name] = [each.name for each in inner]
    return names


def called(lifespan: Function, bodies: dict[str, list[str]]) -> list[Registration]:
    """What a lifespan runs, in its order."""
    before: list[ast.stmt] = []
    after: list[ast.stmt] = []
    seen = False
    for statement in lifespan.body:
        inner = statement.body if isinstance(statement, ast.Try) else [statement]
        if any(isinstance(each, ast.Yield) for one in inner for each in ast.walk(one)):
            seen = True
            after += statement.finalbody if isinstance(statement, ast.Try) else []
        else:
            (after if seen else before).append(statement)
    return [
        *(Registration("startup", name) for name in _calls(before, bodies)),
        *(Registration("shutdown", name) for name in _calls(after, bodies)),
    ]


def _trees(root: Path) -> dict[str, ast.Module]:
    trees = {}
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root).as_posix()
        if path.is_file() and not any(part in f"/{place}" for part in SKIPPED):
            try:
                trees[place] = ast.parse(path.read_text("utf-8", "replace"))
            except SyntaxError:
                continue
    return trees


def compare(before: Path, after: Path) -> tuple[str, list[str]]:
    """A summary and what is wrong, of one program."""
    old, new = _trees(before), _trees(after)
    gone: Counter[Registration] = Counter()
    run: Counter[Registration] = Counter()
    wrong: list[str] = []
    left = 0
    bodies = {
        name.name: _plain(name)
        for tree in old.values()
        for name in ast.walk(tree)
        if isinstance(name, ast.FunctionDef | ast.AsyncFunctionDef) and _of_decorators(name)
    }
    for place, tree in new.items():
        if place not in old or ast.dump(tree) == ast.dump(old[place]):
            left += len(registrations_below(tree))
            continue
        was, stays = registrations_below(old[place]), registrations_below(tree)
        left += len(stays)
        gone += Counter(was) - Counter(stays)
        made = [each for text, each in lifespans(tree).items() if text not in lifespans(old[place])]
        aliases = other_names(old[place], tree)
        names = {each.name for each in was}
        for lifespan in made:
            runs = [
                Registration(each.event, name)
                for each in called(lifespan, bodies)
                for name in (
                    [each.name] if each.name in names else aliases.get(each.name, [each.name])
                )
            ]
            run += Counter(runs)
            ordered = [each for each in was if each in runs]
            for event in ("startup", "shutdown"):
                expected = [each for each in ordered if each.event == event]
                actual = [each for each in runs if each.event == event and each in ordered]
                if expected != actual:
                    wrong.append(f"{place}: order {actual}")
    wrong += [f"lost {each.event} {each.name}" for each in (gone - run).elements()]
    wrong += [
        f"run but not registered: {each.event} {each.name}" for each in (run - gone).elements()
    ]
    return f"{gone.total()} moved, {run.total()} called, {left} left registered", wrong


if __name__ == "__main__":
    summary, faults = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    print(Path(sys.argv[1]).name, summary, *faults, sep="\n    ")
    sys.exit(bool(faults))
