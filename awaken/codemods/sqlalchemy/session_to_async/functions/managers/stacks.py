"""Stacks of managers: ``ExitStack``, where a session is entered by one or closed by it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_ON
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_twin
from awaken.contract import Edit
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_STACK = "contextlib.ExitStack"
_CURE = "Enter or call it in this function, so that `with` can become `async with`."


class Stacks:
    """Writes the stacks of one function; each of them once."""

    def __init__(self, project: Project, site: Site[ast.AST], awaiting: Awaiting) -> None:
        self._project = project
        self._site = site
        self._module: Module = site.module
        self._awaiting = awaiting
        self._written: set[ast.expr] = set()

    def write(self, node: ast.expr) -> Iterator[Edit]:
        """Have a stack keep ``node``, a session or a method of one. Raises Refused."""
        module, call = self._module, self._module.parent(node)
        made = self._made_call(call)
        match call:
            case ast.Call(func=ast.Attribute(attr=method), args=[first, *_]) if (
                made is not None and first is node and method in twins().stack_methods
            ):
                self._awaiting.renames(call.func, twins().stack_methods[method])
                if method == "enter_context":
                    self._awaiting.awaits(call)
            case _:
                because = (module.place(node),)
                raise Refused(HANDED_ON, module.excerpt(node), _CURE, because)
        if made not in self._written:
            self._written.add(made)
            self._awaiting.enters(made)
            yield from write_twin(self._project, self._site, made.func, _STACK)[1]

    def _made_call(self, call: ast.AST | None) -> ast.Call | None:
        """Return ``ExitStack()`` in the ``with`` whose stack ``call`` calls a method of.

        None where something else is done with the stack.
        """
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name() as stack)):
                bindings = self._module.scopes.bindings_of(stack)
            case _:
                return None
        item = bindings[0].node if len(bindings) == 1 else None
        item = item if isinstance(item, ast.withitem) else self._module.parent(item or call)
        match item:
            case ast.withitem(context_expr=ast.Call() as made) if (
                self._project.qualified_name(self._module, made.func) == _STACK
            ):
                pass
            case _:
                return None
        reads = bindings[0].scope.reads.get(stack.id, [])
        return made if all(map(self._is_known, reads)) else None

    def _is_known(self, stack: ast.expr) -> bool:
        """Whether a method of ``stack`` is called that an asynchronous one has as well."""
        above = self._module.parent(stack)
        call = None if above is None else self._module.parent(above)
        if not isinstance(above, ast.Attribute) or not isinstance(call, ast.Call):
            return False
        return above.attr in twins().stack_methods
