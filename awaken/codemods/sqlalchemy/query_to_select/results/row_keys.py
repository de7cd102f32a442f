"""The keys of rows, and the use of rows where it can be seen: by position, by name, by their keys.

Rows are followed through their function, to its callers, and into functions that receive them,
while all of these are visible.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct, field

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.help import short_text
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameter_getting
from awaken.project.source.worklist import MOST_STEPS, Worklist
from awaken.project.values.domain import Unknown
from awaken.project.values.local.flow import local_binding, reads_seeing

_Shape = Literal["row", "rows"]
_Value = tuple[Reader, ast.expr, _Shape]

_KEYS = frozenset({"_asdict", "_fields", "_mapping", "keys", "items"})
_PASS_ROWS = name_list("builtins_with_same_items")
_CONSUMED = frozenset({"len", "bool", "any", "all", "sum", "str", "repr", "print", "dict", "id"})
_CALLERS = 10
"""Calls of one function whose results are followed: each may mean one more file to parse."""
_WITHOUT_DEFAULT = 2
"""Arguments: with a third one, an attribute that is not there is no error."""


def key_caveats(statement: Statement) -> Iterator[str]:
    """Yield what may change for the keys of the rows; raises Refused where something does.

    They are compared with how the rows are used, as far as that can be seen.
    """
    for items in statement.lists or (statement.items,):
        yield from _caveats(statement, items)


def caveats_of_statement(statement: Statement) -> list[str]:
    """Return what may change for who reads ``query.statement``.

    The rows of ``execute(query.statement)`` have the legacy keys, those of a select its own.
    """
    lists = statement.lists or (statement.items,)
    if any(doubled_keys(items) or first_unlabelled(items) is not None for items in lists):
        return ["rows of the statement have a key for every column"]
    return []


def _caveats(statement: Statement, items: Sequence[Item]) -> Iterator[str]:
    doubled, unlabelled = doubled_keys(items), first_unlabelled(items)
    # Rows are followed only where their keys may change.
    uses = _uses(statement) if doubled or unlabelled is not None else None
    if uses is None:
        return
    for key in doubled:
        if key in uses.attributes or uses.keys:
            raise Refused(reasons.EQUAL_NAMES, key)
        if uses.out_of_sight or uses.any_attribute:
            yield f"`row.{key}` is the first of two columns with that name, no longer the last"
    if unlabelled is not None:
        if uses.keys or not uses.attributes.isdisjoint(_possible_keys(items)):
            raise Refused(reasons.UNLABELLED_KEYS, unlabelled)
        if uses.out_of_sight or uses.any_attribute:
            yield f"`{unlabelled}` gets a key in the rows, unless it has a `.label(...)`"


def doubled_keys(items: Sequence[Item]) -> list[str]:
    """Return the names that several columns may have, in the order of the second ones."""
    seen, doubled = set[str](), dict[str, None]()
    for item in items:
        if item.what is not What.ENTITY:
            doubled.update(dict.fromkeys(sorted(item.keys & seen)))
            seen |= item.keys
    return list(doubled)


def first_unlabelled(items: Sequence[Item]) -> str | None:
    """Return the first expression without a label, as a message can hold it."""
    result = (item for item in items if item.what is What.EXPRESSION and item.key is None)
    first = next(result, None)
    return None if first is None else short_text(first.node)


def _possible_keys(items: Sequence[Item]) -> set[str]:
    """Return the names that expressions without a label may give the rows: parts of their own.

    That of ``func.max(User.age)`` is ``max``, and that of ``cast(User.age, String)`` is ``age``.
    """
    result: set[str] = set()
    labelled: set[str] = set()
    for item in items:
        labelled |= item.keys
        if item.what is What.EXPRESSION and item.key is None:
            parts = [
                node for node in ast.walk(item.node) if isinstance(node, ast.Name | ast.Attribute)
            ]
            result |= {part.id if isinstance(part, ast.Name) else part.attr for part in parts}
    return result - labelled


def _uses(statement: Statement) -> Uses | None:
    """Return how the rows are used; None where no row comes out."""
    chain = statement.chain
    shapes: dict[str, _Shape] = {"all": "rows", "first": "row", "one": "row", "one_or_none": "row"}
    if chain.ending == "executed" and chain.end in shapes:
        return _uses_of(statement.reader, chain.node, shapes[chain.end])
    if chain.ending == "sliced" and chain.end == "[i]":
        return _uses_of(statement.reader, chain.node, "row")
    if chain.ending in {"iterated", "sliced"} or chain.end == "values":
        return _uses_of(statement.reader, chain.node, "rows")
    return None


class Uses(Struct):
    """The uses of rows: attributes, keys, and unknown ones.

    ``any_attribute`` says that one is read whose name is computed.
    """

    attributes: set[str] = field(default_factory=set)
    any_attribute: bool = False
    keys: bool = False
    out_of_sight: bool = False


def _uses_of(reader: Reader, node: ast.expr, shape: _Shape) -> Uses:
    """Follow the value of ``node`` through its function and say how its rows are used."""
    uses, waiting = Uses(), Worklist[_Value]([(reader, node, shape)], limit=MOST_STEPS)
    for there, part, kind in waiting:
        _Follower(there, uses, waiting).look_at(part, kind)
    uses.out_of_sight |= not waiting.is_done
    return uses


class _Follower:
    """Walks from a value to what is done with it, filling in ``uses``."""

    def __init__(self, reader: Reader, uses: Uses, waiting: Worklist[_Value]) -> None:
        self._reader = reader
        self._module = reader.module
        self._uses = uses
        self._waiting = waiting

    def _follow(self, node: ast.expr, shape: _Shape) -> None:
        self._waiting += [(self._reader, node, shape)]

    def look_at(self, node: ast.expr, shape: _Shape) -> None:  # noqa: C901, PLR0912  one case a way
        """Fill in what is done with the value of ``node``."""
        way, above = use_of(self._module, node)
        targets = targets_of(above)
        match way:
            # The value goes no further there, and no column of it is read by name.
            case "compared" | "dropped" | "formatted" | "tested":
                return
            case "operand" if isinstance(above, ast.UnaryOp):
                return
            case "same":
                for target in targets:
                    self._bind(target, shape)
                self._follow(above, shape)
            case "bound" if len(targets) == 1:
                self._bind(targets[0], shape)
            case "iterated":
                # The values of a row come out by position.
                if shape == "rows":
                    self._bind(targets[0], "row")
            case "item":
                self._subscript(above, shape)
            case "attribute":
                self._attribute(above, shape)
            case "unpacked":
                self._starred(above, shape)
            case "argument" if node in above.args:
                self._argument(above, node, shape)
            case "argument":
                self._follow_handed(above, node, shape)
            case "returned":
                self._follow_returned(node, shape)
            case _:
                self._uses.out_of_sight = True

    def _bind(self, target: ast.expr, shape: _Shape) -> None:
        # A row that is unpacked is read by position, which is the same in both styles.
        if isinstance(target, ast.Tuple | ast.List):
            if shape == "rows":
                for element in target.elts:
                    self._bind(element, "row")
            return
        # Any code may read a value that is set in an attribute, an item or a shared name.
        binding = local_binding(self._module, target) if isinstance(target, ast.Name) else None
        if binding is None:
            self._uses.out_of_sight = True
            return
        for read in reads_seeing(self._module, binding):
            self._follow(read, shape)

    def bind_parameter(self, function: Function, parameter: ast.arg, shape: _Shape) -> None:
        """Follow what a parameter is given through its function."""
        bindings = self._module.scopes.scope_made_by(function).bindings[parameter.arg]
        for binding in bindings:
            for read in reads_seeing(self._module, binding) if binding.node is parameter else ():
                self._follow(read, shape)

    def _subscript(self, node: ast.Subscript, shape: _Shape) -> None:
        # A text between the brackets is a key; a number is a position.
        if shape == "row":
            self._uses.keys |= isinstance(node.slice, ast.Constant) and isinstance(
                node.slice.value, str
            )
            return
        self._follow(node, "rows" if isinstance(node.slice, ast.Slice) else "row")

    def _attribute(self, node: ast.Attribute, shape: _Shape) -> None:
        if shape == "row":
            if node.attr == "_mapping" and self._is_read_by_column(node):
                return
            if node.attr in _KEYS:
                self._uses.keys = True
            self._uses.attributes.add(node.attr)
            return
        call = self._module.parent(node)
        if node.attr == "pop" and isinstance(call, ast.Call):
            self._follow(call, "row")

    def _is_read_by_column(self, node: ast.Attribute) -> bool:
        """``row._mapping[User.id]`` finds the column itself."""
        above = self._module.parent(node)
        return isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Attribute)

    def _starred(self, node: ast.Starred | ast.keyword, shape: _Shape) -> None:
        if shape == "row":
            return
        above = self._module.parent(node)
        if isinstance(above, ast.List | ast.Tuple | ast.Set):
            self._follow(above, "rows")
        else:
            self._uses.out_of_sight = True

    def _follow_returned(self, node: ast.expr, shape: _Shape) -> None:
        """Follow the result of a function to its callers, if they are all visible."""
        function = self._module.enclosing_function(node)
        if not isinstance(function, Function) or self._module.is_generator(function):
            self._uses.out_of_sight = True
            return
        callers = self._reader.project.calls.callers_of(self._module, function)
        if not callers.complete or len(callers.sites) > _CALLERS:
            self._uses.out_of_sight = True
            return
        for site in callers.sites:
            for module, call in self._reader.project.calls_at(site.place):
                self._follow_in(module, call, function, shape)

    def _follow_in(
        self, module: Module | None, call: ast.Call, function: Function, shape: _Shape
    ) -> None:
        """Follow what a call of ``function`` gives."""
        if module is None:
            return
        above = module.parent(call)
        result: ast.expr = call
        if isinstance(function, ast.AsyncFunctionDef) and isinstance(above, ast.Await):
            result = above
        there = Reader(module=module, project=self._reader.project)
        self._waiting += [(there, result, shape)]

    def _follow_handed(self, call: ast.Call, node: ast.expr, shape: _Shape) -> None:
        """Follow what is given to a function of the program into that function."""
        called = self._reader.project.calls.function_called(self._module, call)
        if isinstance(called, Unknown):
            self._uses.out_of_sight = True
            return
        function = called.function
        there = Reader(module=called.module, project=self._reader.project)
        parameter = parameter_getting(call, function, node, called.bound)
        if parameter is None:
            self._uses.out_of_sight = True
        else:
            _Follower(there, self._uses, self._waiting).bind_parameter(function, parameter, shape)

    def _argument(self, call: ast.Call, node: ast.expr, shape: _Shape) -> None:
        name = self._module.scopes.builtin_called(call)
        # They look at values, not at keys.
        if name in _CONSUMED or (shape == "row" and name in {"list", "tuple"}):
            return
        if shape == "rows" and name == "enumerate":
            self._enumerated(call)
        elif shape == "rows" and name == "next":
            self._follow(call, "row")
        elif shape == "rows" and name in _PASS_ROWS and not call.keywords:
            self._follow(call, "rows")
        elif shape == "row" and name == "getattr" and len(call.args) == _WITHOUT_DEFAULT:
            self._note_getattr(call.args[1])
        else:
            self._follow_handed(call, node, shape)

    def _note_getattr(self, name: ast.expr) -> None:
        """``getattr(row, name)``."""
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            self._uses.any_attribute = True
            return
        self._uses.attributes.add(name.value)
        self._uses.keys |= name.value in _KEYS

    def _enumerated(self, call: ast.Call) -> None:
        parent = self._module.parent(call)
        target = getattr(parent, "target", None)
        if isinstance(target, ast.Tuple) and len(target.elts) == 2:  # noqa: PLR2004  (index, row)
            self._bind(target.elts[1], "row")
        else:
            self._uses.out_of_sight = True
