"""Endpoints of FastAPI with the response models that their results are turned into."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.frameworks.web.searched_files import FoundInFiles
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_none, keyword_of, last_name
from awaken.project.values.domain import functions_in

_METHODS = library_names().http_methods | {"api_route", "trace"}
_ADDED = "add_api_route"
_KINDS = {"fastapi", "router"}
# Of a file that gets its router from elsewhere, the decorator says that it has endpoints.
_WORDS = (b"APIRouter", b"FastAPI", b"response_model", b"add_api_route", b"@router.", b"@app.")


class Endpoint(Struct, frozen=True):
    """A function that FastAPI calls for requests.

    ``model`` is the type that its result is turned into, an expression of ``home``: the response
    model of the route, else the annotation of the function; None where neither is given.
    """

    module: Module
    function: Function
    home: Module
    model: ast.expr | None

    @property
    def returned_expressions(self) -> tuple[ast.expr, ...]:
        """The expressions that the function returns."""
        return tuple(self.module.returned_by(self.function))


class Responses(FoundInFiles[Endpoint]):
    """All endpoints of a program, found when first asked for."""

    words = _WORDS

    def _items_in(self, module: Module) -> Iterator[Endpoint]:
        for node in module.nodes_of(ast.FunctionDef, ast.AsyncFunctionDef, ast.Call):
            if isinstance(node, Function):
                for decorator in node.decorator_list:
                    if self._is_route(module, decorator):
                        yield self._endpoint(module, decorator, module, node)
            elif isinstance(node, ast.Call) and last_name(node.func) == _ADDED:
                yield from self._added_endpoints(module, node, argument_at(node, 1, "endpoint"))
            elif isinstance(node, ast.Call) and self._is_route(module, node.func):
                # ``router.get("/books")(read_books)``
                yield from self._added_endpoints(
                    module, node.func, node.args[0] if node.args else None
                )

    def _added_endpoints(
        self, module: Module, route: ast.expr, given: ast.expr | None
    ) -> Iterator[Endpoint]:
        values = () if given is None else self._evaluator.values(module, given)
        return (self._endpoint(module, route, *pair) for pair in functions_in(values))

    def _endpoint(
        self, module: Module, route: ast.expr, home: Module, function: Function
    ) -> Endpoint:
        given = keyword_of(route, "response_model") if isinstance(route, ast.Call) else None
        if given is None:
            return Endpoint(home, function, home, function.returns)
        # ``response_model=None`` switches the annotation off, too.
        model = None if is_none(given) else given
        return Endpoint(home, function, module, model)

    def _is_route(self, module: Module, decorator: ast.expr) -> bool:
        match decorator:
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _METHODS:
                setting = self._applications.applications_of(module, owner)
            case _:
                return False
        if setting.applications:
            return any(application.kind in _KINDS for application in setting.applications)
        if setting.unknown_class:
            return self._applications.kind_of(setting.unknown_class) in _KINDS
        # A path in such a decorator is a route, even if nothing says what the object is.
        path = argument_at(decorator, 0, "path")
        is_path = isinstance(path, ast.Constant) and str(path.value)[:1] in {"", "/"}
        return setting.unknown is not None and is_path
