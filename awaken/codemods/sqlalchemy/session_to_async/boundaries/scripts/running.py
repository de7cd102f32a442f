"""Calls that run an event loop until it ends."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import modules_with
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


def calls_of(project: Project, names: Collection[str]) -> Iterator[tuple[Module, ast.Call]]:
    """Yield the calls of what has one of these qualified names, methods among them."""
    words = sorted({one.rpartition(".")[2] for one in names})
    for module in modules_with(project, [f".{one}(".encode() for one in words]):
        for node in module.walk():
            if isinstance(node, ast.Call) and is_call_of(project, module, node, names):
                yield module, node


def is_call_of(project: Project, module: Module, call: ast.Call, names: Collection[str]) -> bool:
    """Whether a call is of what has one of these qualified names."""
    called = {project.qualified_name(module, call.func)}
    if isinstance(call.func, ast.Attribute):
        owners = project.instance_of(module, call.func.value)
        called |= {f"{one}.{call.func.attr}" for one in owners}
    return not called.isdisjoint(names)
