"""Functions that a published project exports: who imports them awaits nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import PUBLISHED
from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart


def exported(part: SynchronousPart) -> Iterator[tuple[FunctionPlace, Refused]]:
    """Yield the functions that wait and are part of an interface, if others may import it.

    ``__all__`` says so, of their own file or of a package that they lie in: a function, or a class
    with its public methods. Most packaged applications export nothing.
    """
    if not part.project.published:
        return
    homes: list[tuple[str, dict[str, Place]]] = []
    for module in modules_with(part.project, (b"__all__",)):
        names = dict(_listed(module))
        if names:
            homes.append((module.name, names))
    for function in sorted(part.steps):
        first, *rest = function.qualname.split(".")
        if any(one.startswith("_") for one in rest):
            continue
        own = part.project.layout.name_of(function.path)
        for home, names in homes:
            if first in names and f"{own}.".startswith(f"{home}."):
                why = f"`__all__` names it, and {part.project.published_because}"
                detail = f"`{function.qualname}`: {why}"
                yield function, Refused(PUBLISHED, detail, because=(names[first],))
                break


def _listed(module: Module) -> Iterator[tuple[str, Place]]:
    for binding in module.scopes.module.bindings.get("__all__", ()):
        if isinstance(binding.value, ast.List | ast.Tuple):
            for one in binding.value.elts:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value, module.place(one)
