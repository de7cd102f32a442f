"""List the gathers of programs, and which of their arguments are proved to be coroutines.

Each `asyncio.gather` that is awaited directly, without `return_exceptions`, wherever its await
stands. What `create_task(c)` and `ensure_future(c)` are given counts as the argument, and of
`*things` what they hold, also where a list of tasks is built for it alone. Prints one line for each
program, then the reasons of what is not proved; with `--list` every such argument as well, with
`--proved` those that are. Usage:

    uv run python benchmarks/gathers.py PROGRAM... [--list] [--proved] [--json FILE]
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from values import project_of

from awaken.project import Module, Project
from awaken.project.values.possible import PossibleValues

_STARTING = {"asyncio.create_task", "asyncio.ensure_future", "asyncio.tasks.create_task"}
_REASONS = 25


class Argument(NamedTuple):
    """One argument of a gather; ``why`` says why it is not proved, empty if it is."""

    site: str
    place: str
    text: str
    said: str
    why: str


def gathers(project: Project) -> Iterator[tuple[Module, ast.Call]]:
    """Yield the gathers that are awaited where they stand."""
    for path in project.files_with([b"gather"]):
        module = project.module(path)
        for node in module.walk() if module is not None else ():
            match node:
                case ast.Await(value=ast.Call() as call) if module is not None:
                    is_meant = project.qualified_name(module, call.func) == "asyncio.gather"
                    asks = any(one.arg == "return_exceptions" for one in call.keywords)
                    if is_meant and not asks:
                        yield module, call


def unpacked(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the expressions that give the arguments; of a starred one its item, if written."""
    for one in call.args:
        inner = one.value if isinstance(one, ast.Starred) else one
        match inner:
            case ast.List() | ast.Tuple() if inner is not one:
                yield from inner.elts
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() if inner is not one:
                yield inner.elt
            case _:
                yield one


def given(project: Project, module: Module, node: ast.expr) -> ast.expr:
    """Return what a task that ``node`` starts or holds runs, or the call that gives it."""
    if isinstance(node, ast.Name):
        bindings = module.scopes.bindings_of(node)
        above = module.parent(bindings[0].node) if len(bindings) == 1 else None
        made = above.value if isinstance(above, ast.Assign | ast.AnnAssign) else None
        is_named = isinstance(made, ast.Call) and bindings[0].kind == "assignment"
        return given(project, module, made) if is_named and made is not None else node
    if isinstance(node, ast.Call) and node.args:
        names = project.effects.library_functions(module, node)
        if names and set(names) <= _STARTING:
            return node.args[0]
    return node


def is_proved(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an argument is proved to be a coroutine, or a task that is made of one in place."""
    if not isinstance(node, ast.Starred):
        return project.effects.is_coroutine(module, given(project, module, node))
    if project.values.items_of(module, node.value).is_coroutine:
        return True
    parts = collected(module, node.value)
    return bool(parts) and all(is_proved(project, module, one) for one in parts)


def collected(module: Module, node: ast.expr) -> list[ast.expr]:
    """Return what a local variable that holds a list is given; empty if not all is seen."""
    if not isinstance(node, ast.Name) or module.enclosing_function(node) is None:
        return []
    built = [elements(one.value) for one in module.scopes.bindings_of(node)]
    added = list(additions(module, node))
    if None in built or None in added:
        return []
    return [one for part in (*built, *added) for one in part or ()]


def elements(value: ast.expr | None) -> list[ast.expr] | None:
    """Return the elements that a display or a comprehension gives; None for all else."""
    match value:
        case ast.List(elts=elts) | ast.Tuple(elts=elts):
            return elts
        case ast.ListComp(elt=element) | ast.SetComp(elt=element):
            return [element]
        case ast.Call(func=ast.Name(id="list" | "set" | "tuple"), args=[ast.GeneratorExp() as one]):
            return [one.elt]
        case ast.Call(func=ast.Name(id="list" | "set"), args=[]):
            return []
        case _:
            return None


def additions(module: Module, node: ast.Name) -> Iterator[list[ast.expr] | None]:
    """Yield what the function around puts into the variable ``node``; None for what is unseen."""
    around = module.enclosing_function(node)
    for read in module.mentions(node.id):
        if not isinstance(read, ast.Name) or module.enclosing_function(read) is not around:
            continue
        above = module.parent(read)
        if isinstance(above, ast.Attribute):
            call = module.parent(above)
            is_adding = above.attr in {"append", "add"} and isinstance(call, ast.Call)
            yield call.args if is_adding and isinstance(call, ast.Call) else None


def arguments(project: Project) -> Iterator[Argument]:
    """Yield the arguments of all gathers of a program."""
    for module, call in gathers(project):
        for node in unpacked(call):
            values = (
                project.values.items_of(module, node.value)
                if isinstance(node, ast.Starred)
                else project.values.of(module, given(project, module, node))
            )
            why = "" if is_proved(project, module, node) else shown(values)
            place, site = (f"{module.path}:{one.lineno}:{one.col_offset}" for one in (node, call))
            yield Argument(site, place, module.excerpt(node), str(values), why)


def shown(values: PossibleValues) -> str:
    """Return a reason without the names in it."""
    why = values.unknown.why if values.unknown is not None else f"it is {values}"
    return re.sub(r"`[^`]*`", "`..`", why)[:90]


def main() -> None:
    """Print the figures of each program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--proved", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print("| program | gathers | all proved | arguments | proved | s | MB |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    kept: dict[str, list[Argument]] = {}
    for program in options.programs:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        project = project_of(program)
        found = kept[program.name] = list(arguments(project))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        left = {one.site for one in found if one.why}
        sites, proved = len({one.site for one in found}), sum(not one.why for one in found)
        figures = f"{sites} | {sites - len(left)} | {len(found)} | {proved}"
        seconds = usage.ru_utime - before
        print(
            f"| {program.name} | {figures} | {seconds:.1f} | {usage.ru_maxrss // 1024} |",
            flush=True,
        )
    for name, found in kept.items():
        print(f"\n{name}:")
        for reason, count in Counter(one.why for one in found if one.why).most_common(_REASONS):
            print(f"  {count:5d}  {reason}")
        for one in found:
            if options.list if one.why else options.proved:
                print(f"  {one.place}: {one.text}: {one.said}")
    if options.json is not None:
        options.json.write_text(
            json.dumps({name: list(map(list, one)) for name, one in kept.items()})
        )


if __name__ == "__main__":
    main()
