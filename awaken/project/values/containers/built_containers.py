"""The containers that expressions build, and what calls on them give."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    Environment,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    TupleOf,
    Unknown,
    Value,
    Values,
    are_instances,
    union,
    without_none,
)
from awaken.project.values.items import (
    BOOL,
    BYTES,
    DICTS,
    FLOAT,
    INT,
    LISTS,
    MOST_PLACES,
    MUTABLE,
    SETS,
    STR,
    list_of,
    tuple_of,
)
from awaken.project.values.questions import EvaluatorPart

_CLASSES: dict[type, InstanceOf] = {
    bool: BOOL,
    int: INT,
    float: FLOAT,
    str: STR,
    bytes: BYTES,
    complex: InstanceOf("builtins.complex"),
    type(...): InstanceOf("types.EllipsisType"),
}
_SCALARS = {*_CLASSES.values(), NoneValue()}
_NUMBERS = [BOOL, INT, FLOAT]
_CERTAIN = (ast.Is, ast.IsNot, ast.In, ast.NotIn)
_ELSEWHERE = NotRelevant("a value built in place")
_LAZY = {"enumerate", "reversed", "map", "filter", "zip"}
_FUNCTIONS = {"list", "set", "frozenset", "tuple", "dict", "sorted", "deque", "defaultdict"} | _LAZY
_GIVE_AN_ITEM = name_list("giving_an_item") | {"popitem"}
_GIVE_ALL = name_list("views_of_dictionaries") | {"copy"}
_GIVE_NOTHING = {
    *library_names().adding_methods, *library_names().joining_methods,
    "clear", "discard", "remove", "reverse", "rotate", "sort",
}  # fmt: skip
_METHODS = _GIVE_AN_ITEM | _GIVE_ALL | _GIVE_NOTHING


def constant(value: object) -> Value:
    """Return what a constant of the source is."""
    return NoneValue() if value is None else _CLASSES[type(value)]


class Building(EvaluatorPart):
    """Follows displays, comprehensions and subscripts, and calls of and on containers."""

    # ------------------------------------------------------------------------------- displays
    def display(self, module: Module, node: ast.expr, known: Environment) -> Values:
        """Return what a display, a comprehension or an operation of builtins gives."""
        match node:
            case ast.Tuple():
                return self._tuple(module, node, known)
            case ast.List():
                return (list_of(self._items(module, node.elts, known)),)
            case ast.Set():
                return (_growing_container("builtins.set", self._items(module, node.elts, known)),)
            case ast.Dict():
                return (self._dict(module, node, known),)
            case ast.ListComp():
                return (list_of(self._evaluator.values(module, node.elt, known)),)
            case ast.SetComp():
                return (
                    _growing_container(
                        "builtins.set", self._evaluator.values(module, node.elt, known)
                    ),
                )
            case ast.DictComp():
                keys = self._evaluator.values(module, node.key, known)
                values = self._evaluator.values(module, node.value, known)
                return (_growing_container("builtins.dict", keys, values),)
            case ast.GeneratorExp():
                return (Producer("generator", self._evaluator.values(module, node.elt, known)),)
        return self._operation(module, node, known)

    def _tuple(self, module: Module, node: ast.Tuple, known: Environment) -> Values:
        places: list[Values] = []
        for part in node.elts:
            if not isinstance(part, ast.Starred):
                places.append(self._evaluator.values(module, part, known))
                continue
            inner = self._evaluator.values(module, part.value, known)
            if len(inner) != 1 or not isinstance(inner[0], TupleOf):
                return (_tuple_of_any(self._items(module, node.elts, known)),)
            places += inner[0].items
        return (tuple_of(places),)

    def _items(self, module: Module, nodes: Iterable[ast.expr], known: Environment) -> Values:
        items: Values = ()
        for node in nodes:
            if isinstance(node, ast.Starred):
                items = union(items, self.items_of(module, node.value, known))
            else:
                items = union(items, self._evaluator.values(module, node, known))
            if len(items) > MOST_ALTERNATIVES:
                # One item that is too much does not make the container unknown.
                return (self._evaluator.unknown(module, node, "it may be too many things"),)
        return items

    def _dict(self, module: Module, node: ast.Dict, known: Environment) -> Value:
        keys = self._items(module, [part for part in node.keys if part is not None], known)
        parts = zip(node.keys, node.values, strict=True)
        values = self._items(module, [value for key, value in parts if key is not None], known)
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self._evaluator.values(module, value, known)
                keys, values = joined_contents(inner, module, value, keys, values)
        names = [key_of(key) for key in node.keys]
        return self._told_apart(
            _growing_container("builtins.dict", keys, values), names, node.values, known, module
        )

    def _told_apart(
        self,
        built: InstanceOf,
        keys: Sequence[object],
        items: Sequence[ast.expr],
        known: Environment,
        module: Module,
    ) -> InstanceOf:
        """Return a dictionary with what each of its keys holds, if all are texts, and few."""
        if len(keys) > MOST_PLACES or not all(isinstance(key, str) for key in keys):
            return built
        # The last one counts where a key is there twice.
        held = {
            str(key): self._evaluator.values(module, item, known)
            for key, item in zip(keys, items, strict=True)
        }
        return replace(built, named=tuple(held.items()))

    def items_of(self, module: Module, node: ast.expr, known: Environment) -> Values:
        """Return what iterating ``node`` gives."""
        values = self._evaluator.values(module, node, known)
        return self._evaluator.iterated_values(values, module, node)

    # ----------------------------------------------------------------------------- operations
    def _operation(self, module: Module, node: ast.expr, known: Environment) -> Values:
        match node:
            case ast.JoinedStr() | ast.FormattedValue():
                return (STR,)
            case ast.UnaryOp(op=ast.Not()):
                return (BOOL,)
            case ast.UnaryOp():
                found = self._evaluator.values(module, node.operand, known)
                return tuple(value if value in _NUMBERS[1:] else _ELSEWHERE for value in found)
            case ast.Compare():
                if all(isinstance(operator, _CERTAIN) for operator in node.ops):
                    return (BOOL,)
                parts = [node.left, *node.comparators]
                sides = union(*(self._evaluator.values(module, part, known) for part in parts))
                return (BOOL,) if all(side in _SCALARS for side in sides) else (_ELSEWHERE,)
            case ast.BinOp():
                left = self._evaluator.values(module, node.left, known)
                right = self._evaluator.values(module, node.right, known)
                result = operated_values(left, node.op, right)
                return (_ELSEWHERE,) if result is None else result
        return (_ELSEWHERE,)

    # ----------------------------------------------------------------------------- subscripts
    # ---------------------------------------------------------------------------------- calls
    def call_results(self, module: Module, node: ast.Call, known: Environment) -> Values | None:
        """Return what a call of a builtin, or of a container's method, gives; None for others."""
        match node.func:
            case ast.Name() if (name := last_name(node.func)) in _FUNCTIONS:
                qualified = self._evaluator.names.qualified_name(module, node.func)
                if qualified in {f"builtins.{name}", f"collections.{name}"}:
                    return self._made_values(qualified, module, node, known)
            case ast.Attribute(attr="deque" | "defaultdict" as name):
                if self._evaluator.names.qualified_name(module, node.func) == f"collections.{name}":
                    return self._made_values(f"collections.{name}", module, node, known)
            case ast.Attribute(value=owner, attr=name) if name in _METHODS:
                return self._method(
                    self._evaluator.values(module, owner, known), module, node, known
                )
        return None

    def _made_values(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        name = qualified.rpartition(".")[2]
        if name == "dict":
            return self._dict_called(module, node, known)
        if name == "defaultdict":
            return self._defaultdict(module, node, known)
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            return None
        if name in {"map", "filter"}:
            return self._mapped_values(qualified, module, node, known)
        given = [self.items_of(module, argument, known) for argument in node.args]
        match name:
            case "zip" if given:
                return (InstanceOf(qualified, parameters=((TupleOf(tuple(given)),),)),)
            case "list" | "sorted":
                return (list_of(given[0] if given else ()),)
            case "set" | "deque":
                return (_growing_container(qualified, given[0] if given else ()),)
            case "tuple" | "frozenset":
                return (InstanceOf(qualified, parameters=(given[0] if given else (),)),)
            case _ if given:
                return (InstanceOf(qualified, parameters=(given[0],)),)
        return None

    def _mapped_values(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        if len(node.args) != 2:  # noqa: PLR2004  a function and what it is called with
            return None
        function, items = node.args
        if qualified == "builtins.filter":
            result = self.items_of(module, items, known)
            if isinstance(function, ast.Constant) and function.value is None:
                result = without_none(result)
            return (InstanceOf(qualified, parameters=(result,)),)
        # The arguments of the function are the items, which have no expression.
        called = ast.copy_location(ast.Call(function, [], []), node)
        functions = self._evaluator.values(module, function, known)
        return (
            InstanceOf(
                qualified, parameters=(self._evaluator.call_results(functions, module, called),)
            ),
        )

    def _dict_called(self, module: Module, node: ast.Call, known: Environment) -> Values | None:
        keys: Values = ()
        values: Values = ()
        for argument in node.args[:1]:
            inner = self._evaluator.values(module, argument, known)
            if are_instances(inner, DICTS.__contains__):
                keys, values = joined_contents(inner, module, argument, keys, values)
                continue
            pairs = self._evaluator.iterated_values(inner, module, argument)
            for pair in pairs:
                if not isinstance(pair, TupleOf) or len(pair.items) != 2:  # noqa: PLR2004  key, value
                    return None
                keys, values = union(keys, pair.items[0]), union(values, pair.items[1])
        for keyword in node.keywords:
            inner = self._evaluator.values(module, keyword.value, known)
            if keyword.arg is None:
                keys, values = joined_contents(inner, module, keyword.value, keys, values)
            else:
                keys, values = union(keys, (STR,)), union(values, inner)
        built, names = (
            _growing_container("builtins.dict", keys, values),
            [item.arg for item in node.keywords],
        )
        if node.args:
            return (built,)
        items = [item.value for item in node.keywords]
        return (self._told_apart(built, names, items, known, module),)

    def _defaultdict(self, module: Module, node: ast.Call, known: Environment) -> Values | None:
        if len(node.args) != 1 or node.keywords:
            return None
        called = ast.copy_location(ast.Call(node.args[0], [], []), node)
        factories = self._evaluator.values(module, node.args[0], known)
        made = self.call_results(module, called, known)
        if made is None:
            made = self._evaluator.call_results(factories, module, called)
        return (_growing_container("collections.defaultdict", (), made),)

    def _method(
        self, owners: Values, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what a method of a container gives; None if it may be something else."""
        if not owners:
            return None
        result: Values = ()
        for owner in owners:
            value = self._of_container(owner, module, node, known)
            if value is None:
                return None
            result = union(result, value)
        return result

    def _of_container(
        self, owner: Value, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if owner == NoneValue():
            return ()
        if not isinstance(owner, InstanceOf) or owner.qualified not in MUTABLE:
            return None
        if name in _GIVE_NOTHING:
            return (NoneValue(),)
        if name == "copy":
            return (owner,)
        if not owner.parameters:
            why = f"the result of `{module.excerpt(node.func)}` is unknown"
            unknown = (self._evaluator.unknown(module, node, why),)
            size = 2 if owner.qualified in DICTS else 1
            owner = replace(owner, parameters=(unknown,) * size)
        if owner.qualified in DICTS and len(owner.parameters) == 2:  # noqa: PLR2004  keys, values
            return self._of_dict(owner, name, module, node, known)
        is_list = owner.qualified in LISTS | SETS and len(owner.parameters) == 1
        return owner.parameters[0] if is_list and name in {"pop", "popleft"} else None

    def _of_dict(
        self, owner: InstanceOf, name: str, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        keys, values = owner.parameters
        match name:
            case "keys":
                return (InstanceOf("collections.abc.KeysView", parameters=(keys,)),)
            case "values":
                return (InstanceOf("collections.abc.ValuesView", parameters=(values,)),)
            case "items":
                return (InstanceOf("collections.abc.ItemsView", parameters=(keys, values)),)
            case "popitem":
                return (TupleOf((keys, values)),)
            case "get" | "pop" | "setdefault" if not node.keywords and node.args:
                held = owner.item(key_of(node.args[0]))
                values = values if held is None else held
                if len(node.args) > 1:
                    return union(values, self._evaluator.values(module, node.args[1], known))
                return values if name == "pop" else union(values, (NoneValue(),))
        return None


def key_of(node: ast.expr | None) -> str | int | None:
    """Return the constant text or whole number that ``node`` is, or None."""
    match node:
        case ast.Constant(value=str() as value):
            return value
    return None if node is None else number(node)


def number(node: ast.expr) -> int | None:
    """Return the constant whole number that ``node`` is, or None."""
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
    return None


_PATHS = {f"pathlib.{item}" for item in ("Path", "PurePath", "PosixPath", "PurePosixPath")}
_TIMES: dict[tuple[str, type[ast.operator], str], str] = {
    ("datetime.datetime", ast.Sub, "datetime.datetime"): "datetime.timedelta",
    ("datetime.datetime", ast.Sub, "datetime.timedelta"): "datetime.datetime",
    ("datetime.datetime", ast.Add, "datetime.timedelta"): "datetime.datetime",
    ("datetime.timedelta", ast.Add, "datetime.datetime"): "datetime.datetime",
    ("datetime.timedelta", ast.Add, "datetime.timedelta"): "datetime.timedelta",
    ("datetime.timedelta", ast.Sub, "datetime.timedelta"): "datetime.timedelta",
    ("datetime.date", ast.Add, "datetime.timedelta"): "datetime.date",
    ("datetime.date", ast.Sub, "datetime.timedelta"): "datetime.date",
}


def operated_values(left: Values, operator: ast.operator, right: Values) -> Values | None:
    """Return what an operator gives for values of builtins; None if that is not certain."""
    found: Values = ()
    for value in left:
        for other in right:
            result = _pair(value, operator, other)
            if result is None:
                return None
            found = union(found, (result,))
    return found


def _pair(left: Value, operator: ast.operator, right: Value) -> Value | None:
    if left in _NUMBERS and right in _NUMBERS:
        return _of_numbers(left, operator, right)
    if left == STR and isinstance(operator, ast.Mod):
        return STR
    if left == right and left in (STR, BYTES) and isinstance(operator, ast.Add):
        return left
    if isinstance(operator, ast.Mult) and right in (INT, BOOL) and _is_sequence(left):
        return left
    match operator, left, right:
        case ast.Div(), InstanceOf(qualified=name), InstanceOf() if name in _PATHS:
            return left
        case ast.Div(), InstanceOf(qualified="builtins.str"), InstanceOf(qualified=name) if (
            name in _PATHS
        ):
            return right
        case ((ast.Add() | ast.Sub()), InstanceOf(qualified=name), InstanceOf(qualified=other)) if (
            name,
            type(operator),
            other,
        ) in _TIMES:
            return InstanceOf(_TIMES[name, type(operator), other])
        case ast.Add(), TupleOf(), TupleOf():
            return tuple_of([*left.items, *right.items])
        case ((ast.Add() | ast.BitOr()), InstanceOf(), InstanceOf()) if _is_alike(left, right):
            parameters = zip(left.parameters, right.parameters, strict=True)
            joined = tuple(union(*both) for both in parameters)
            return replace(left, parameters=joined, named=(), grows=left.grows or right.grows)
    return None


def _of_numbers(left: Value, operator: ast.operator, right: Value) -> Value | None:
    if isinstance(operator, ast.Div):
        return FLOAT
    if isinstance(operator, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv | ast.Mod):
        return FLOAT if FLOAT in (left, right) else INT
    # A negative power of integers is not one; bit operations on booleans give booleans.
    return INT if left == right == INT and not isinstance(operator, ast.Pow) else None


def _is_sequence(value: Value) -> bool:
    return value in (STR, BYTES) or (isinstance(value, InstanceOf) and value.qualified in LISTS)


def _is_alike(left: InstanceOf, right: InstanceOf) -> bool:
    same = left.qualified == right.qualified and left.qualified in MUTABLE
    return same and len(left.parameters) == len(right.parameters) > 0


def _growing_container(qualified: str, *parameters: Values) -> InstanceOf:
    return InstanceOf(qualified, parameters=parameters, grows=True)


def _tuple_of_any(items: Values) -> InstanceOf:
    return InstanceOf("builtins.tuple", parameters=(items,))


def joined_contents(
    mapping: Values, module: Module, node: ast.AST, keys: Values = (), values: Values = ()
) -> tuple[Values, Values]:
    """Return keys and values with those of the dictionaries that ``node`` may be."""
    for value in mapping:
        match value:
            case InstanceOf(qualified=name, parameters=[more_keys, more_values]) if name in DICTS:
                keys, values = union(keys, more_keys), union(values, more_values)
            case _:
                why = f"the content of `{module.excerpt(node)}` is unknown"
                unknown = (Unknown(why, module.place(node)),)
                keys, values = union(keys, unknown), union(values, unknown)
    return keys, values
