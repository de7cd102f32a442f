"""Draw places of programs by a seed, and print what they may be, to be read against the source.

Awaited expressions, variables of loops where they are read, attributes that are read, and calls, in
equal parts from each program. Prints a table of what is known and of the reasons of what is not,
then each place. Usage:

    uv run python benchmarks/values.py PROGRAM... [--seed 1] [--count 50] [--unknown]
"""

from __future__ import annotations

import argparse
import ast
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from awaken.project import Module, Project, Snapshot
from awaken.project.values.possible import PossibleValues
from awaken.workspace.sources import decode

Kind = Literal["awaited", "loop variable", "attribute", "result"]
_REASONS = 15
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)


class Spot(NamedTuple):
    """One place that can be drawn."""

    kind: Kind
    module: Module
    node: ast.expr


def project_of(directory: Path) -> Project:
    """Return the project of all Python files below a directory."""
    paths = sorted(one for one in directory.rglob("*.py") if one.is_file())
    named = [(path.relative_to(directory).as_posix(), path) for path in paths]
    return Project(Snapshot({name: decode(name, path.read_bytes()) for name, path in named}), None)


def spots_of(module: Module) -> Iterator[Spot]:
    """Yield the places of a file that can be drawn."""
    for node in module.walk():
        match node:
            case ast.Await():
                yield Spot("awaited", module, node.value)
            case ast.Attribute(ctx=ast.Load()) if not _is_callee(module, node):
                yield Spot("attribute", module, node)
            case ast.Call() if not isinstance(module.parent(node), ast.Await):
                yield Spot("result", module, node)
            case ast.Name(ctx=ast.Load()) if _is_of_loop(module, node):
                yield Spot("loop variable", module, node)
            case _:
                pass


def _is_callee(module: Module, node: ast.expr) -> bool:
    above = module.parent(node)
    return isinstance(above, ast.Attribute) or (isinstance(above, ast.Call) and above.func is node)


def _is_of_loop(module: Module, node: ast.Name) -> bool:
    bindings = module.scopes.bindings_of(node)
    return bool(bindings) and all(one.kind == "for" for one in bindings)


def drawn(project: Project, name: str, seed: int, count: int) -> list[Spot]:
    """Return ``count`` places of a program, in equal parts of each kind."""
    chance = random.Random(f"{seed} {name}")
    paths = project.files_with([b""])
    found: dict[Kind, list[Spot]] = {kind: [] for kind in get_args(Kind)}
    # As many files as places, so that no long file is drawn from again and again.
    for path in chance.sample(paths, len(paths)):
        if all(len(spots) >= count for spots in found.values()):
            break
        module = project.module(path)
        for kind, spots in _by_kind(module).items() if module is not None else ():
            found[kind] += chance.sample(spots, min(len(spots), 2))
    share = count // len(found)
    return [one for spots in found.values() for one in spots[:share]]


def _by_kind(module: Module) -> dict[Kind, list[Spot]]:
    found: dict[Kind, list[Spot]] = {}
    for one in spots_of(module):
        found.setdefault(one.kind, []).append(one)
    return found


def shown(spot: Spot, answer: PossibleValues) -> str:
    """Return a place with its answer."""
    module, node = spot.module, spot.node
    line = module.line_column(module.span(node))[0]
    text = module.source.text.decode(errors="replace").splitlines()[line - 1].strip()
    return (
        f"{module.path}:{line} ({spot.kind}, {'known' if answer.is_known else 'unknown'})\n"
        f"    {text}\n    `{module.text_of(node)}`: {answer}\n"
    )


def main() -> None:
    """Print the table and the places."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--unknown", action="store_true", help="print the unknown ones only")
    options = parser.parse_args()
    reasons: Counter[str] = Counter()
    places: list[str] = []
    print("| program | places | unknown | by kind |\n|---|--:|--:|---|")
    for directory in options.programs:
        project = project_of(directory)
        answers = [
            (one, project.values.of(one.module, one.node))
            for one in drawn(project, directory.name, options.seed, options.count)
        ]
        unknown = [(one, answer) for one, answer in answers if answer.unknown is not None]
        kinds = Counter(one.kind for one, _ in unknown)
        said = ", ".join(f"{kind} {kinds[kind]}" for kind in get_args(Kind))
        print(f"| {directory.name} | {len(answers)} | {len(unknown)} | {said} |", flush=True)
        reasons.update(_pattern(answer.unknown.why) for _, answer in unknown if answer.unknown)
        chosen = unknown if options.unknown else answers
        places += [f"{directory.name} {shown(one, answer)}" for one, answer in chosen]
    print("\n| reason | places |\n|---|--:|")
    for reason, number in reasons.most_common(_REASONS):
        print(f"| {reason} | {number} |")
    print()
    print("\n".join(places))


def _pattern(why: str) -> str:
    """Return a reason without the names in it."""
    return "`…`".join(why.split("`")[::2])


if __name__ == "__main__":
    main()
