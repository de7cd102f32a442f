"""What names mean in every template: context processors, globals, ``current_user``, ``g``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from awaken.project.frameworks.templates.contexts import Context, Expression
from awaken.project.frameworks.templates.rendering import returned_by
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, without_arguments

_WORDS = (b"context_processor", b".globals", b"user_loader", b"request_loader", b"g.")
_PROCESSORS = {"context_processor", "app_context_processor"}
_LOADERS = {"user_loader", "request_loader"}


class Given:
    """The names that all templates of a program see, each with the expressions that it means."""

    def __init__(
        self, evaluator: ProgramEvaluator, files_with: Callable[[Sequence[bytes]], list[str]]
    ) -> None:
        self._evaluator = evaluator
        self._files_with = files_with
        self._names: dict[str, list[Expression]] | None = None
        self._spread: list[Expression] = []

    def named(self, name: str) -> Sequence[Expression]:
        """Return what a name may mean in every template."""
        return self._all().get(name, [])

    def spread(self) -> Sequence[Expression]:
        """Return the dictionaries of further names."""
        self._all()
        return self._spread

    def everything(self) -> Iterator[Expression]:
        """Yield all that some name means in every template."""
        for expressions in self._all().values():
            yield from expressions
        yield from self._spread

    def attributes_of_g(self, name: str) -> Sequence[Expression]:
        """Return what is assigned to an attribute of ``flask.g``."""
        return self._all().get(f"g.{name}", [])

    def _all(self) -> dict[str, list[Expression]]:
        if self._names is None:
            self._names = {}
            for path in self._files_with(_WORDS):
                module = self._evaluator.load(path)
                for name, found in self._in_file(module) if module is not None else ():
                    self._names.setdefault(name, []).append(found)
        return self._names

    def _in_file(self, module: Module) -> Iterator[tuple[str, Expression]]:
        for node in module.walk():
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield from self._of_function(module, node)
                case ast.Assign(targets=[target]):
                    yield from self._assigned(module, target, node.value)
                case ast.Call(func=ast.Attribute(attr="update", value=owner)) if _is_globals(owner):
                    for one in node.args:
                        yield from self._dictionary(module, one)
                    for keyword in node.keywords:
                        if keyword.arg is not None:
                            yield keyword.arg, Expression(module, keyword.value)
                case _:
                    pass

    def _of_function(self, module: Module, node: Function) -> Iterator[tuple[str, Expression]]:
        for decorator in node.decorator_list:
            name = last_name(without_arguments(decorator))
            if name in _PROCESSORS:
                for one in returned_by(module, node):
                    yield from self._dictionary(module, one)
            elif name in _LOADERS:
                for one in returned_by(module, node):
                    yield "current_user", Expression(module, one)

    def _dictionary(self, module: Module, node: ast.expr) -> Iterator[tuple[str, Expression]]:
        context = Context()
        context.add_dictionary(module, node)
        self._spread += context.spread
        for name, expressions in context.named.items():
            for one in expressions:
                yield name, one

    def _assigned(
        self, module: Module, target: ast.expr, value: ast.expr
    ) -> Iterator[tuple[str, Expression]]:
        match target:
            case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
                if _is_globals(owner):
                    yield name, Expression(module, value)
            case ast.Attribute(value=ast.Name(id="g"), attr=name):
                yield f"g.{name}", Expression(module, value)
            case _:
                pass


def _is_globals(node: ast.expr) -> bool:
    """Whether an expression is the ``globals`` of an environment of Jinja, as it is written."""
    return isinstance(node, ast.Attribute) and node.attr == "globals"
