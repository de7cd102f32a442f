"""Functions that an object of a library keeps as attributes, and that the program calls there.

``parser.set_defaults(func=load)``, and later ``args.func(args)``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import EntryPoint
from awaken.contract import Place
from awaken.kit.search import argument, nodes_with
from awaken.project.graph.callers import Obstacle
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf, Unknown

if TYPE_CHECKING:
    from awaken.project import Project

_PARSING = "argparse.ArgumentParser.parse_"
"""How the methods begin that give an object all attributes."""


def calls_of_kept(project: Project, entry: EntryPoint) -> list[Place] | Place:
    """Return the calls of what the attributes of an entry point hold.

    A place if other code may call it: there awaken stops to follow it.
    """
    for module, call in nodes_with(project, (b"vars", b"parse_"), ast.Call):
        if _is_hiding(project, module, call, entry.keeper):
            return module.place(call)
    reads: list[Place] = []
    for module, node in nodes_with(project, [entry.name.encode()], ast.AST):
        owner, name = module.scopes.attribute_read(node)
        if owner and name == entry.name and _may_be(project, module, owner, entry.keeper):
            reads.append(module.place(node))
    if not reads:
        return entry.at
    calls = project.calls.calls_of_value(Obstacle("value", "", reads[0], tuple(reads[1:])))
    known = [call for call in calls if call is not None]
    return known if len(known) == len(calls) else reads[0]


def _is_hiding(project: Project, module: Module, call: ast.Call, keeper: str) -> bool:
    """Whether a call gives all attributes at once, or keeps them in an object of the program."""
    if module.scopes.builtin_called(call) == "vars":
        return not call.args or _may_be(project, module, call.args[0], keeper)
    if not getattr(call.func, "attr", "").startswith("parse_"):
        return False
    names = project.effects.library_functions(module, call)
    is_filling = any(name.startswith(_PARSING) for name in names)
    return is_filling and argument(call, 1, "namespace") is not None


def _may_be(project: Project, module: Module, node: ast.expr, keeper: str) -> bool:
    """Whether an expression may be an instance of the library's class ``keeper``."""
    values = project.values.of(module, node)
    return not values.is_known or any(
        isinstance(value, Unknown) or (isinstance(value, InstanceOf) and value.qualified == keeper)
        for value in values.alternatives
    )
