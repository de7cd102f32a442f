"""The places that read relationships by a name that is not known: ``getattr(user, name)``."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.reads.kinds.assignments import Assignments
from awaken.project.frameworks.sqlalchemy.reads.kinds.declared_relationships import (
    Declared,
    DeclaredRelationships,
)
from awaken.project.frameworks.sqlalchemy.reads.kinds.displays import Displays
from awaken.project.frameworks.sqlalchemy.reads.kinds.named import NamedByText
from awaken.project.frameworks.sqlalchemy.reads.kinds.text_sights import READING
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
from awaken.project.frameworks.sqlalchemy.relationships import WORDS
from awaken.project.graph.callers.composed_names import fits
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.f_strings import text_parts
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, last_name, variable_of
from awaken.project.source.worklist import Queue, groups_of
from awaken.project.values.domain import ClassOf, InstanceOf, Session, Unknown

_WORDS = (*(name.encode() for name in READING), b"__getattribute__", b".attrs", b"attrgetter")
_OF_CLASSES = {"sqlalchemy.orm.InstrumentedAttribute", "sqlalchemy.orm.QueryableAttribute"}
"""What attributes of mapped classes are; what one of an object gives is none."""


class DynamicReads:
    """Answers for one program.

    Such a place is a read of every relationship of the object that the name may mean, and what is
    unknown of each is said. If the object is unknown as well, it reads the visible names; if there
    are none, and a query gives the object, any relationship.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, declared: DeclaredRelationships, assignments: Assignments
    ) -> None:
        self._evaluator = evaluator
        self._declared = declared
        self._assignments = assignments
        self._named = NamedByText(evaluator)
        self._loaded = Loaded(evaluator)

    def reads_of(self, attributes: Collection[str]) -> Iterator[Read]:
        """Yield those of some attributes, file by file."""
        return (read for read in self._all() if read.attribute in attributes)

    def _all(self) -> Iterator[Read]:
        """Yield them file by file; a program without relationships has none."""
        paths = self._evaluator.files_with(_WORDS) if self._evaluator.files_with(WORDS) else ()
        for module, node in nodes_in(self._evaluator.modules_at(paths), (ast.Call, ast.Attribute)):
            if isinstance(node, ast.Call):
                yield from self._of_call(module, node)
            elif isinstance(node, ast.Attribute):
                yield from self._of_state(module, node)

    def _of_call(self, module: Module, call: ast.Call) -> Iterator[Read]:
        how, given = last_name(call.func), call.args
        if how == "__getattribute__" and isinstance(call.func, ast.Attribute):
            around = module.enclosing_function(call)
            if isinstance(around, Function) and around.name == how:
                # It hands on what others read.
                return
            given = given if len(given) > 1 else [call.func.value, *given]
        elif how == "attrgetter":
            unknown = [
                argument for argument in given if self._named.names_of(module, argument) is None
            ]
            for node in unknown:
                yield from self._of_anything(module, call, node, sets=False)
            return
        elif how not in READING:
            return
        if len(given) < len(("object", "name")) or isinstance(given[1], ast.Constant):
            return
        if self._named.names_of(module, given[1]) is None:
            sets = READING.get(how) == "assigned"
            yield from self._reads_of(module, call, given[0], given[1], sets=sets)

    def _of_state(self, module: Module, node: ast.Attribute) -> Iterator[Read]:
        """Yield what a loop over ``inspect(user).attrs`` may read, or a computed key of it."""
        above = module.parent(node)
        match node:
            case ast.Attribute(value=ast.Call(func=func, args=[owner]), attr="attrs"):
                pass
            case _:
                return
        if last_name(func) == "inspect" and not isinstance(above, ast.Attribute | ast.Subscript):
            yield from self._reads_of(module, node, owner, node, sets=False)

    def _reads_of(
        self, module: Module, node: ast.expr, owner: ast.expr, name: ast.expr, *, sets: bool
    ) -> Iterator[Read]:
        if sets and self._assignments.is_new(module, owner):
            return
        if not sets and self._is_of_class(module, node, owner):
            return
        values = self._evaluator.values(module, owner)
        classes = [value.qualified for value in values if isinstance(value, InstanceOf)]
        place = module.place(node)
        why = Unknown(f"`{module.excerpt(node)}` may mean any relationship", place)
        for class_ in classes:
            for declaring, attribute, facts in self._declared.relationships_of(class_):
                if sets and not self._assignments.loads_old(class_, attribute, facts):
                    continue
                if fits(name, attribute):
                    yield Read(place, declaring, attribute, "dynamic", (), (why,))
        if any(isinstance(value, Unknown) for value in values):
            is_loaded = self._loaded.is_loaded(module, owner)
            if is_loaded or self._named.visible_names(module, name).known or not _is_open(name):
                yield from self._of_anything(module, node, name, sets=sets)

    def _is_of_class(self, module: Module, node: ast.expr, owner: ast.expr) -> bool:
        """Whether ``node`` is declared to be an attribute of a class, and ``owner`` holds one.

        That may be declared as an object of the class all the same, which it is not then.
        """
        given = module.scopes.bindings_of(owner)
        holds_class = any(
            isinstance(value, ClassOf)
            for argument in given
            if argument.value is not None
            for value in self._evaluator.values(module, argument.value)
        )
        target = variable_of(module.parent(node))
        bindings = module.scopes.bindings_of(target) if holds_class and target is not None else []
        declared = [binding.annotation for binding in bindings if binding.annotation is not None]
        return any(
            self._evaluator.names.qualified_name(module, part) in _OF_CLASSES
            for candidate in declared
            for part in ast.walk(candidate)
            if isinstance(part, ast.Name | ast.Attribute)
        )

    def _of_anything(
        self, module: Module, node: ast.expr, name: ast.expr, *, sets: bool
    ) -> Iterator[Read]:
        """Yield the reads of an unknown object."""
        place = module.place(node)
        why = Unknown(f"the object of `{module.excerpt(node)}` is unknown", place)
        known = self._named.visible_names(module, name).known
        for attribute, sides in self._by_name.items():
            is_meant = attribute in known if known else fits(name, attribute)
            loads = not sets or any(
                self._assignments.loads_old(owner, attribute, facts) for owner, _, facts in sides
            )
            if is_meant and loads:
                yield Read(place, "", attribute, "dynamic", (), (why,))

    @cached_property
    def _by_name(self) -> dict[str, list[Declared]]:
        """The relationships of the program, by their names."""
        return dict(sorted(groups_of(self._declared.everywhere(), lambda item: item[1]).items()))


def _is_open(name: ast.expr) -> bool:
    """Whether nothing visible limits a name: no part of a text, such as its end."""
    return not text_parts(name) and not isinstance(name, ast.BinOp)


# ---------------------------------------------------------------------------------- queried objects
_QUERYING = {"get_or_404", "query", "scalar_one", "scalar_one_or_none", "scalars"}
# Much else has these: the value in front, or its name, has to say that it is a session.
_OF_SESSIONS = (library_names().executing_methods - _QUERYING) | library_names().by_key


class Loaded:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._displays = Displays(evaluator)

    def is_loaded(self, module: Module, node: ast.expr) -> bool:
        """Whether what ``node`` gives may come out of a query, over variables and functions."""
        waiting = Queue[tuple[Module, ast.AST]]([(module, node)])
        for home, part in waiting:
            if self._is_query(home, part):
                return True
            waiting += self._pairs_behind(home, part)
        return False

    def _is_query(self, module: Module, node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute):
            return False
        if node.attr in _OF_SESSIONS:
            values = self._evaluator.values(module, node.value)
            is_session = any(isinstance(value, Session) for value in values)
            return is_session or "session" in module.text_of(node.value).lower()
        return node.attr in _QUERYING

    def _pairs_behind(self, module: Module, node: ast.AST) -> Iterator[tuple[Module, ast.AST]]:
        match node:
            case ast.Name():
                yield from self._bound_pairs(module, node)
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Await(value=value):
                yield module, value
            case ast.Call(func=func, args=args):
                yield module, func
                yield from ((module, argument) for argument in args if isinstance(func, ast.Name))
                yield from self._returned_pairs(module, node)
            case ast.ListComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
                yield from ((module, node.elt), (module, first.iter))
            case _:
                yield from ((module, part) for part in alternatives(node))

    def _bound_pairs(self, module: Module, node: ast.Name) -> Iterator[tuple[Module, ast.AST]]:
        for binding in module.scopes.bindings_of(node):
            if binding.kind == "parameter":
                yield from self._displays.passed_displays(module, binding).nodes
            elif binding.value is not None:
                yield module, binding.value

    def _returned_pairs(self, module: Module, call: ast.Call) -> Iterator[tuple[Module, ast.AST]]:
        called = functions_called(self._evaluator, module, call)
        for callee in () if isinstance(called, Unknown) else called:
            home, function = callee.module, callee.function
            yield from ((home, value) for value in home.outputs_of(function))
