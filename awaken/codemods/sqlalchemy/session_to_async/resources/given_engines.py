"""Engines that a program gives to libraries, which may take no asynchronous one."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.knowledge.asynchronous import twins
from awaken.project.source.modules import Module
from awaken.project.source.trees import arguments_of, last_name, variable_of

if TYPE_CHECKING:
    from awaken.project import Project


def libraries_given(
    project: Project, module: Module, made: ast.Call
) -> Iterator[tuple[str, Place]]:
    """Yield what each library is said to get that is given the engine of ``made``, and where."""
    variable = variable_of(module.parent(made))
    words = () if variable is None else (variable.id.encode(),)
    for home, call in nodes_with(project, words, ast.Call) if words else ():
        for argument in arguments_of(call):
            engine, what = argument, "an asynchronous engine"
            if isinstance(argument, ast.Attribute) and argument.attr == "url":
                engine, what = argument.value, f"the URL of {what}"
            if (
                last_name(engine).encode() in words
                and _is_made(project, home, engine, module, made)
                and _is_of_library(project, home, call)
            ):
                shown = f"{home.path} gives `{home.excerpt(call.func)}` {what}"
                yield f"{shown}, which it may not support", home.place(call)


def _is_made(
    project: Project, home: Module, given: ast.expr, module: Module, made: ast.Call
) -> bool:
    """Whether ``given`` is the engine that ``made`` makes, in the same file or in another."""
    if home is module and home.scopes.only_value(given) is made:
        return True
    name = project.qualified_name(home, given)
    return name is not None and name == f"{module.name}.{last_name(given)}"


def _is_of_library(project: Project, home: Module, call: ast.Call) -> bool:
    """Whether a call is of a library of which nothing tells that it takes such an engine."""
    name, handed = project.qualified_name(home, call.func), twins().handed
    if name is None and isinstance(call.func, ast.Attribute):
        classes = project.instance_of(home, call.func.value)
        name = f"{classes[0]}.{call.func.attr}" if classes else None
    known = {*handed.sending, *handed.inspecting}
    if name is None or not known.isdisjoint({name, last_name(call.func)}):
        return False
    parts = name.split(".")
    if parts[0] in {*sys.stdlib_module_names, "builtins", *handed.harmless, *handed.taking}:
        return False
    names = (".".join(parts[: n + 1]) for n in range(len(parts)))
    return all(project.layout.find(each, home.path).path is None for each in names)
