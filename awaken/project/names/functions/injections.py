"""Injected parameters of a signature: ``Depends(f)`` as a default, in ``Annotated``, by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.knowledge.injection import injection
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameters_of

Provider = tuple[Module, ast.expr]
"""What a dependency calls, in the file that writes it."""
OVERRIDES = "dependency_overrides"
_TAKING = {"clear", "copy", "get", "items", "keys", "pop", "values"}
"""Methods that put nothing into the overrides."""


class Injections:
    """Answers for one program; providers come as they are written, not evaluated."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def provider(self, module: Module, node: ast.AST | None) -> ast.expr | None:
        """Return ``f`` where a node is ``Depends(f)``; None otherwise, and for ``Depends()``."""
        if not isinstance(node, ast.Call) or not node.args:
            return None
        is_dependency = self._names.qualified_name(module, node.func) in injection().dependencies
        return node.args[0] if is_dependency else None

    def providers_below(self, module: Module, root: ast.AST) -> Iterator[Provider]:
        """Yield the providers that the code below ``root`` writes itself."""
        for node in module.nodes_below(root, ast.Call):
            provider = self.provider(module, node)
            if provider is not None:
                yield module, provider

    def of_parameter(
        self, module: Module, parameter: ast.arg, default: ast.expr | None
    ) -> Iterator[Provider]:
        """Yield the providers of a parameter, of the default first."""
        for written in (default, parameter.annotation):
            if written is not None:
                for home, node in self._meant_providers(module, written):
                    yield from self.providers_below(home, node)

    def of_function(self, module: Module, function: Function) -> Iterator[Provider]:
        """Yield the providers of a function's decorators and parameters."""
        for decorator in function.decorator_list:
            yield from self.providers_below(module, decorator)
        for parameter, default in parameters_of(function.args):
            yield from self.of_parameter(module, parameter, default)

    def _meant_providers(self, module: Module, node: ast.expr) -> list[Provider]:
        """Return what the name of an alias is bound to; ``node`` itself if it is no alias."""
        at_top = self._names.bindings_at(self._names.qualified_name(module, node))
        if at_top is None:
            return [(module, node)]
        home, bindings = at_top
        return [(home, binding.value) for binding in bindings if binding.value is not None]


def overrides_in(module: Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the dependencies that a file replaces, each with what is called for it."""
    for node in module.nodes_of(ast.Assign, ast.Call):
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        match node:
            case ast.Assign(targets=[ast.Subscript(value=owner, slice=key)], value=value):
                pairs = [(key, value)]
            case (
                ast.Assign(targets=[owner], value=ast.Dict(keys=keys, values=values))
                | ast.Call(
                    func=ast.Attribute(value=owner, attr="update"),
                    args=[ast.Dict(keys=keys, values=values)],
                )
            ):
                pairs = [*zip(keys, values, strict=True)]
            case ast.Call(func=ast.Attribute(attr="setitem"), args=[owner, key, value]):
                pairs = [(key, value)]
            case _:
                continue
        if last_name(owner) == OVERRIDES:
            yield from ((key, given) for key, given in pairs if key is not None)


def arguments_for_overrides(call: ast.Call) -> Sequence[ast.expr] | None:
    """Return what a call puts into the overrides of dependencies, or looks up there: key first.

    None for other calls. `monkeypatch.setitem(app.dependency_overrides, get_db, fake)` puts one.
    """
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name)), args=arguments):
            return arguments if name == OVERRIDES else None
        case ast.Call(func=ast.Attribute(attr="setitem"), args=[owner, *arguments]):
            return arguments if last_name(owner) == OVERRIDES else None
    return None


def are_all_seen(module: Module) -> bool:
    """Whether `overrides_in` sees each dependency that a file replaces."""
    return all(
        _is_seen(module, node)
        for node in module.nodes_of(ast.Name, ast.Attribute, ast.Constant)
        if OVERRIDES in (last_name(node), getattr(node, "value", None))
    )


def _is_seen(module: Module, node: ast.AST) -> bool:
    match above := module.parent(node):
        case ast.Subscript(ctx=ast.Store()):
            statement = module.parent(above)
            return isinstance(statement, ast.Assign) and statement.targets == [above]
        case ast.Subscript(value=owner) | ast.Expr(value=owner):
            return owner is node
        case ast.Attribute(attr=method):
            match module.parent(above):
                case ast.Call(args=[ast.Dict(keys=keys)], keywords=[]) if method == "update":
                    return None not in keys
            return method in _TAKING
        case ast.Assign(targets=[owner], value=ast.Dict(keys=keys)):
            return owner is node and None not in keys
        case ast.Assign(targets=[ast.Name() as name]):
            reads = module.scopes.reads_in(module.scopes.scope_of(name), name.id)
            return all(getattr(module.parent(read), "attr", "") in _TAKING for read in reads)
        case ast.Call(func=ast.Attribute(attr="setitem"), args=[owner, _, _]):
            return owner is node
    return False
