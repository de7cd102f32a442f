"""Decorators of the standard library and pytest, by what they make of the function below them.

One table for all who ask, so that they cannot disagree: each takes the sets that its question
allows.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Literal

from awaken.knowledge.decorators import library_decorators
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, has_decorator, without_arguments

MethodKind = Literal["instance", "class", "static"]

METHODS = frozenset({"builtins.classmethod", "builtins.staticmethod"})
_KNOWN = library_decorators()
TRANSPARENT = _KNOWN.same | _KNOWN.handing_on
"""Give back the function itself, but for how it is bound to its class, or what hands it all on."""
REMEMBERING = frozenset({"functools.cache", "functools.lru_cache"})
"""Return what the function returns, and call it for nothing but the calls in sight."""
MANAGERS = _KNOWN.managers
PYTEST_FIXTURES = _KNOWN.fixtures
PROPERTIES = _KNOWN.properties


def decorators_of(
    names: Names, module: Module, function: Function
) -> Iterator[tuple[ast.expr, str | None]]:
    """Yield each decorator without its arguments, with its qualified name if it has one."""
    for decorator in function.decorator_list:
        plain = without_arguments(decorator)
        yield plain, names.qualified_name(module, plain)


def decorator_names(names: Names, module: Module, function: Function) -> set[str | None]:
    """Return the qualified names of the decorators of ``function``; None for what has none."""
    return {name for _, name in decorators_of(names, module, function)}


def method_kind(decorators: Collection[str | None]) -> MethodKind:
    """Return what a method with these decorators is given first: an instance, a class, nothing."""
    if "builtins.staticmethod" in decorators:
        return "static"
    return "class" if "builtins.classmethod" in decorators else "instance"


def takes_receiver(module: Module, function: Function) -> bool:
    """Whether the first parameter of ``function`` is given by the object it is read from."""
    is_in_class = isinstance(module.parent(function), ast.ClassDef)
    return is_in_class and not has_decorator(function, "staticmethod")
