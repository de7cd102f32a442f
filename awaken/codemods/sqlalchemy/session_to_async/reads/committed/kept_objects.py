"""Mapped objects that an expression leads to, where it is no mapped object itself.

A function has the variables of the function around it. An instance of a class of the program has
its attributes, and a container its items. Each may be inside of another.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import (
    PassedObjects,
    ReadOf,
    items_of,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    DICTIONARIES,
    OF_SESSIONS,
    dominates,
    kind_of,
    mapped_in,
    reads_of_object,
)
from awaken.project.frameworks.sqlalchemy.commits.late_readers import (
    is_late_reader,
    sources_of,
)
from awaken.project.source.expressions.expression_uses import is_returned, use_of
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    first_parameter,
    last_name,
)
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import (
    DEEPEST,
    FunctionOf,
    InstanceOf,
    TupleOf,
    Unknown,
    Values,
    instances_in,
    without_none,
)

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project

_OF_ITEMS = {"items", "values"}
_STATE = "_sa_instance_state"
"""What an object of a mapped class has, and nothing else."""


class Kept(NamedTuple):
    """Mapped objects that ``text`` gives: one or many, as ``kind_of`` says.

    ``names`` are the relationships that are read of them.
    """

    text: str
    kind: str
    owners: frozenset[str]
    names: frozenset[str]

    @property
    def reads(self) -> list[Step]:
        """The reads of these relationships."""
        owners = tuple(sorted(self.owners))
        return [Step(self.text, name, owners, self.kind == "many") for name in sorted(self.names)]


class _Further(NamedTuple):
    """The ``values`` that an expression gives with a ``suffix``, or the items of these.

    The program reads only their attributes ``read``; None if they are not known.
    """

    suffix: str
    values: Values
    read: frozenset[str] | None
    is_each: bool = False


class _Way(NamedTuple):
    """An expression that leads to ``values`` by ``clauses`` of a comprehension around it.

    ``read`` are the attributes that are read of these; None if they are not known.
    """

    text: str
    values: Values
    read: frozenset[str] | None
    clauses: tuple[str, ...] = ()
    depth: int = 0

    def for_each(self, module: Module, node: ast.expr, items: Values, project: Project) -> _Way:
        """Return the way to each of the ``items`` that this way leads to."""
        noun = "item" if kind_of(project, items) else "entry"
        taken = re.findall(r"\w+", " ".join(self.clauses))
        name = module.fresh_local(node, noun, "entry", taken=taken)
        clauses = (*self.clauses, f"for {name} in {self.text}")
        return self._replace(text=name, values=items, clauses=clauses)

    def with_condition(self, condition: str) -> _Way:
        """Return the way where what it leads to has to meet a condition."""
        name, loop = self.text, self.clauses
        if not loop:
            name = f"kept{self.depth}"
            loop = (f"for {name} in ({self.text},)",)
        return self._replace(text=name, clauses=(*loop, f"if {condition.format(name)}"))


class KeptObjects:
    """Answers for one program."""

    def __init__(self, project: Project, loading: Loading) -> None:
        self._project = project
        self._loading = loading
        self._passed = PassedObjects(project)
        self._read_of = ReadOf(project)

    def objects_at(self, module: Module, node: ast.expr, values: Values) -> Iterator[Kept]:
        """Yield the mapped objects that ``node`` leads to, if its ``values`` are not mapped."""
        if not reads_of_object(module, node, is_many=False) or self._is_for_others(module, node):
            return
        above, items = module.parent(node), items_of(values)
        first = _Way(module.text_of(node), values, self._read_of_items(module, node))
        if is_returned(module, node):
            objects = tuple(instances_in(values))
            first = first._replace(read=self._read_of.names_answered(module, node, objects))
        match above:
            case ast.Attribute(attr=name) if not items:
                first = first._replace(read=frozenset({name}))
            case ast.Attribute(attr=name) if (
                name not in _OF_ITEMS
                and mapped_in(self._project, items)
                and use_of(module, module.parent(above) or above).way != "attribute"
            ):
                return  # Its result is read where it is bound.
        ways = Queue([first], lambda way: (*way[:1], *way[2:4]))
        for way in ways:
            known = tuple(value for value in way.values if not isinstance(value, Unknown))
            kind = kind_of(self._project, known)
            if kind in {"one", "optional"} and len(known) < len(way.values):
                yield self._result(way.with_condition(f'hasattr({{}}, "{_STATE}")'), "one")
            elif kind == "many" and way.clauses:
                items = items_of(known)
                yield self._result(way.for_each(module, node, items, self._project), "one")
            elif kind:
                yield self._result(way, kind)
            elif self._leads_to_objects(way.values, way.read, DEEPEST - way.depth):
                ways += self._next_ways(module, node, way._replace(depth=way.depth + 1))

    def _is_for_others(self, module: Module, node: ast.expr) -> bool:
        """Whether only a method of a session gets what ``node`` leads to."""
        for below, call in module.steps_up(node):
            match call:
                case ast.Call(func=ast.Attribute(value=owner, attr=name)) if below is not call.func:
                    is_session = name in OF_SESSIONS and self._project.orm.session_of(module, owner)
                    return bool(is_session) and not any(map(self._may_read, ast.walk(below)))
        return False

    def _may_read(self, part: ast.AST) -> bool:
        """Whether a part of an argument may read a relationship."""
        match part:
            case ast.Call(func=func):
                return last_name(func) not in _OF_ITEMS
            case ast.Attribute(attr=name):
                return name in self._project.orm.reads.names_of_mapped()
        return False

    def _result(self, way: _Way, kind: str) -> Kept:
        text, clauses, owners = way.text, way.clauses, mapped_in(self._project, way.values)
        if len(clauses) == 1 and kind == "one" and clauses[0].startswith(f"for {text} in "):
            text, kind = clauses[0].partition(" in ")[2], "many"
        elif clauses:
            clauses += (f"if {text} is not None",) if kind == "optional" else ()
            text, kind = f"[{' '.join((text, *clauses))}]", "many"
        names = frozenset(name for owner in owners for name in self._loading.loaded_ahead(owner))
        return Kept(text, kind, owners, names if way.read is None else way.read & names)

    def _next_ways(self, module: Module, node: ast.expr, way: _Way) -> Iterator[_Way]:
        """Yield the ways one step further."""
        values = without_none(way.values)
        way = way if len(values) == len(way.values) else way.with_condition("{} is not None")
        if any(map(is_late_reader, values)):
            yield from self._read_later(module, node, way)
        for text, items, read, is_each in self._further(values, way.read):
            to_items = way._replace(text=f"{way.text}{text}", values=items, read=read)
            if is_each:
                to_items = to_items.for_each(module, node, items, self._project)
            yield to_items

    @cached_method
    def _leads_to_objects(self, values: Values, read: frozenset[str] | None, steps: int) -> bool:
        """Whether values lead to mapped objects in so many steps, or read some later.

        There are as many ways as paths over the attributes of classes, and most lead nowhere.
        """
        known = tuple(value for value in values if not isinstance(value, Unknown))
        if kind_of(self._project, known):
            return True
        others = without_none(values) if steps > 0 else ()
        return any(map(is_late_reader, others)) or any(
            self._leads_to_objects(item.values, item.read, steps - 1)
            for item in self._further(others, read)
        )

    @cached_items
    def _further(self, values: Values, read: frozenset[str] | None) -> Iterator[_Further]:
        """Yield what is one step further than ``values``, of which ``read`` is read."""
        for value in values:
            match value:
                case TupleOf(items=items):
                    for number, item in enumerate(items):
                        yield _Further(f"[{number}]", item, read)
                case InstanceOf(named=(_, *_) as named):
                    for key, item in named:
                        yield _Further(f'["{key}"]', item, read)
                case InstanceOf(parameters=(*_, item), qualified=name) if not is_late_reader(value):
                    suffix = ".values()" if name in DICTIONARIES else ""
                    yield _Further(suffix, item, read, is_each=True)
                case InstanceOf(qualified=name) if not self._project.orm.mapped_class(name):
                    yield from self._of_class(name, read)

    def _read_later(self, module: Module, node: ast.expr, way: _Way) -> Iterator[_Way]:
        """Yield what a value reads when it is used: variables, or else what its session has."""
        kept, others = set[ast.AST](), list[tuple[ast.AST, frozenset[str]]]()
        for source in sources_of(module, node, self._project.values.alternatives_of):
            part, values = source.node, self._project.values.alternatives_of(module, source.node)
            owners = mapped_in(self._project, values)
            if isinstance(part, ast.Name) and source.is_kept and _is_bound(module, node, part):
                kept |= {part} if owners else set()
                read = None
                if source.reader is not None:
                    read = self._passed.of_variable(module, source.reader, part.id)
                yield _Way(part.id, values, read, depth=way.depth)
            elif owners:
                others.append((part, owners))
        apart = (owners for part, owners in others if kept.isdisjoint(ast.walk(part)))
        for owner in sorted(frozenset[str]().union(*apart)):
            if text := self._in_session(module, node, owner):
                items = InstanceOf("builtins.list", parameters=((InstanceOf(owner),),))
                yield _Way(text, (items,), None, depth=way.depth)

    def _in_session(self, module: Module, node: ast.expr, owner: str) -> str:
        """Return an expression for the objects of a class that the session of a function has.

        The session that has an object loads it again, wherever else it is kept.
        """
        function = module.enclosing_def(node)
        operations = self._project.orm.operations
        session = "" if function is None else operations.session_variable(module, function)
        name = owner.rpartition(".")[2]
        named = (part for part in module.nodes(ast.Name) if part.id == name)
        is_here = any(self._project.qualified_name(module, part) == owner for part in named)
        kind = f"isinstance(each, {name})" if is_here else f'type(each).__name__ == "{name}"'
        unwritten = f"each not in {session}.new | {session}.deleted"
        return session and f"[each for each in {session} if {kind} and {unwritten}]"

    @cached_items
    def _of_class(self, qualified: str, known: frozenset[str] | None) -> Iterator[_Further]:
        """Yield the attributes that methods of a class read of their object, those they call too.

        If it is known what is read of the object, only these methods.
        """
        line = [facts.qualified for facts in self._project.class_line(qualified)]
        pairs = [pair for pair in map(self._project.class_definition, line) if pair is not None]
        parts = [(_name(part), module, part) for module, node in pairs for part in node.body]
        waiting = Queue([name for name, *_ in parts] if known is None else sorted(known))
        for called in waiting:
            for _, module, part in (each for each in parts if each[0] == called):
                own = first_parameter(part) if isinstance(part, Function) else ""
                if isinstance(part, ast.AnnAssign):
                    values = self._project.values.declared(module, part.annotation).alternatives
                    yield _Further(f".{called}", values, None)
                for node in module.nodes_below(part, ast.Attribute):
                    name, text = node.attr, f"{own}.{node.attr}"
                    if module.text_of(node) == text:
                        waiting += [name]
                        values = self._project.values.alternatives_of(module, node)
                        read = self._passed.of_variable(module, part, text)
                        if not any(isinstance(value, FunctionOf) for value in values):
                            yield _Further(f".{name}", values, read)

    def _read_of_items(self, module: Module, node: ast.expr) -> frozenset[str] | None:
        """Return what a comprehension over ``node`` reads of its variables; None elsewhere."""
        for below, above in module.steps_up(node):
            if isinstance(below, ast.comprehension):
                names = {part.id for part in ast.walk(above) if isinstance(part, ast.Name)}
                read = (self._passed.of_variable(module, above, name) for name in names)
                return frozenset[str]().union(*read)
        return None


def _name(part: ast.stmt) -> str:
    """Return the name of a method or a field of a class."""
    return last_name(getattr(part, "target", None)) or getattr(part, "name", "")


def _is_bound(module: Module, node: ast.expr, variable: ast.Name) -> bool:
    """Whether a variable of a function has a value in front of the statement of ``node``."""
    statement, around = module.statement_of(node), [*module.ancestors(node)]
    bound = [each.node for each in module.scopes.bindings_of(variable) if each.scope.node in around]
    made = [module.statement_of(each) for each in bound]
    return any(isinstance(each, ast.arg) for each in bound) or any(
        statement is not None and each is not None and dominates(module, each, statement)
        for each in made
    )
