"""Ask of which class each object is whose relationship is read, and what `gather` is given.

`python benchmarks/owners.py [owners|gathered] DIRECTORY...` prints one line for each program: the
reads of an attribute that some mapped class has as a relationship, for how many of them all
objects are known to be of such a class, and for how many of those the calls that loaded them are
known; then the arguments of `asyncio.gather`, and how many are proved to be awaitable. The most
frequent reasons for what is not known follow.
"""

from __future__ import annotations

import ast
import re
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from awaken.project import Module, Project, Snapshot
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.project.values.domain import InstanceOf, NoneValue, Producer, Unknown, Value
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import Undecodable, decode, decode_settings

_REASONS = 12
_WORDS = (b"relationship", b"relation(", b"dynamic_loader", b"Relationship")
_FUTURES = {"asyncio.Future", "asyncio.Task", "concurrent.futures.Future"}


def read(directory: Path) -> Project:
    """Return the project of all Python files and templates below a directory."""
    files = {}
    for path in sorted(one for one in directory.rglob("*") if one.is_file()):
        name = path.relative_to(directory).as_posix()
        if path.suffix == ".py":
            files[name] = decode(name, path.read_bytes())
        elif "templates" in path.parts or path.suffix in {".jinja2", ".jinja", ".j2"}:
            with suppress(Undecodable):
                files[name] = decode_settings(name, path.read_bytes())
    settings = ProjectSettings(published=False, reads=TEMPLATE_READS)
    return Project(Snapshot(files), None, settings=settings)


def classes_by_attribute(project: Project) -> dict[str, set[str]]:
    """Return the attributes that are relationships, with the classes that declare them."""
    found: dict[str, set[str]] = {}
    relationships = project.orm._models.relationships  # noqa: SLF001
    for path in project.files_with(_WORDS):
        for site in relationships.in_file(path):
            if site.owner is not None and site.attribute is not None:
                found.setdefault(site.attribute, set()).add(site.owner)
    return found


def nodes(project: Project, words: list[bytes]) -> Iterator[tuple[Module, ast.AST]]:
    """Yield all nodes of the files that hold one of these words."""
    for path in project.files_with(words):
        module = project.module(path)
        if module is not None:
            for node in module.walk():
                yield module, node


def has_relationship(project: Project, value: Value, name: str) -> bool:
    """Whether ``value`` is an instance of a class that maps ``name`` as a relationship."""
    if not isinstance(value, InstanceOf):
        return False
    mapped = project.orm.mapped_class(value.qualified)
    return mapped is not None and name in mapped.relationships


def short(unknown: Unknown) -> str:
    """Return a reason without the names in it."""
    return re.sub(r"`[^`]*`", "`..`", unknown.why)


def relationships(project: Project, why: Counter[str]) -> str:
    """Count the reads of relationships."""
    names = classes_by_attribute(project)
    reads = known = traced = 0
    for module, node in nodes(project, [name.encode() for name in names]) if names else ():
        if not isinstance(node, ast.Attribute) or node.attr not in names:
            continue
        if not isinstance(node.ctx, ast.Load):
            continue
        values = project._evaluator.values(module, node.value)  # noqa: SLF001
        values = tuple(one for one in values if one != NoneValue())
        unknown = [one for one in values if isinstance(one, Unknown)]
        owners = [one for one in values if has_relationship(project, one, node.attr)]
        if not unknown and not owners:
            continue  # something else that has an attribute of this name
        reads += 1
        if unknown or len(owners) < len(values):
            why[short(unknown[0]) if unknown else "one of several has no such relationship"] += 1
            continue
        known += 1
        traced += all(getattr(one, "origins", None) for one in owners)
    return f"{len(names)} | {reads} | {known} | {traced}"


def is_awaitable(value: Value) -> bool:
    """Whether ``value`` is a coroutine, a task or a future."""
    if isinstance(value, Producer):
        return value.how == "coroutine"
    return isinstance(value, InstanceOf) and value.qualified in _FUTURES


def gathers(project: Project, why: Counter[str]) -> str:
    """Count the arguments of ``asyncio.gather``."""
    given = proved = 0
    for module, node in nodes(project, [b"gather"]):
        if not isinstance(node, ast.Call):
            continue
        if project.qualified_name(module, node.func) != "asyncio.gather":
            continue
        for argument in node.args:
            given += 1
            evaluator = project._evaluator  # noqa: SLF001
            if isinstance(argument, ast.Starred):
                values = evaluator.values(module, argument.value)
                values = evaluator.results.results_of_use("generator", values, module, argument)
            else:
                values = evaluator.values(module, argument)
            if values and all(is_awaitable(one) for one in values):
                proved += 1
                continue
            unknown = next((one for one in values if isinstance(one, Unknown)), None)
            why[short(unknown) if unknown else "something else"] += 1
    return f"{given} | {proved}"


def main() -> None:
    """Print the figures of each program."""
    print("| program | relationships | reads | owner known | traced | gathered | proved | s | MB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    reasons = []
    only = sys.argv[1] if sys.argv[1] in {"owners", "gathered"} else ""
    for name in sys.argv[2:] if only else sys.argv[1:]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        project = read(Path(name))
        of_reads, of_gathers = Counter[str](), Counter[str]()
        row = "- | - | - | -" if only == "gathered" else relationships(project, of_reads)
        row += " | - | -" if only == "owners" else f" | {gathers(project, of_gathers)}"
        usage = resource.getrusage(resource.RUSAGE_SELF)
        seconds = usage.ru_utime - before
        print(f"| {Path(name).name} | {row} | {seconds:.1f} | {usage.ru_maxrss // 1024} |")
        sys.stdout.flush()
        reasons.append((name, of_reads, of_gathers))
    for name, *counted in reasons:
        for title, counter in zip(("owners", "gathered"), counted, strict=True):
            if counter:
                print(f"\n{Path(name).name}, {title}:")
                for reason, count in counter.most_common(_REASONS):
                    print(f"  {count:5d}  {reason}")


if __name__ == "__main__":
    main()
