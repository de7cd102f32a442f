"""Names that every template has: context processors, globals, ``current_user``, ``g``."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from awaken.project.frameworks.templates.contexts import Context, Expression
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, last_name, without_arguments

_WORDS = (b"context_processor", b".globals", b"user_loader", b"request_loader")
_PROCESSORS = {"context_processor", "app_context_processor"}
_LOADERS = {"user_loader", "request_loader"}


class _Names(Struct):
    """The meanings of names: in all templates, in Flask's, and as attributes of ``flask.g``."""

    everywhere: Context = field(default_factory=Context)
    in_flask: Context = field(default_factory=Context)
    of_g: Context = field(default_factory=Context)


class Given(ProgramFacts):
    """The names that all templates of a program see, each with the expressions that it means."""

    def contexts(self, *, in_flask: bool) -> Sequence[Context]:
        """Return what every template is given, or every template that Flask renders."""
        names = self._names
        return (names.in_flask, names.everywhere) if in_flask else (names.everywhere,)

    def attributes_of_g(self, name: str) -> Sequence[Expression]:
        """Return what is assigned to an attribute of ``flask.g``."""
        return self._names.of_g.named.get(name, [])

    @cached_property
    def _names(self) -> _Names:
        names = _Names()
        # `flask.g` is known by its name alone; as bytes, `g.` is the end of many a word.
        paths = {
            *self._evaluator.files_with(_WORDS),
            *self._evaluator.callers.words.files_with("g"),
        }
        for module, node in nodes_in(self._evaluator.modules_at(sorted(paths)), ast.AST):
            _note(module, node, names)
        return names


def _note(module: Module, node: ast.AST, found: _Names) -> None:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            _note_function(module, node, found)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            for target in targets_of(node):
                _note_assigned(module, target, Expression(module, value), found)
        case ast.Call(func=ast.Attribute(attr="update", value=owner)) if _is_globals(owner):
            for argument in node.args:
                found.everywhere.add_dictionary(module, argument)
            found.everywhere.add_keywords(module, node.keywords)


def _note_function(module: Module, node: Function, found: _Names) -> None:
    for decorator in node.decorator_list:
        name = last_name(without_arguments(decorator))
        for part in module.returned_by(node) if name in _PROCESSORS else ():
            # Each is asked again, so none replaces the result of another.
            context = Context()
            context.add_dictionary(module, part)
            found.in_flask.join(context)
        for part in module.returned_by(node) if name in _LOADERS else ():
            found.in_flask.add("current_user", module, part)


def _note_assigned(module: Module, target: ast.expr, value: Expression, found: _Names) -> None:
    match target:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
            if _is_globals(owner):
                found.everywhere.add(name, module, value.node)
        case ast.Attribute(value=ast.Name(id="g"), attr=name):
            found.of_g.named.setdefault(name, []).append(value)
        case ast.Tuple(elts=targets):
            for position, node in enumerate(targets):
                part = replace(value, path=(*value.path, f"[{position}]"))
                _note_assigned(module, node, part, found)


def _is_globals(node: ast.expr) -> bool:
    """Whether an expression is the ``globals`` of an environment of Jinja, as it is written."""
    return isinstance(node, ast.Attribute) and node.attr == "globals"
