"""Writes between a load and a read: an eager load would return older values than the lazy one.

A relationship that loads when it is read sees what was flushed before. One that its statement loads
sees none of it until something expires the object, which a commit does, but no release of a
savepoint.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.eager_loads.loading_statements import node_at
from awaken.kit.rule import ProjectFacts
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda, Loop, last_name

if TYPE_CHECKING:
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Trace

_SENDING = name_list("sending_rows")
_DELETING = "delete"
_EXPIRING = {"commit", "expire", "expire_all", "refresh"}
_ANEW = "populate_existing"
_SAVEPOINT = "begin_nested"
DEEPEST_HELPERS = 2  # one that writes, or one that calls it; deeper ones rarely serve one object


class Writes(ProjectFacts):
    """Answers for one program."""

    def write_between(self, trace: Trace, read: Read) -> Place | None:
        """Return a write between a load and a read that may change the value, or None.

        As far as it is in the functions of the two, or in those that these call.
        """
        owner, _, attribute = trace.path[-1].rpartition(".")
        mapped = self._project.orm.mapped_class(owner)
        facts = None if mapped is None else mapped.relationships.get(attribute)
        if mapped is None or facts is None:
            return None
        target = self._project.orm.mapped_class(facts.target or "")
        classes = {owner, *(model.qualified for model in (mapped, target) if model is not None)}
        keys = self._project.orm.keys_between(owner, facts.target or "")
        for module, nodes in self._regions(trace, read):
            place = self._last_write(module, nodes, frozenset(classes), keys)
            if place is not None:
                return place
        return None

    def put_between(self, trace: Trace, read: Read) -> Place | None:
        """Return where an object is put among those that a relationship is read from, if any.

        It comes from elsewhere, and has not loaded what the statement loads for the others. Nor has
        one that another statement loads again, by ``populate_existing``.
        """
        is_direct = len(trace.path) < len(("users", "posts"))
        owner = trace.path[-1].rpartition(".")[0]
        way = "" if is_direct else trace.path[-2].rpartition(".")[2]
        for module, nodes in self._regions(trace, read):
            for node in nodes:
                if _reloads(module, node, trace.load.place):
                    return module.place(node)
                if not is_direct and self._puts(module, node, owner, way, DEEPEST_HELPERS):
                    return module.place(node)
        return None

    def _puts(self, module: Module, node: ast.AST, owner: str, way: str, depth: int) -> bool:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()):
                return name == way
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr=how)):
                if name == way and how in library_names().growing_methods:
                    return True
            case ast.Call():
                pass
            case _:
                return False
        made = self._project.qualified_name(module, node.func)
        if made and (made == owner or self._is_below(made, frozenset({owner}))):
            return True
        return depth > 0 and any(
            self._puts(home, each, owner, way, depth - 1)
            for home, function in self._project.calls.known_functions(module, node)
            for each in _calls_and_assignments(home, function, 0, None)
        )

    def _regions(self, trace: Trace, read: Read) -> Iterator[tuple[Module, list[ast.AST]]]:
        """Yield the code after the load, and before the read, in their functions."""
        home, there = self._pair_at(trace.load.place), self._pair_at(read.place)
        if home is None:
            return
        module, load = home
        function = module.enclosing_function(load)
        if function is None:
            return
        end = None
        if there is not None and there[0] is module:
            other = module.enclosing_function(there[1])
            end = _last_time(module, load, there[1]) if other is function else None
        yield module, _calls_and_assignments(module, function, module.span(load).end, end)
        if there is not None and end is None:
            outer = there[0].enclosing_function(there[1])
            if outer is not None:
                yield (
                    there[0],
                    _calls_and_assignments(
                        there[0], outer, 0, _last_time(there[0], None, there[1])
                    ),
                )

    def _pair_at(self, place: Place) -> tuple[Module, ast.AST] | None:
        if place.path not in self._project.snapshot:
            return None
        module = self._project.module(place.path)
        node: ast.AST | None = None if module is None else node_at(module, place)
        if module is None:
            return None
        if node is None:
            node = next(module.expressions_at({place.span}), None)
        return None if node is None else (module, node)

    def _last_write(
        self, module: Module, nodes: list[ast.AST], classes: frozenset[str], keys: frozenset[str]
    ) -> Place | None:
        """Return the last write in a region, unless the objects are expired after it."""
        place: Place | None = None
        is_nested = any(_called_text(node) == _SAVEPOINT for node in nodes)
        for part in nodes:
            # The commit of a savepoint expires nothing.
            if place is not None and _called_text(part) in _EXPIRING and not is_nested:
                place = None
            elif self._writes(module, part, classes, keys, DEEPEST_HELPERS):
                place = module.place(part)
        return place

    def _writes(
        self,
        module: Module,
        node: ast.AST,
        classes: frozenset[str],
        keys: frozenset[str],
        depth: int,
    ) -> bool:
        match node:
            case ast.Attribute(ctx=ast.Store(), attr=name):
                return name in keys
            case ast.Call():
                pass
            case _:
                return False
        name = _called_text(node)
        if name in _SENDING and self._is_sql(module, node, classes):
            return True
        if name == _DELETING:
            orm = self._project.orm
            return self._is_sql(module, node, classes) or orm.may_call_session(module, node)
        made = self._project.qualified_name(module, node.func)
        if made in classes or (made and self._is_below(made, classes)):
            # A new object without a key is in no loaded collection; `**` may pass any key.
            return any(keyword.arg is None or keyword.arg in keys for keyword in node.keywords)
        return depth > 0 and self._writes_inside(module, node, classes, keys, depth - 1)

    def _writes_inside(
        self,
        module: Module,
        call: ast.Call,
        classes: frozenset[str],
        keys: frozenset[str],
        depth: int,
    ) -> bool:
        return any(
            self._writes(home, each, classes, keys, depth)
            for home, function in self._project.calls.known_functions(module, call)
            for each in _calls_and_assignments(home, function, 0, None)
        )

    def _is_below(self, qualified: str, classes: frozenset[str]) -> bool:
        return any(qualified in self._project.all_subclasses(class_) for class_ in classes)

    def _is_of_others(self, module: Module, call: ast.Call, classes: frozenset[str]) -> bool:
        """Whether a statement is for a mapped class that has nothing to do with these."""
        name = self._project.qualified_name(module, call.args[0]) if call.args else None
        mapped = self._project.orm.mapped_class(name)
        if mapped is None or mapped.qualified in classes:
            return False
        return not self._is_below(mapped.qualified, classes) and not any(
            class_ in self._project.all_subclasses(mapped.qualified) for class_ in classes
        )

    def _is_sql(self, module: Module, call: ast.Call, classes: frozenset[str]) -> bool:
        """Whether a call builds, or sends, a statement that writes."""
        name = self._project.qualified_name(module, call.func) or ""
        if name.startswith("sqlalchemy."):
            return not self._is_of_others(module, call, classes)
        if not isinstance(call.func, ast.Attribute):
            return False
        receiver = call.func.value
        text = module.text_of(receiver)
        is_of_table = "__table__" in text or ".query" in text or "query(" in text
        return is_of_table or self._project.orm.may_call_session(module, call)


def _last_time(module: Module, load: ast.AST | None, read: ast.AST) -> int:
    """Return where the code before a read ends: after the loops that read again and again.

    A loop that loads again too begins anew each time.
    """
    end = module.span(read).start
    for above in module.ancestors_inside(read):
        if isinstance(above, Loop):
            head = None if isinstance(above, ast.While) else module.span(above.iter)
            is_head = head is not None and head.contains(module.span(read))
            loads = load is not None and any(
                module.span(statement).contains(module.span(load)) for statement in above.body
            )
            if loads:
                break
            if not is_head:
                end = module.span(above).end
    return end


def _calls_and_assignments(
    module: Module, function: FunctionOrLambda, start: int, end: int | None
) -> list[ast.AST]:
    """Return the calls and assigned attributes of a function between two places, in order.

    Decorators and default values run before each call of it.
    """
    if isinstance(function, Function):
        start = max(start, module.span(function.body[0]).start)
    nodes = [
        node
        for node in module.walk(function)
        if isinstance(node, ast.Call | ast.Attribute)
        and start <= module.span(node).start
        and (end is None or module.span(node).start < end)
    ]
    return sorted(nodes, key=lambda node: module.span(node).end)


def _called_text(node: ast.AST) -> str:
    return last_name(node.func) if isinstance(node, ast.Call) else ""


def _reloads(module: Module, node: ast.AST, load: Place) -> bool:
    """Whether a call has objects loaded again that are there already; not those of ``load``."""
    names = [keyword.arg for keyword in node.keywords] if isinstance(node, ast.Call) else []
    if _ANEW not in {*names, _called_text(node)}:
        return False
    statement = module.statement_of(node)
    if statement is None or module.path != load.path:
        return True
    return not module.span(statement).contains(load.span)
