"""Contexts of templates: the keywords of calls, and dictionaries as far as seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.reads.read_facts import BY_KEY
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import DEEPEST

# Methods that leave a dictionary as it is.
_READING = name_list("views_of_dictionaries") | {"copy", "get"}
_RENDERING = {"TemplateResponse", "render", "render_async", "render_to_string", "render_template"}


class Expression(Struct, frozen=True):
    """An expression of the program, and what of it is meant: ``path`` leads on from there."""

    module: Module
    node: ast.expr
    path: tuple[str, ...] = ()


class Context(Struct):
    """The arguments of a template.

    ``named`` are the expressions that a name may mean, ``spread`` dictionaries of further names.
    """

    named: dict[str, list[Expression]] = field(default_factory=dict)
    spread: list[Expression] = field(default_factory=list)

    def copy(self) -> Context:
        """Return the same, to be added to."""
        named = {name: list(expressions) for name, expressions in self.named.items()}
        return Context(named, list(self.spread))

    def join(self, other: Context) -> None:
        """Add the values of another one to these."""
        for name, expressions in other.named.items():
            self.named.setdefault(name, []).extend(expressions)
        self.spread += other.spread

    def everything(self) -> Iterator[Expression]:
        """Yield all that some name may mean."""
        for expressions in self.named.values():
            yield from expressions
        yield from (replace(item, path=(*item.path, BY_KEY)) for item in self.spread)

    def meanings_of(self, name: str) -> list[Expression]:
        """Return what a name may mean, if a dictionary with further names holds it as well."""
        further = [replace(expression, path=(*expression.path, name)) for expression in self.spread]
        return [*self.named.get(name, []), *further]

    def add(self, name: str, module: Module, node: ast.expr) -> None:
        """Add what a name may mean."""
        self.named.setdefault(name, []).append(Expression(module, node))

    def add_keywords(self, module: Module, keywords: Sequence[ast.keyword]) -> None:
        """Add the keywords of a call, of which no two have the same name."""
        for keyword in keywords:
            if keyword.arg is not None:
                self.add(keyword.arg, module, keyword.value)
        for keyword in keywords:
            if keyword.arg is None:
                self._add(module, keyword.value, DEEPEST, replaces=False)

    def add_dictionary(self, module: Module, node: ast.expr) -> None:
        """Add what a dictionary holds, which may replace what is there."""
        self._add(module, node, DEEPEST, replaces=True)

    def _add(self, module: Module, node: ast.expr, deep: int, *, replaces: bool) -> None:
        match node:
            case ast.Dict() if deep:
                self._add_display(module, node, deep)
            case ast.Call(func=ast.Name(id="dict"), args=args) if deep:
                for argument in args:
                    self._add(module, argument, deep - 1, replaces=True)
                self.add_keywords(module, node.keywords)
            case ast.BinOp(op=ast.BitOr()) if deep:
                self._add(module, node.left, deep - 1, replaces=replaces)
                self._add(module, node.right, deep - 1, replaces=True)
            case ast.Name() if deep and (parts := _parts_of(module, node)) is not None:
                for name, value in parts:
                    if name:
                        self.add(name, module, value)
                    else:
                        self._add(module, value, deep - 1, replaces=True)
            case _:
                self._add_unseen(module, node, replaces=replaces)

    def _add_display(self, module: Module, node: ast.Dict, deep: int) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            match key:
                case ast.Constant(value=str(name)):
                    self.add(name, module, value)
                case None:
                    self._add(module, value, deep - 1, replaces=True)
                case _:
                    self._add_unseen(module, node, replaces=False)

    def _add_unseen(self, module: Module, node: ast.expr, *, replaces: bool) -> None:
        """Add a dictionary of which the names are not seen."""
        for name, expressions in self.named.items() if replaces else ():
            expressions.append(Expression(module, node, (name,)))
        self.spread.append(Expression(module, node))


def _parts_of(module: Module, name: ast.Name) -> list[tuple[str, ast.expr]] | None:
    """Return what is put into the dictionary of a variable, each with its key.

    The key is empty where the value is a dictionary of several. None if it may hold more.
    """
    scope = module.scopes.owner(name.id, module.scopes.scope_of(name))
    # Another file may put something into one of a module.
    inside = scope is not None and isinstance(scope.node, Function)
    bindings = scope.bindings_of(name.id) if scope is not None and inside else []
    result: list[tuple[str, ast.expr]] = []
    for binding in bindings:
        if binding.kind != "assignment" or not isinstance(binding.value, ast.Dict | ast.Call):
            return None
        if isinstance(binding.value, ast.Call) and last_name(binding.value.func) != "dict":
            return None
        result.append(("", binding.value))
    for read in module.scopes.reads_of(name) if result else ():
        parts = _put_in(module, read)
        if parts is None:
            return None
        result += parts
    return result or None


def _put_in(module: Module, read: ast.Name) -> list[tuple[str, ast.expr]] | None:
    """Return what one mention of a dictionary puts into it; None if that is not seen."""
    parent = module.parent(read)
    match parent:
        case ast.Subscript(value=owner, ctx=ast.Load()) if owner is read:
            # A method of what it holds may put something into that.
            return None if isinstance(module.parent(parent), ast.Attribute) else []
        case ast.Subscript(ctx=ast.Store(), slice=ast.Constant(value=str(key))):
            statement = module.parent(parent)
            return [(key, statement.value)] if isinstance(statement, ast.Assign) else None
        case ast.Attribute(attr=method):
            call = module.call_of(parent)
            if call is None:
                return None
            return (
                _update_arguments(call)
                if method == "update"
                else ([] if method in _READING else None)
            )
        case ast.keyword(arg=None) | ast.Dict() | ast.Compare() | ast.Return():
            return []
        case ast.Call() if last_name(parent.func) in _RENDERING:
            return []
    return None


def _update_arguments(call: ast.Call) -> list[tuple[str, ast.expr]]:
    return [
        *(("", argument) for argument in call.args),
        *((keyword.arg or "", keyword.value) for keyword in call.keywords),
    ]
