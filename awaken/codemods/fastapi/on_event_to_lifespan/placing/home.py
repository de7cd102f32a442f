"""The statement that makes an application, above which its lifespan is written."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.kit.sites import Refused
from awaken.project.frameworks.web.applications import Application
from awaken.project.source.bindings import Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, variable_of

_COMPOUND = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.While, ast.For, ast.AsyncFor,
    ast.With, ast.AsyncWith, ast.Match, ast.Try,
)  # fmt: skip


class Home(Struct, frozen=True):
    """The call that makes an application, its statement, and the scope of these.

    ``variable`` is the plain name that the application is given, empty if it has none. Where a
    function only registers on applications that it is given, there is no ``call``: ``receiver`` is
    what it calls the application, and ``annotation`` how that is annotated.
    """

    application: Application
    module: Module
    call: ast.Call | None
    statement: ast.stmt
    scope: Scope
    variable: str
    receiver: str = ""
    annotation: str = ""

    @property
    def function(self) -> Function | None:
        """The function that makes the application, if one does."""
        node = self.scope.node
        return node if isinstance(node, Function) else None

    @property
    def scope_name(self) -> str:
        """The name of the function or file around the statement."""
        return self.module.scope_name(self.statement)

    @property
    def outermost(self) -> ast.stmt:
        """The statement of the module in which the application is made."""
        statement = self.statement
        for above in self.module.ancestors(self.statement):
            if isinstance(above, ast.stmt):
                statement = above
        return statement


def home_of(application: Application, module: Module) -> Home:
    """Return where ``application`` is made in ``module``. Raises Refused."""
    calls = module.calls_at(application.made.span)
    # Before Python 3.12 nodes inside an f-string have no reliable positions.
    if not calls:
        raise Refused(reasons.NO_PLACE, "inside an f-string")
    call = calls[0]
    scope = module.scopes.scope_of(call)
    # A function in a class body cannot see its names; a lambda has no room for one.
    if scope.kind not in {"module", "function"}:
        raise Refused(reasons.NO_PLACE, f"in a {scope.kind}", because=(application.made,))
    statement = module.statement_of(call)
    if statement is None or isinstance(statement, _COMPOUND):
        raise Refused(reasons.NO_PLACE, "in the head of a block", because=(application.made,))
    variable = last_name(variable_of(module.parent(call)))
    written = module.text_of(call.func)
    return Home(application, module, call, statement, scope, variable, annotation=written)


def registrar_of(
    application: Application, module: Module, statement: ast.stmt, receiver: ast.expr
) -> Home:
    """Return the function in which ``statement`` registers on ``receiver``, that it is given."""
    scope = module.scopes.scope_of(statement)
    annotation, variable = "", ""
    if isinstance(receiver, ast.Name):
        variable = receiver.id
        # Several bindings may be annotated differently.
        binding = module.scopes.only_binding(receiver)
        declared = None if binding is None else binding.annotation
        annotation = module.text_of(declared) if declared is not None else ""
    text = module.text_of(receiver)
    if not annotation and application.made.path == module.path:
        calls = module.calls_at(application.made.span)
        annotation = module.text_of(calls[0].func) if calls else ""
    return Home(application, module, None, statement, scope, variable, text, annotation)
