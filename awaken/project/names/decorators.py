"""Decorators of the standard library and pytest, by what they make of the function below them.

One table for all who ask, so that they cannot disagree: each takes the sets that its question
allows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

MethodKind = Literal["instance", "class", "static"]

_METHODS = frozenset({"builtins.classmethod", "builtins.staticmethod"})
TRANSPARENT = _METHODS | {
    "abc.abstractmethod",
    "functools.wraps",
    "typing.final",
    "typing.no_type_check",
    "typing.override",
    "typing_extensions.final",
    "typing_extensions.override",
}
"""Give back the function itself, but for how it is bound to its class."""
REMEMBERING = frozenset({"functools.cache", "functools.lru_cache"})
"""Return what the function returns, and call it for nothing but the calls in sight."""
MANAGERS = frozenset({"contextlib.asynccontextmanager", "contextlib.contextmanager"})
"""Make a context manager of a generator."""
OVERLOADS = frozenset({"typing.overload", "typing_extensions.overload"})
"""Keep a signature for type checkers: the function itself never runs."""
PYTEST_FIXTURES = frozenset({"pytest.fixture", "pytest_asyncio.fixture"})
PROPERTIES = frozenset(
    {
        "builtins.property",
        "functools.cached_property",
        "sqlalchemy.ext.hybrid.hybrid_property",
        "werkzeug.utils.cached_property",
    }
)
"""Call the method where its name is read."""


def decorators_of(
    names: Names, module: Module, function: Function
) -> Iterator[tuple[ast.expr, str | None]]:
    """Yield each decorator without its arguments, with its qualified name if it has one."""
    for one in function.decorator_list:
        plain = one.func if isinstance(one, ast.Call) else one
        yield plain, names.qualified(module, plain)


def method_kind(names: Names, module: Module, function: Function) -> MethodKind:
    """Return what ``function``, which stands in a class, is given first: an instance, a class."""
    found = {name for _, name in decorators_of(names, module, function)}
    if "builtins.staticmethod" in found:
        return "static"
    return "class" if "builtins.classmethod" in found else "instance"
