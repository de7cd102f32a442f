"""Reads of an object after a place: in the same function, in others, or of its items."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.passed_objects import (
    DELETED,
    PassedObjects,
    read_in,
)
from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.expressions.expression_uses import is_returned
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter, last_name
from awaken.project.source.worklist import multimap
from awaken.project.values.domain import InstanceOf, Values, classes_in, origins_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project


class OwnReads:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def behind(self, owners: Iterable[str], names: Iterable[str]) -> frozenset[str]:
        """Return ``names`` of objects of ``owners``, and the relationships that these read."""
        owners, names = tuple(owners), tuple(names)
        return frozenset(names).union(*(self._read(x, name) for x in owners for name in names))

    def answered(self, module: Module, node: ast.expr, owners: Iterable[str]) -> frozenset[str]:
        """Return what a response may read by properties of what an endpoint returns."""
        function = function_around(module, node)
        if function is None or not function.decorator_list:
            return frozenset()
        return self.by_fields(owners)

    def by_fields(self, owners: Iterable[str]) -> frozenset[str]:
        """Return what properties read that have the name of a field, as one of a response."""
        result = {
            (owner, part.name)
            for owner in owners
            for _, part in self._methods(owner)
            if part.decorator_list and self._is_field(part.name)
        }
        return frozenset().union(*(self._read(*pair) for pair in result))

    @cached_method
    def _is_field(self, name: str) -> bool:
        """Whether a class of the program has an annotated field of a name."""
        return any(
            last_name(node.target) == name
            for _, node in nodes_with(self._project, (name.encode(),), ast.AnnAssign)
        )

    @cached_method
    def _read(self, owner: str, name: str) -> frozenset[str]:
        """Return the relationships that a method or an association proxy of a class reads."""
        mapped = self._project.orm.mapped_class(owner)
        waiting, seen = [name], {name}
        for each in waiting:
            seen |= self._project.orm.reads.proxied_by(owner, each)
            for module, function in self._methods(owner):
                if function.name == each:
                    read = set(_of_self(module, function)) - seen
                    waiting += sorted(read)
                    seen |= read
        return frozenset(seen - {name}).intersection(() if mapped is None else mapped.relationships)

    def _methods(self, owner: str) -> Iterator[tuple[Module, Function]]:
        for ancestor in self._project.orm.mapping_ancestors(owner):
            module, node = self._project.class_definition(ancestor) or (None, None)
            for each in () if node is None else node.body:
                if module is not None and isinstance(each, Function):
                    yield module, each


class ReadOf:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._passed = PassedObjects(project)
        self._own = OwnReads(project)

    def names(
        self, module: Module, node: ast.expr, values: Values, *, is_many: bool
    ) -> frozenset[str]:
        """Return the attributes that are read of ``node``, or of its items, if it has many."""
        if is_returned(module, node):
            return self.names_answered(module, node, items_of(values) if is_many else values)
        above = module.call_taking(node) or module.parent(node)
        match above:
            case ast.For(target=ast.Name(id=name)) if is_many and above.iter is node:
                return self._own.behind(classes_in(items_of(values)), read_in(module, above, name))
            case ast.comprehension(target=ast.Name(id=name)) if is_many and above.iter is node:
                owners, made = classes_in(items_of(values)), module.parent(above)
                read = frozenset() if made is None else self._of_items(module, made, name)
                return self._own.behind(owners, read)
            case ast.Subscript() if is_many and above.value is node:
                return self.names(module, above, items_of(values), is_many=False)
            case ast.Attribute(attr=name) if not is_many:
                return self._own.behind(tuple(classes_in(values)), [name])
            case ast.Call() as call if call.func is not node:
                read = self._passed.attributes(module, call, node)
                return read.union(self._validated_at(module.place(call), module.place(node)))
        return frozenset()

    def names_answered(self, module: Module, node: ast.expr, objects: Values) -> frozenset[str]:
        """Return what responses read of ``objects`` that an endpoint returns with ``node``."""
        named = {name for name, way in self._answered_ways(objects) if len(way) == 1}
        return self._own.answered(module, node, classes_in(objects)) | named

    def _of_items(self, module: Module, scope: ast.AST, name: str) -> frozenset[str]:
        """Return what code reads of a variable, also by functions and schemas that get it."""
        places = (
            place
            for part in module.walk(scope)
            if isinstance(part, ast.Name) and part.id == name
            for call in (module.call_taking(part),)
            if call is not None
            for place in (module.place(call), module.place(part))
        )
        return self._passed.of_variable(module, scope, name).union(self._validated_at(*places))

    def _validated_at(self, *places: Place) -> Iterator[str]:
        """Yield what schemas read of the objects that they are given at places."""
        for place in places:
            for item in self._validated[place]:
                if all(len(trace.path) == 1 for trace in item.traces):
                    yield item.attribute

    def is_deleted(self, module: Module, node: ast.expr) -> bool:
        """Whether an object is deleted by the call that it is passed to."""
        match module.parent(node):
            case ast.Call(func=ast.Attribute(attr="delete")):
                return True
            case ast.Call() as call if call.func is not node:
                return DELETED in self._passed.attributes(module, call, node)
        return False

    def along(self, module: Module, node: ast.expr, values: Values) -> Iterator[Step]:
        """Yield the reads of the object ``node``, and of their results: `order.user.orders`.

        For a collection at the end, these are the reads of its items.
        """
        owners = tuple(classes_in(values))
        above = module.parent(node)
        if is_returned(module, node):
            ways = [*self._answered_ways(values)]
            yield from self._answered_along(module.text_of(node), owners, ways)
            for name in sorted(self._own.answered(module, node, owners)):
                yield Step(module.text_of(node), name, owners)
            return
        if not isinstance(above, ast.Attribute):
            for name in sorted(self.names(module, node, values, is_many=False)):
                yield Step(module.text_of(node), name, owners)
            yield from self._passed_along(module, node, owners)
            return
        if not isinstance(above.ctx, ast.Load):
            if any(self._project.orm.is_collection(owner, above.attr) for owner in owners):
                # It is loaded to be replaced.
                yield Step(module.text_of(node), above.attr, owners)
            return
        for name in sorted(self._own.behind(owners, [above.attr])):
            yield Step(module.text_of(node), name, owners)
        values = self._project.values.of(module, above).alternatives
        items = items_of(values)
        if items:
            for name in sorted(self.names(module, above, values, is_many=True)):
                yield Step(module.text_of(above), name, tuple(classes_in(items)), is_many=True)
        else:
            yield from self.along(module, above, values)

    def _passed_along(
        self, module: Module, node: ast.expr, owners: tuple[str, ...]
    ) -> Iterator[Step]:
        """Yield what functions read that ``node`` is passed to, of what its relationships give."""
        above = module.call_taking(node)
        if above is None:
            return
        places = module.place(above), module.place(node)
        reads = (read for place in places for read in self._validated[place])
        paths = {trace.path for read in reads for trace in read.traces}
        yield from self._two_deep(module.text_of(node), owners, paths)
        for name, below in sorted(self._passed.below(module, above, node)):
            for owner in owners:
                target = self._project.orm.models.target_of(owner, name)
                if target is not None:
                    is_many = bool(self._project.orm.is_collection(owner, name))
                    yield Step(f"{module.text_of(node)}.{name}", below, (target,), is_many)

    def _answered_along(
        self, text: str, owners: tuple[str, ...], ways: Sequence[tuple[str, tuple[str, ...]]]
    ) -> Iterator[Step]:
        """Yield what responses have of an object that is returned, two relationships deep."""
        paths = {way for _, way in ways}
        for name in sorted({name for name, way in ways if len(way) == 1}):
            # A function that loads any model is one place for all of them.
            if all(name in self._relationships(owner) for owner in owners):
                yield Step(text, name, owners)
            for owner in owners:
                target = self._project.orm.models.target_of(owner, name)
                for read in () if target is None else self._own.by_fields([target]):
                    paths.add((f"{owner}.{name}", f"{target}.{read}"))
        yield from self._two_deep(text, owners, paths)

    def _answered_ways(self, values: Values) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what responses read of objects that are ``values``, with the way to each."""
        origins = self._project.orm.reads.calls_behind(origins_of(values))
        loads = dict.fromkeys(origin.place for origin in origins)
        return (pair for load in loads for pair in self._answered[load])

    def _two_deep(
        self, text: str, owners: tuple[str, ...], paths: Iterable[tuple[str, ...]]
    ) -> Iterator[Step]:
        for path in sorted(path for path in paths if len(path) == 2):  # noqa: PLR2004
            (home, name), (owner, below) = (step.rsplit(".", 1) for step in path)
            having = [home in self._project.orm.mapping_ancestors(word) for word in owners]
            if not any(having):
                continue
            is_many = any(self._project.orm.is_collection(word, name) for word in owners)
            part = "" if all(having) else f"{text}.{name}"
            yield Step(f"{text}.{name}", below, (owner,), is_many, part)

    def _relationships(self, owner: str) -> Collection[str]:
        mapped = self._project.orm.mapped_class(owner)
        return () if mapped is None else mapped.relationships

    @cached_property
    def _validated(self) -> defaultdict[Place, list[Read]]:
        """The reads by schemas of what they are given, by the place of that."""
        return multimap(
            (given, read) for given, read in self._project.orm.reads.of_schemas() if given
        )

    @cached_property
    def _answered(self) -> defaultdict[Place, list[tuple[str, tuple[str, ...]]]]:
        """The attributes of loaded objects that responses read, with the way to each."""
        reads = (read for read in self._project.orm.reads.all() if read.how == "response")
        return multimap(
            (trace.load.place, (read.attribute, trace.path))
            for read in reads
            for trace in read.traces
        )


def kept_steps(loading: Loading, steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the reads of relationships that all the objects there have, and keep."""
    return (
        step for step in steps if all(loading.is_kept(owner, step.name) for owner in step.owners)
    )


def leads_back(project: Project, before: Step, step: Step) -> bool:
    """Whether a read is of the relationship that leads back to the objects of the one before."""
    inverses = (project.orm.reads.inverse_of(owner, before.name) for owner in before.owners)
    return any(each is not None and each.attribute == step.name for each in inverses)


def items_of(values: Values) -> Values:
    """Return the items of what may be lists."""
    lists = [value for value in values if isinstance(value, InstanceOf) and value.parameters]
    return tuple(item for instance in lists for item in instance.parameters[-1])


def _of_self(module: Module, function: Function) -> Iterator[str]:
    """Yield the attributes that a method reads of its object."""
    own = first_parameter(function)
    for node in module.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == own:
                yield attribute
