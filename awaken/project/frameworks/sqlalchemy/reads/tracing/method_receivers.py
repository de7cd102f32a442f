"""The objects that methods and properties of mapped classes are read from, wherever that is.

Python, a template or a response model may read ``user.full_name``; in each case ``self`` is the
object before the dot. So the places are all reads of the attribute by name, not only calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.reads.kinds.named import NamedByText
from awaken.project.frameworks.sqlalchemy.reads.python_sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.read_facts import How, Sight
from awaken.project.frameworks.sqlalchemy.reads.tracing.along import Along, PassedValues
from awaken.project.frameworks.sqlalchemy.reads.tracing.arrivals import Arrivals
from awaken.project.graph.callers.composed_names import fits, lookups_in
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.functions.decorators import PROPERTIES, decorators_of
from awaken.project.source.memo import RECORDER, Recorded, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, named_parameters
from awaken.project.values.domain import ClassOf, InstanceOf, Origin, Unknown, Value, Values

# A name in more places cannot identify a class: some of their objects are unknown, which keeps the
# relationship anyway.
_MOST_PLACES = 2000
OF_CLASSES = {"comparator", "expression", "update_expression"}
"""The parts of a hybrid that statements ask of the class."""
OF_CHANGES = {"deleter", "setter"}
"""The parts of a property that an assignment, or ``del``, calls."""


class Method(Struct, frozen=True):
    """A method of a mapped class, by its name and the class that defines it."""

    name: str
    owner: str
    is_property: bool


class _Seen(Struct, frozen=True):
    """A place that reads a method: the expression before its name."""

    place: Place
    how: How
    values: Values
    is_called: bool
    super_of: tuple[Place, str] | None
    given: Values | None


class _Composed(Struct, frozen=True):
    """A place that reads an attribute by a name that is put together, of objects of classes."""

    place: Place
    shown: str
    name: ast.expr
    objects: tuple[InstanceOf, ...]


class Receivers:
    """Answers for one program; the places that read a name are looked for once."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        along: Along,
        sources: Sequence[Sights],
        passed: PassedValues,
    ) -> None:
        self._evaluator = evaluator
        self._along = along
        self._sources = sources
        self._passed = passed
        self._named = NamedByText(evaluator)
        self._seen = Recorded[str, list[_Seen]]()

    def method_of(self, module: Module, function: Function) -> Method | None:
        """Return a method whose ``self`` is an object of a mapped class; None for the others."""
        owner = module.parent(function)
        if not isinstance(owner, ast.ClassDef):
            return None
        qualified = module.full_name(owner)
        if not self._evaluator.mapping.is_mapped(qualified):
            return None
        decorators = list(decorators_of(self._evaluator.names, module, function))
        names = {name for _, name in decorators}
        if names & {"builtins.staticmethod", "builtins.classmethod"}:
            return None
        is_getter = any(
            isinstance(node, ast.Attribute) and node.attr == "getter" for node, _ in decorators
        )
        return Method(function.name, qualified, is_getter or bool(names & PROPERTIES))

    def look_for(self, names: Iterable[str]) -> None:
        """Find the places that read one of these names, file by file for all of them."""
        wanted = sorted(set(names) - self._seen.keys())
        with RECORDER.with_record():
            self._seen.update((name, []) for name in wanted)
            for source in self._sources if wanted else ():
                for sight in source.reading(wanted):
                    self._look_at(sight, frozenset(wanted))

    def _look_at(self, sight: Sight, wanted: frozenset[str]) -> None:
        if not wanted.intersection(sight.path):
            return
        for name, values in self._along.path(sight):
            if name in wanted and len(self._seen[name]) <= _MOST_PLACES:
                self._seen[name].append(self._read(sight, name, values))

    def _read(self, sight: Sight, name: str, values: Values) -> _Seen:
        """Return what is seen at one place that reads ``name``."""
        module, node = sight.module, sight.node
        mention: ast.AST | None = None
        if sight.how == "attribute" and isinstance(node, ast.expr):
            mention = module.parent(node)
        above = module.parent(mention) if mention is not None else None
        is_called = isinstance(above, ast.Call | ast.keyword)
        super_of = given = None
        if (
            isinstance(node, ast.expr)
            and isinstance(mention, ast.Attribute)
            and mention.attr == name
        ):
            super_of = _receiver_of_super(module, node)
            if any(isinstance(value, ClassOf) for value in values):
                given = self._passed.values_for_argument(module, mention, 0)
        kept = tuple(value for value in values if isinstance(value, InstanceOf | ClassOf | Unknown))
        return _Seen(sight.place, sight.how, kept, is_called, super_of, given)

    def add(self, method: Method, arrivals: Arrivals) -> None:
        """Add the objects that ``method`` is read from."""
        seen = self._seen[method.name]
        if len(seen) > _MOST_PLACES:
            arrivals.stop(f"`{method.name}` is read at too many places", seen[0].place)
            return
        for item in seen:
            if item.how == "assigned":
                continue
            if item.super_of is not None:
                parameter, around = item.super_of
                if self._evaluator.callers.hierarchy(method.owner).is_above(around, method.name):
                    arrivals.origins[Origin(parameter, kind="parameter")] = None
                continue
            for value in item.values:
                self._add(method, item, value, arrivals)
        self._add_composed(method, arrivals)

    def _add_composed(self, method: Method, arrivals: Arrivals) -> None:
        """Add what ``getattr(user, name)`` and ``methodcaller("roots")`` may read it from."""
        for item in self._composed_items:
            if isinstance(item.name, ast.Constant):
                if item.name.value == method.name:
                    arrivals.stop(f"`{item.shown}` calls `{method.name}`", item.place)
            elif fits(item.name, method.name):
                for value in item.objects:
                    if self._may_have(value.qualified, method):
                        arrivals.add((value,), item.place)

    @cached_property
    def _composed_items(self) -> list[_Composed]:
        """The places that read an attribute whose name is put together; where the object is known.

        Of others nobody can say anything, and each may read every attribute.
        """
        result: list[_Composed] = []
        words = self._evaluator.callers.words
        paths = sorted({*words.files_with("getattr"), *words.files_with("methodcaller")})
        for module in self._evaluator.modules_at(paths):
            for lookup in lookups_in(module):
                owner, name = lookup.owner, lookup.name
                # Of a name that is known there is a sight.
                if owner is None or name is None or self._named.names_of(module, name) is not None:
                    continue
                values = self._evaluator.values(module, owner)
                objects = tuple(value for value in values if isinstance(value, InstanceOf))
                place, shown = module.place(lookup.node), module.excerpt(lookup.node)
                result.append(_Composed(place, shown, name, objects))
            for mention in module.mentions("methodcaller"):
                call = module.parent(mention)
                if isinstance(call, ast.Call) and call.args:
                    shown = module.excerpt(call)
                    result.append(_Composed(module.place(call), shown, call.args[0], ()))
        return result

    def _add(self, method: Method, seen: _Seen, value: Value, arrivals: Arrivals) -> None:
        match value:
            case InstanceOf() if self._may_have(value.qualified, method):
                arrivals.add((value,), seen.place)
            case ClassOf() if not method.is_property and self._may_have(value.qualified, method):
                if seen.given is None:
                    arrivals.stop(f"`{method.name}` is passed on as a value", seen.place)
                else:
                    arrivals.add(seen.given, seen.place)
            case Unknown() if method.is_property or seen.is_called or seen.how != "attribute":
                why = f"`{method.name}` may be read from it as well: {value.why}"
                arrivals.unknown[Unknown(why, value.place)] = None

    @cached_method
    def _may_have(self, qualified: str, method: Method) -> bool:
        """Whether an attribute of an instance of a class may be the method."""
        classes = self._evaluator.classes
        for facts in classes.line(qualified):
            if method.name in facts.members:
                if facts.qualified == method.owner:
                    return True
                break
        # A value that is declared as a base may be an instance of the class.
        own = classes.ancestors(method.owner)
        return own is not None and (
            qualified in own.outside or any(item.qualified == qualified for item in own.inside[1:])
        )


def part_of_property(function: Function) -> str:
    """Return which part of a property or hybrid a method is, other than the getter."""
    named = (node for node in function.decorator_list if isinstance(node, ast.Attribute))
    return next((node.attr for node in named if node.attr in OF_CLASSES | OF_CHANGES), "")


def _receiver_of_super(module: Module, node: ast.expr) -> tuple[Place, str] | None:
    """Return the parameter that ``super()`` uses, and the class; None for other calls."""
    match node:
        case ast.Call(func=ast.Name(id="super")):
            around, owner = module.enclosing_function(node), module.enclosing_class(node)
        case _:
            return None
    first = next(iter(named_parameters(around) if isinstance(around, Function) else ()), None)
    if first is None or owner is None:
        return None
    return module.place(first), module.full_name(owner)
