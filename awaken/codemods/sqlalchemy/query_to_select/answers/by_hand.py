"""Sessions that a test wrote by hand: a class or a function that answers ``query``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select.answers.asked import Asked
from awaken.contract import Span
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameter_names
from awaken.project.values.domain import classes_in

if TYPE_CHECKING:
    from awaken.project import Project


def query_span(module: Module, node: ast.AST) -> Span | None:
    """Return the place of the name ``query``, in a definition or an assignment."""
    match node:
        case ast.FunctionDef(name="query"):
            start = module.span(node).start
            at = module.source.text.index(b"query", start)
            return Span(at, at + len(b"query"))
        case ast.Attribute(attr="query", ctx=ast.Store()):
            end = module.span(node).end
            return Span(end - len(b"query"), end)
    return None


def function_of(module: Module, node: ast.AST) -> ast.FunctionDef | None:
    """Return the function that answers: the method, or what is assigned."""
    if isinstance(node, ast.FunctionDef):
        return node if not node.decorator_list else None
    above = module.parent(node)
    if not isinstance(above, ast.Assign) or len(above.targets) != 1:
        return None
    binding = module.scopes.only_binding(above.value)
    result = None if binding is None else binding.node
    is_plain = isinstance(result, ast.FunctionDef) and not result.decorator_list
    return result if is_plain and isinstance(result, ast.FunctionDef) else None


def answers_alike(module: Module, function: ast.FunctionDef, asked: Iterable[Asked]) -> bool:
    """Whether a function gives the same for a statement, asked by what is asked afterwards.

    It looks at nothing that it is given, and what it gives hands itself on until the last method.
    """
    # A fake that always raises gives no answer that could differ.
    if isinstance(_body(function)[0], ast.Raise):
        return True
    parameters = parameter_names(function.args)
    own = function.args.args[0].arg if module.enclosing_class(function) is not None else ""
    read = {node.id for node in module.nodes_below(function, ast.Name)}
    if read & (parameters - {own}):
        return False
    classes = list(_returned_classes(module, function, own))
    if not classes or None in classes:
        return False
    for method in asked:
        *builders, last = method.before
        is_same = method.items == 1 and len(method.after) > 1 and method.after[1:] == (last,)
        if not is_same or not all(
            given is not None
            and all(_gives_itself(given, name) for name in builders)
            and _method(given, last) is not None
            for given in classes
        ):
            return False
    return True


def is_read(project: Project, module: Module, fake: str, handled: Sequence[ast.AST]) -> bool:
    """Whether a file reads ``query`` of an instance of the class ``fake`` by itself."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "query"
        and node not in handled
        and fake in classes_in(project.values.of(module, node.value).alternatives)
        for node in module.walk()
    )


def has_member(module: Module, node: ast.AST, name: str) -> bool:
    """Whether the class around a definition, or the file, says something of ``name`` already."""
    around = module.enclosing_class(node)
    if around is not None and _method(around, name) is not None:
        return True
    return any(
        isinstance(part, ast.Attribute) and part.attr == name and isinstance(part.ctx, ast.Store)
        for part in module.walk()
    )


def _body(function: Function) -> list[ast.stmt]:
    """Return the statements of a function after its docstring."""
    match function.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest] if rest:
            return rest
        case body:
            return body


def _returned_classes(
    module: Module, function: ast.FunctionDef, own: str
) -> Iterator[ast.ClassDef | None]:
    """Yield the classes of what a function returns; None for what is not understood."""
    for node in module.walk(function):
        if not isinstance(node, ast.Return) or module.enclosing_function(node) is not function:
            continue
        match node.value:
            case ast.Name(id=name) if own and name == own:
                yield module.enclosing_class(function)
            case ast.Call(func=ast.Name() as made):
                binding = module.scopes.only_binding(made)
                result = None if binding is None else binding.node
                yield result if isinstance(result, ast.ClassDef) and not result.bases else None
            case _:
                yield None


def _method(around: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    for node in around.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    return None


def _gives_itself(around: ast.ClassDef, name: str) -> bool:
    method = _method(around, name)
    if method is None or method.decorator_list or not method.args.args:
        return False
    match _body(method):
        case [ast.Return(value=ast.Name(id=given))]:
            return given == method.args.args[0].arg
    return False
