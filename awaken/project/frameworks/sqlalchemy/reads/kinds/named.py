"""The attributes that an expression names by text, as in ``getattr(user, name)``."""

from __future__ import annotations

import ast

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module

_DEEPEST = 4  # a name behind names; the second is rare already
# Of a table or a mapper these are columns alone, as `column_attrs` of a mapper is.
_COLUMNS = {"c", "columns"}
_CHANGING = {"add", "append", "extend", "insert", "update"}


class NamedByText:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def of(self, module: Module, node: ast.expr, depth: int = 0) -> tuple[str, ...] | None:
        """Return the names that ``node`` may be, without those of columns; None if unknown."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Constant(value=str() as name):
                return (name,)
            case ast.IfExp():
                return self._all(module, [node.body, node.orelse], depth)
            case ast.Attribute(value=ast.Name() as owner, attr="key" | "name"):
                bindings = module.scopes.bindings_of(owner)
                in_columns = [_is_of_columns(one.value) for one in bindings if one.kind == "for"]
                if in_columns and len(in_columns) == len(bindings) and all(in_columns):
                    return ()
                return self._of_constant(module, node, depth)
            case ast.Name():
                return self._of_name(module, node, depth)
            case ast.Attribute():
                return self._of_constant(module, node, depth)
            case _:
                return None

    def _all(self, module: Module, nodes: list[ast.expr], depth: int) -> tuple[str, ...] | None:
        found: dict[str, None] = {}
        for one in nodes:
            names = self.of(module, one, depth + 1)
            if names is None:
                return None
            found |= dict.fromkeys(names)
        return tuple(found)

    def _of_name(self, module: Module, node: ast.Name, depth: int) -> tuple[str, ...] | None:
        found: dict[str, None] = {}
        bindings = module.scopes.bindings_of(node)
        for binding in bindings:
            names = self._of_binding(module, binding, depth)
            if names is None:
                return None
            found |= dict.fromkeys(names)
        return tuple(found) if bindings else None

    def _of_binding(self, module: Module, binding: Binding, depth: int) -> tuple[str, ...] | None:
        match binding.kind:
            case "import":
                return self._of_constant(module, binding.node, depth, binding.name)
            case "assignment" | "walrus" if binding.value is not None:
                return self.of(module, binding.value, depth + 1)
            case "for":
                return self._of_items(module, binding, depth)
            case "parameter":
                return self._of_parameter(module, binding, depth)
            case _:
                return None

    def _of_parameter(self, module: Module, binding: Binding, depth: int) -> tuple[str, ...] | None:
        passed = self._evaluator.passed(module, binding)
        if passed is None or passed.doubts or not passed.given:
            return None
        found: dict[str, None] = {}
        for given in passed.given:
            names = self.of(given.module, given.node, depth + 1)
            if names is None:
                return None
            found |= dict.fromkeys(names)
        return tuple(found)

    def _of_items(self, module: Module, binding: Binding, depth: int) -> tuple[str, ...] | None:
        """Return the names that a loop goes through."""
        target, above = binding.node, module.parent(binding.node)
        index = None
        if isinstance(above, ast.Tuple) and target in above.elts:
            index, above = above.elts.index(target), module.parent(above)
        if not isinstance(above, ast.For | ast.AsyncFor | ast.comprehension):
            return None
        if _is_of_columns(above.iter):
            return ()
        home, items = self._literal(module, above.iter)
        if items is not None and index is not None:
            items = [_item(one, index) for one in items]
        if items is None or None in items:
            return None
        return self._all(home, [one for one in items if one is not None], depth)

    def _literal(
        self, module: Module, node: ast.expr
    ) -> tuple[Module, list[ast.expr | None] | None]:
        """Return the items of a display, also of one behind the name of a constant."""
        if isinstance(node, ast.Attribute) and node.attr == "_fields":
            return self._fields(module, node.value)
        if isinstance(node, ast.Name | ast.Attribute):
            found = self._constant(module, node)
            if found is None or _is_changed(*found):
                return module, None
            module, node = found[0], found[1]
        match node:
            case ast.List() | ast.Set() | ast.Tuple():
                return module, [*node.elts]
            case ast.Dict():
                return module, [*node.keys]
            case ast.Call(func=ast.Name(id="frozenset" | "list" | "set" | "tuple"), args=[inner]):
                return self._literal(module, inner)
            case _:
                return module, None

    def _fields(
        self, module: Module, node: ast.expr
    ) -> tuple[Module, list[ast.expr | None] | None]:
        """Return the names that ``namedtuple("Point", [...])`` is given."""
        found = self._constant(module, node)
        match found:
            case home, ast.Call(func=ast.Name(id="namedtuple"), args=[_, names, *_]), _:
                return self._literal(home, names)
            case _:
                return module, None

    def _of_constant(
        self, module: Module, node: ast.AST, depth: int, name: str = ""
    ) -> tuple[str, ...] | None:
        found = self._constant(module, node, name)
        return None if found is None else self.of(found[0], found[1], depth + 1)

    def _constant(
        self, module: Module, node: ast.AST, name: str = ""
    ) -> tuple[Module, ast.expr, str] | None:
        """Return the only value of a variable of a module, with that module and its name."""
        names = self._evaluator.names
        if isinstance(node, ast.expr):
            bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
            if len(bindings) == 1 and bindings[0].kind == "assignment" and bindings[0].value:
                return module, bindings[0].value, bindings[0].name
            qualified = names.qualified(module, node)
        else:
            qualified = names.attribute(module.path, name)
        located = None if qualified is None else names.locate(qualified)
        if located is None or len(located.rest) != 1:
            return None
        home = self._evaluator.load(located.path)
        found = home.scopes.module.bindings.get(located.rest[0], []) if home is not None else []
        if home is None or len(found) != 1 or found[0].value is None:
            return None
        return home, found[0].value, located.rest[0]


def _item(node: ast.expr | None, index: int) -> ast.expr | None:
    if isinstance(node, ast.List | ast.Tuple) and index < len(node.elts):
        return node.elts[index]
    return None


def _is_of_columns(node: ast.expr | None) -> bool:
    """Whether ``node`` gives columns or their names: ``cls.__table__.columns.keys()``."""
    match node:
        case ast.Call(func=ast.Name(id="list" | "set" | "sorted" | "tuple"), args=[inner, *_]):
            return _is_of_columns(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="keys" | "items" | "values")):
            return _is_of_columns(inner)
        case ast.Attribute():
            is_own = node.attr in _COLUMNS and _is_of_mapping(node.value)
            return is_own or node.attr == "column_attrs"
        case _:
            return False


def _is_of_mapping(node: ast.expr) -> bool:
    """Whether ``node`` is the table or the mapper of a class, by how it is written."""
    match node:
        case ast.Attribute(attr="__table__" | "__mapper__" | "mapper"):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in {"class_mapper", "inspect", "object_mapper"}
        case _:
            return False


def _is_changed(module: Module, node: ast.expr, name: str) -> bool:
    """Whether the file that makes a list or set changes it later."""
    if isinstance(node, ast.Tuple):
        return False
    above = (module.parent(one) for one in module.mentions(name))
    return any(isinstance(one, ast.Attribute) and one.attr in _CHANGING for one in above)
