"""Mapped objects that an expression leads to, where it is no mapped object itself.

A function has the variables of the function around it. An instance of a class of the program has
its attributes, and a container its items. Each may be inside of another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.handed_objects import HandedObjects
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import items_of
from awaken.codemods.sqlalchemy.session_to_async.reads.covered import dominates
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    DICTIONARIES,
    is_conditional,
    kind_of,
    mapped_in,
)
from awaken.project.frameworks.sqlalchemy.commits.lazy_iterators import (
    ITERATORS,
    is_iterator,
    parts_of_iterator,
)
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    first_parameter,
    last_name,
    parameters_of,
)
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import (
    FunctionOf,
    InstanceOf,
    TupleOf,
    Unknown,
    Values,
    without_none,
)

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project

_DEEPEST = 4
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


class _Way(NamedTuple):
    """An expression that leads to ``values`` by ``clauses`` of a comprehension around it.

    ``read`` are the attributes that are read of these; None if they are not known.
    """

    text: str
    values: Values
    read: frozenset[str] | None
    clauses: tuple[str, ...] = ()
    depth: int = 0

    def with_condition(self, condition: str) -> _Way:
        """Return the way by a variable that has to meet a condition."""
        name = f"kept{self.depth}"
        clauses = f"for {name} in ({self.text},)", f"if {condition.format(name)}"
        return self._replace(text=name, clauses=(*self.clauses, *clauses))


class KeptObjects:
    """Answers for one program."""

    def __init__(self, project: Project, loading: Loading) -> None:
        self._project = project
        self._loading = loading
        self._handed = HandedObjects(project)

    def objects_at(self, module: Module, node: ast.expr, values: Values) -> Iterator[Kept]:
        """Yield the mapped objects that ``node`` leads to, if its ``values`` are not mapped."""
        above, items = module.parent(node), items_of(values)
        first = _Way(module.text_of(node), values, self._read_of_items(module, node))
        match above:
            case ast.Attribute(attr=name) if not items:
                first = first._replace(read=frozenset({name}))
            case ast.Attribute(attr=name) if name not in _OF_ITEMS and mapped_in(
                self._project, items
            ):
                return  # Its result is read where it is bound.
            case ast.Subscript(slice=ast.Constant() | ast.Name(), ctx=ast.Load()) if (
                items
                and (statement := module.statement_of(above)) is not None
                and not is_conditional(module, above, statement)
            ):
                first = first._replace(text=module.text_of(above), values=items)
        starts = [first]
        if is_iterator(values):
            starts = [*self._made_of(module, node)]
        ways = Queue(starts, lambda way: (*way[:1], *way[2:4]))
        for way in ways:
            known = tuple(value for value in way.values if not isinstance(value, Unknown))
            kind = kind_of(self._project, known)
            if kind in {"one", "optional"} and len(known) < len(way.values):
                yield self._result(way.with_condition(f'hasattr({{}}, "{_STATE}")'), "one")
            elif kind:
                yield self._result(way, kind)
            elif way.depth < _DEEPEST:
                ways += self._next_ways(module, node, way._replace(depth=way.depth + 1))

    def _result(self, way: _Way, kind: str) -> Kept:
        text, clauses, owners = way.text, way.clauses, mapped_in(self._project, way.values)
        if clauses and kind == "many":
            clauses, text = (*clauses, f"for item in {text}"), "item"
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
        for value in values:
            match value:
                case TupleOf(items=items):
                    for number, item in enumerate(items):
                        yield way._replace(text=f"{way.text}[{number}]", values=item)
                case InstanceOf(named=(_, *_) as named):
                    for key, item in named:
                        yield way._replace(text=f'{way.text}["{key}"]', values=item)
                case InstanceOf(parameters=(*_, item), qualified=name) if name not in ITERATORS:
                    text = f"part{way.depth}"
                    all_of = f"{way.text}.values()" if name in DICTIONARIES else way.text
                    clauses = (*way.clauses, f"for {text} in {all_of}")
                    yield way._replace(text=text, values=item, clauses=clauses)
                case InstanceOf(qualified=name) if not self._project.orm.mapped_class(name):
                    yield from self._of_class(name, way)
                case FunctionOf() if value.module.path == module.path:
                    yield from self._of_function(module, node, way, value.node)

    def _made_of(self, module: Module, node: ast.expr) -> Iterator[_Way]:
        """Yield the variables that an iterator reads when it is asked for its items."""
        for made, part in parts_of_iterator(module, node):
            if _is_bound(module, node, part):
                read = None
                if isinstance(made, ast.GeneratorExp):
                    read = self._handed.of_variable(module, made, part.id)
                yield _Way(part.id, self._project.values.of(module, part).alternatives, read)

    def _of_function(
        self, module: Module, node: ast.expr, way: _Way, function: FunctionOrLambda
    ) -> Iterator[_Way]:
        """Yield the variables of functions around another one, which reads them.

        Its defaults are such variables, too.
        """
        for parameter, default in parameters_of(function.args):
            if isinstance(default, ast.Name) and _is_bound(module, node, default):
                values = self._project.values.of(module, default).alternatives
                read = self._handed.of_variable(module, function, parameter.arg)
                yield way._replace(text=default.id, values=values, read=read)
        for name, part in module.scopes.captured_names(function).items():
            if _is_bound(module, node, part):
                values = self._project.values.of(module, part).alternatives
                read = self._handed.of_variable(module, function, name)
                yield way._replace(text=name, values=values, read=read)

    def _of_class(self, qualified: str, way: _Way) -> Iterator[_Way]:
        """Yield the attributes that methods of a class read of their object, those they call too.

        If it is known what is read of the object, only these methods.
        """
        line = [facts.qualified for facts in self._project.class_line(qualified)]
        pairs = [pair for pair in map(self._project.class_definition, line) if pair is not None]
        parts = [(_name(part), module, part) for module, node in pairs for part in node.body]
        waiting = Queue([name for name, *_ in parts] if way.read is None else sorted(way.read))
        for called in waiting:
            for _, module, part in (each for each in parts if each[0] == called):
                own = first_parameter(part) if isinstance(part, Function) else ""
                if isinstance(part, ast.AnnAssign):
                    values = self._project.values.declared(module, part.annotation).alternatives
                    yield way._replace(text=f"{way.text}.{called}", values=values, read=None)
                for node in module.nodes_below(part, ast.Attribute):
                    name, text = node.attr, f"{own}.{node.attr}"
                    if module.text_of(node) == text:
                        waiting += [name]
                        values = self._project.values.of(module, node).alternatives
                        read = self._handed.of_variable(module, part, text)
                        yield way._replace(text=f"{way.text}.{name}", values=values, read=read)

    def _read_of_items(self, module: Module, node: ast.expr) -> frozenset[str] | None:
        """Return what a comprehension over ``node`` reads of its variables; None elsewhere."""
        for below, above in module.steps_up(node):
            if isinstance(below, ast.comprehension):
                names = {part.id for part in ast.walk(above) if isinstance(part, ast.Name)}
                read = (self._handed.of_variable(module, above, name) for name in names)
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
