"""Where a rule looks for sites: its files, and the calls of a function in them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.kit.rule import Rule
from awaken.kit.sites import Site
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


def modules_of(project: Project, rule: Rule) -> Iterator[Module]:
    """Yield the files that may hold a site of ``rule``: those with one of its triggers."""
    for path in project.site_files(rule.triggers):
        module = project.module(path)
        if module is not None:
            yield module


def calls_of(project: Project, rule: Rule, names: Collection[str]) -> Iterator[Site[ast.Call]]:
    """Yield the calls of functions or classes by their qualified names, whatever files call them.

    ``asyncio.sleep`` is called by ``sleep(1)`` below ``from asyncio import sleep``, too.
    """
    for module in modules_of(project, rule):
        for node in module.walk():
            if isinstance(node, ast.Call) and project.qualified_name(module, node.func) in names:
                yield Site(rule.name, module, node)


def argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """Return what ``call`` passes to a parameter, by position or by keyword.

    None if it passes nothing, and where ``*args`` stands in front of it.
    """
    named = next((one.value for one in call.keywords if one.arg == keyword), None)
    before = call.args[: position + 1]
    if named is not None or len(before) <= position:
        return named
    return None if any(isinstance(one, ast.Starred) for one in before) else before[position]
