"""Functions of programs of tests, and who calls them, as texts."""

from __future__ import annotations

import ast
from textwrap import dedent

from programs import module_of, program

from awaken.project import Project
from awaken.project.graph.callers import Callers


def function_of(project: Project, path: str, dotted: str) -> ast.FunctionDef:
    """Return the function with this ``__qualname__``, the last one of them."""
    module = module_of(project, path)
    found = [
        node
        for node in module.walk()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and module.qualname(node) == dotted
    ]
    assert found, dotted
    return found[-1]


def callers(files: dict[str, str], path: str, dotted: str) -> tuple[list[str], list[str]]:
    """Return the calls as ``file: text`` and the kinds of what may hide others."""
    project = program(files)
    found = project.calls.callers_of(module_of(project, path), function_of(project, path, dotted))
    return shown(project, found)


def shown(project: Project, found: Callers) -> tuple[list[str], list[str]]:
    """Return the calls as ``file: text`` and the kinds of what may hide others."""
    texts = [
        f"{site.place.path.removesuffix('.py')}: "
        + project.snapshot[site.place.path]
        .text[site.place.span.start : site.place.span.end]
        .decode()
        for site in found.sites
    ]
    return texts, [one.kind for one in found.obstacles]


def of(text: str, name: str = "_f", **files: str) -> tuple[list[str], list[str]]:
    """Return the callers of ``name`` in ``m.py``, which holds ``text``."""
    others = {f"{path.replace('__', '/')}.py": dedent(body) for path, body in files.items()}
    return callers({"m.py": dedent(text), **others}, "m.py", name)
