"""Uses of objects whose outcome may differ if the objects keep their values.

No statement before a read can repair these: the report names each place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, product

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.uses.object_uses import (
    ADDING,
    AddedAgain,
    Use,
    calls_between,
    names_read,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import dominates, mapped_in
from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.frameworks.sqlalchemy.commits.late_readers import reads_later, sources_of
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name

_ENDING = {"commit", "rollback"}
_DETACHING = {"close", "expunge", "expunge_all"}
_VALIDATING = frozenset(schema_knowledge().models.methods)
_CASCADING = re.compile(r"cascade=.*\b(?:all|delete)\b", re.DOTALL)
_ORPHAN = "delete-orphan"
_WITH_ITEMS = ADDING - {"add"}


class DifferingUses(AddedAgain):
    """Answers for one program; ``loaded`` gives what is loaded ahead of objects of a class."""

    def caveats(self, module: Module, function: ast.AST) -> tuple[list[str], list[Place]]:
        """Return the caveats of a function, and the places that they are about."""
        if not isinstance(function, Function):
            return [], []
        own = (part for part in own_nodes(what_runs(function)) if isinstance(part, ast.expr))
        nodes = sorted(own, key=lambda part: module.span(part).start)
        places = dict[str, Place]()
        shapes = (
            self._added,
            self._deleted,
            self._deleted_by_statement,
            self._taken,
            self._expired,
            self._appended,
            self._used,
            self._validated,
            self._orphaned,
            self._rekeyed,
            self._keyed,
            self._emptied,
            self._parted,
            self._gets_unflushed,
            self._loops_over_iterators,
        )
        for each in shapes:
            for said, node in each(module, nodes):
                caveat = f"the result may differ, because {said}"
                places.setdefault(caveat, module.place(node))
        return list(places), list(places.values())

    # ------------------------------------------------------------------------------- the shapes
    def _added(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where an object is added whose collection holds what was deleted before."""
        calls = (part for part in nodes if isinstance(part, ast.Call))
        uses = (Use(part, "", self._deleted_classes(module, part)) for part in calls)
        deleting = [use for use in uses if use.owners]
        for node in nodes:
            if said := self.caveat(module, node):
                yield said, node
            # Most functions delete nothing.
            passed = self._passed(module, node, _WITH_ITEMS, self._deleting) if deleting else ()
            for text, owner in passed:
                for use in deleting:
                    if module.span(node).start < module.span(use.node).end:
                        continue
                    for name in self._collections_of(owner, use.owners):
                        changed, then = module.excerpt(use.node), module.excerpt(node)
                        yield (
                            (
                                f"`{then}` uses `{text}.{name}`, which still has the items from "
                                f"before `{changed}`"
                            ),
                            node,
                        )

    def _deleted(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield what reads an object whose deletion no flush has written, or deletes it again."""
        deleted = [
            Use(part, text)
            for part in nodes
            for text in dict(self._passed(module, part, {"delete"}, self._deleting))
        ]
        for item, other in combinations(deleted, 2):
            if item.text == other.text:
                yield f"`{item.text}` is deleted twice", other.node
        for use in deleted:
            for node in names_read(module, nodes, use.node, use.text):
                if self._is_read(module, node):
                    is_direct = isinstance(use.node, ast.Call) and self._is_of_session(
                        module, use.node, {"delete"}
                    )
                    if is_direct and not self._is_between(module, nodes, use.node, node):
                        yield f"`{use.text}` is read before its deletion is flushed", node
                    elif (
                        self._is_changed_before(module, nodes, use.node)
                        and self._has_loaded(module, node)
                        # A deleted object keeps its loaded attributes when that is committed.
                        and not self._is_between(module, nodes, use.node, node, {"rollback"})
                    ):
                        yield f"`{use.text}` is read after its deletion", node

    def _is_changed_before(
        self, module: Module, nodes: Sequence[ast.AST], deletion: ast.AST
    ) -> bool:
        """Whether something is changed before an object is deleted, which it may read."""
        return any(
            module.span(node).end <= module.span(deletion).start and self._changes(module, node)
            for node in nodes
        )

    def _deleted_by_statement(
        self, module: Module, nodes: Sequence[ast.AST]
    ) -> Iterator[tuple[str, ast.AST]]:
        """Yield the reads of an object after a statement that deletes rows of its class."""
        for use in nodes:
            if not isinstance(use, ast.Call) or last_name(use.func) != "delete":
                continue
            owners = self._rows_of(module, use)
            if not owners or self._is_of_session(module, use, {"delete"}):
                continue
            for node in names_read(module, nodes, use):
                if (
                    self._is_read(module, node)
                    and not self._classes_of(module, node).isdisjoint(owners)
                    and self._has_loaded(module, node)
                    and not self._is_between(module, nodes, use, node, _ENDING)
                ):
                    shown = module.excerpt(use)
                    yield f"`{node.id}` is read after `{shown}`, which may delete it", node

    def _taken(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where a session gets an object again that was taken out of it."""
        for node in nodes:
            if not isinstance(node, ast.Call) or not self._is_of_session(module, node, _DETACHING):
                continue
            for later in nodes:
                if module.span(later).start < module.span(node).end:
                    continue
                for text, _ in self._adds(module, later):
                    names = {part.id for part in node.args if isinstance(part, ast.Name)}
                    if not names or text in names:
                        shown, then = module.excerpt(node), module.excerpt(later)
                        yield f"`{text}` has no session between `{shown}` and `{then}`", later

    def _used(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where a collection is used under a condition, then its rows change, then read.

        If it was not used, it is loaded after that change, and includes it.
        """
        adding = [one for one in nodes if isinstance(one, ast.Call) and self._writes(module, one)]
        appending = [*self._appending(module, nodes)]
        # Most functions change nothing, and few that do read a collection.
        uses = [*self._attributes_of(module, nodes)] if adding or appending else []
        for number, later in enumerate(uses):
            for use in uses[:number]:
                start, end = module.span(use.node).end, module.span(later.node).start
                first, last = module.statement_of(use.node), module.statement_of(later.node)
                if use.text != later.text or first is None or last is None:
                    continue
                ending = self._may_end(module, nodes, use.node, later.node)
                if dominates(module, first, last) and ending is None:
                    continue
                is_flushed = self._is_between(module, nodes, use.node, later.node, {"flush"})
                is_changed = any(
                    (
                        start <= module.span(call).start < end
                        or (is_flushed and self._waits(module, nodes, call, use.node))
                    )
                    and not self._written_by(module, call).isdisjoint(use.owners)
                    for call in adding
                )
                # Its rows have no item twice, and their own order.
                is_appended = is_flushed and any(
                    candidate.text == use.text and start <= module.span(candidate.node).end <= end
                    for candidate in appending
                )
                if (is_changed or is_appended) and not self._is_between(
                    module, nodes, use.node, later.node, _ENDING
                ):
                    where = "under a condition, before its rows change"
                    if ending is not None:
                        where = f"before `{module.excerpt(ending)}`, which may commit or not"
                    yield f"`{use.text}` is loaded {where}", use.node

    def _gets_unflushed(
        self, module: Module, nodes: Sequence[ast.AST]
    ) -> Iterator[tuple[str, ast.AST]]:
        """Yield what gets objects by their keys while changes wait for a flush.

        Loading them again would lose these, so they may not have what a read of them needs.
        """
        changed = [x for x in nodes if isinstance(x, ast.Attribute)] if self._is_held else []
        changing = [x for x in changed if self._changes(module, x)]
        for change, node in product(changing, nodes if changing else ()):
            if (
                isinstance(node, ast.Call)
                and module.span(change).end <= module.span(node).start
                and not self._is_between(module, nodes, change, node)
                and (
                    self._is_of_session(module, node, library_names().getting_methods)
                    or not self._getting.isdisjoint(self._called(module, node))
                )
            ):
                yield f"`{module.excerpt(node)}` runs before the changes are flushed", node

    def _loops_over_iterators(
        self, module: Module, nodes: Sequence[ast.AST]
    ) -> Iterator[tuple[str, ast.AST]]:
        """Yield the loops in which an iterator reads the next object after a commit or rollback."""
        ending = _ENDING | {"expire", "expire_all"}
        for node in nodes:
            loop = module.parent(node)
            if not (isinstance(node, ast.expr) and isinstance(loop, ast.For) and loop.iter is node):
                continue
            values = self._project.values.alternatives_of(module, node)
            # A mapped item is loaded where the loop reads it.
            if not reads_later(values) or mapped_in(self._project, values):
                continue
            sources = sources_of(module, node, self._project.values.alternatives_of)
            calls = (part for each in loop.body for part in module.nodes_below(each, ast.Call))
            for call in calls if any(self._leads(module, each.node) for each in sources) else ():
                is_ending = self._is_of_session(module, call, ending)
                if is_ending or not self._ending.isdisjoint(self._called(module, call)):
                    yield f"`{module.excerpt(node)}` goes on after `{module.excerpt(call)}`", node

    def _leads(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression is, or leads to, mapped objects."""
        return bool(mapped_in(self._project, self._project.values.alternatives_of(module, node)))

    @cached_property
    def _ending(self) -> frozenset[FunctionPlace]:
        """The functions that commit or roll back, and those that call one of these."""
        return self._reaching(_ENDING)

    def _may_end(
        self, module: Module, nodes: Sequence[ast.AST], start: ast.AST, end: ast.AST
    ) -> ast.Call | None:
        """Return a call between two nodes that commits under a condition of what it calls."""
        between = calls_between(module, nodes, start, end)
        committing = self._committing.isdisjoint
        return next((x for x in between if not committing(self._called(module, x))), None)

    def _waits(
        self, module: Module, nodes: Sequence[ast.AST], write: ast.AST, node: ast.AST
    ) -> bool:
        """Whether a write may wait for a flush where a node is, which does not flush by itself."""
        is_before = module.span(write).end <= module.span(node).start
        # Loading a collection to replace it flushes nothing.
        is_set = isinstance(getattr(node, "ctx", None), ast.Store)
        is_quiet = self._is_held or is_set
        return is_before and is_quiet and not self._is_between(module, nodes, write, node)

    def _attributes_of(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[Use]:
        """Yield the reads of relationships, each with its target: here, or of what is passed on."""
        for node in nodes:
            match node:
                case ast.Attribute(value=held, attr=name) if (
                    name in self._project.orm.reads.names_of_mapped()
                ):
                    names = {name}
                case ast.Name() as held if not isinstance(
                    module.parent(held), ast.Attribute
                ) and self._is_read(module, held):
                    names = {
                        one for each in self._classes_of(module, held) for one in self._loaded(each)
                    }
                case _:
                    continue
            for owner in sorted(self._classes_of(module, held)):
                for name in sorted(names):
                    target = self._project.orm.models.target_of(owner, name)
                    if target is not None:
                        text = f"{module.text_of(held)}.{name}"
                        yield Use(node, text, frozenset({target}))

    def _writes(self, module: Module, call: ast.Call) -> bool:
        return self._is_of_session(module, call, ADDING) or bool(self._rows_of(module, call))

    def _written_by(self, module: Module, call: ast.Call) -> frozenset[str]:
        """Return the classes of which a call adds objects or changes rows."""
        added = (self._classes_of(module, argument) for argument in call.args)
        return frozenset().union(self._rows_of(module, call), *added)

    def _has_loaded(self, module: Module, node: ast.expr) -> bool:
        """Whether relationships of an object are loaded ahead, and one of them is read."""
        loaded = {name for owner in self._classes_of(module, node) for name in self._loaded(owner)}
        above = module.parent(node)
        return above.attr in loaded if isinstance(above, ast.Attribute) else bool(loaded)

    def _expired(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where objects are expired, or expunged, while changes wait for a flush.

        The next lazy load flushed the items of an object that is expunged.
        """
        changing = [part for part in nodes if self._changes(module, part)]
        appending = [*self._appending(module, nodes)]
        for node in nodes:
            if not isinstance(node, ast.Call):
                continue
            is_expiring = self._is_of_session(module, node, {"expire", "expire_all"})
            waiting = changing if is_expiring else []
            if self._is_of_session(module, node, {"expunge"}) and node.args:
                owner = f"{module.text_of(node.args[0])}."
                waiting = [use.node for use in appending if use.text.startswith(owner)]
            if any(
                module.span(part).end <= module.span(node).start
                and not self._is_between(module, nodes, part, node)
                for part in waiting
            ):
                yield f"`{module.excerpt(node)}` runs before the changes are flushed", node

    def _appended(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where a collection that a commit expired gets items again."""
        appending = [*self._appending(module, nodes)]
        for n, later in enumerate(appending):
            for use in appending[:n]:
                is_committed = any(
                    self._is_of_session(module, call, {"commit"})
                    for call in calls_between(module, nodes, use.node, later.node)
                )
                if use.text == later.text and is_committed:
                    yield f"`{use.text}` keeps its old items when items are added", later.node

    def _validated(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield the schemas that read new items that no flush has written."""
        appending = [*self._appending(module, nodes)]
        for node in nodes:
            match node:
                case ast.Call(func=ast.Attribute(attr=name), args=[ast.Name(id=held), *_]) if (
                    name in _VALIDATING
                ):
                    for use in appending:
                        is_before = module.span(use.node).end <= module.span(node).start
                        is_its = use.text.startswith(f"{held}.")
                        if (
                            is_its
                            and is_before
                            and not self._is_between(module, nodes, use.node, node)
                        ):
                            yield f"the value assigned to `{use.text}` has not been flushed", node

    def _orphaned(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where an object loses an owner that nothing has loaded, and is no orphan by that.

        One that is loaded ahead has the object deleted: `cascade="all, delete-orphan"`.
        """
        attributes = [part for part in nodes if isinstance(part, ast.Attribute)]
        for node in attributes:
            shown, statement = module.text_of(node), module.statement_of(node)
            if not isinstance(node.ctx, ast.Store) or statement is None:
                continue
            if any(
                isinstance(attribute.ctx, ast.Load)
                and module.text_of(attribute) == shown
                and module.span(attribute).end <= module.span(node).start
                and (reading := module.statement_of(attribute)) is not None
                and dominates(module, reading, statement)
                for attribute in attributes
            ):
                continue
            for owner in sorted(self._classes_of(module, node.value)):
                if node.attr in self._loaded(owner) and self._has_orphans(owner, node.attr):
                    yield (
                        (
                            f"the owner that `{shown}` replaces is loaded, and its cascade deletes "
                            "orphans"
                        ),
                        node,
                    )

    def _rekeyed(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where an owner is set after its key: a loaded one may be equal to it.

        Then nothing changes, and the row keeps the key.
        """
        attributes = [part for part in nodes if isinstance(part, ast.Attribute)]
        stored = [attribute for attribute in attributes if isinstance(attribute.ctx, ast.Store)]
        for key, node in combinations(stored, 2):
            is_of_it = module.text_of(key.value) == module.text_of(node.value)
            for owner in sorted(self._classes_of(module, node.value)) if is_of_it else ():
                mapped = self._project.orm.mapped_class(owner)
                facts = None if mapped is None else mapped.columns.get(key.attr)
                is_key = facts is not None and bool(facts.foreign_key or facts.refers)
                if is_key and node.attr in self._loaded(owner):
                    shown = module.text_of(node)
                    yield (
                        f"`{shown}` is loaded, and may differ from the object that its key names",
                        node,
                    )

    def _keyed(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where an owner is set, and what reads its key next may do so before a flush.

        An object that was expired flushed where it was read, and one that loads nothing does not.
        """
        for node in nodes:
            match node:
                case ast.Attribute(value=ast.Name(id=name) as held, attr=side, ctx=ast.Store()):
                    keys = self._keys_of(module, held, side)
                case _:
                    continue
            for later in names_read(module, nodes, node, name) if keys else ():
                if _is_answer(module, later, keys) and not self._is_written(
                    module, nodes, node, later
                ):
                    shown = module.excerpt(node)
                    yield f"the key of `{shown}` is read, and may not be flushed yet", later
                    break

    def _emptied(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where a column of a new object becomes None, after a commit and another use.

        That use loaded the column, which a commit had expired. Now it was never set, nor loaded:
        the next flush writes NULL once more.
        """
        for node in nodes:
            held, columns, shown = self._may_become_none(module, node)
            for binding in () if held is None else module.scopes.bindings_of(held):
                made = binding.value
                if (
                    isinstance(made, ast.Call)
                    and held is not None
                    and not self._loads_object(module, made)
                    and columns - {keyword.arg for keyword in made.keywords}
                    and self._is_used_behind_commit(module, nodes, (made, node), held.id)
                ):
                    yield shown, node

    def _may_become_none(
        self, module: Module, node: ast.AST
    ) -> tuple[ast.Name | None, set[str], str]:
        """Return the object whose columns ``node`` may set to None, the columns, and the caveat."""
        match node:
            case ast.Attribute(value=ast.Name() as held, attr=column):
                match module.statement_of(node):
                    case ast.Assign(targets=[target], value=ast.Constant(value=None)) if (
                        target is node
                    ):
                        shown = f"`{module.text_of(node)}` is written as NULL again"
                        return held, self._columns_of(module, held) & {column}, shown
            case ast.Call(func=ast.Name("setattr"), args=[ast.Name() as held, name, value]) if (
                not isinstance(value, ast.Constant) or value.value is None
            ):
                columns = self._columns_of(module, held)
                if isinstance(name, ast.Constant):
                    columns &= {str(name.value)}
                return held, columns, f"`{module.excerpt(node)}` may write NULL again"
        return None, set(), ""

    def _columns_of(self, module: Module, held: ast.Name) -> set[str]:
        mapped = map(self._project.orm.mapped_class, self._classes_of(module, held))
        return {column for model in mapped if model is not None for column in model.columns}

    def _loads_object(self, module: Module, call: ast.Call) -> bool:
        return any(
            isinstance(node, ast.Attribute)
            and self._project.orm.session_of(module, node.value) is not None
            for node in module.walk(call)
        )

    def _is_used_behind_commit(
        self, module: Module, nodes: Sequence[ast.AST], between: tuple[ast.Call, ast.AST], name: str
    ) -> bool:
        """Whether a variable is used between a commit and a node, and not refreshed there."""
        made, end = between
        ends = [
            module.span(node).end
            for node in nodes
            if isinstance(node, ast.Call)
            and module.span(made).start <= module.span(node).start < module.span(end).start
            and (
                self._is_of_session(module, node, {"commit"})
                or not self._flushing.isdisjoint(self._called(module, node))
            )
        ]
        uses = [
            module.parent(node)
            for node in nodes
            if isinstance(node, ast.Name)
            and node.id == name
            and isinstance(node.ctx, ast.Load)
            and min(ends, default=module.span(end).end) <= module.span(node).start
            and module.span(node).start < module.span(end).start
        ]
        return bool(uses) and not any(
            isinstance(use, ast.Call) and self._is_of_session(module, use, {"refresh"})
            for use in uses
        )

    def _keys_of(self, module: Module, held: ast.expr, side: str) -> frozenset[str]:
        """Return the columns of objects that refer to what is set as their owner ``side``."""
        result = set[str]()
        for owner in self._classes_of(module, held):
            mapped = self._project.orm.mapped_class(owner)
            if mapped is None or side not in mapped.relationships:
                continue
            if self._project.orm.is_collection(owner, side) is False:
                result |= {k for k, one in mapped.columns.items() if one.foreign_key or one.refers}
        return frozenset(result)

    def _is_written(
        self, module: Module, nodes: Sequence[ast.AST], start: ast.AST, end: ast.AST
    ) -> bool:
        """Whether a flush certainly runs between two nodes, as far as calls tell: in a helper."""
        return self._is_between(module, nodes, start, end) or any(
            not self._flushing.isdisjoint(self._called(module, call))
            for call in calls_between(module, nodes, start, end)
        )

    def _parted(self, module: Module, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
        """Yield where an object is deleted whose collection gets rows by the same flush.

        Without a cascade it was loaded by that flush, and did not have them.
        """
        adding = [one for one in nodes if isinstance(one, ast.Call) and self._writes(module, one)]
        for node in nodes:
            deleted = [*self._passed(module, node, {"delete"}, self._deleting)] if adding else []
            for write, (text, owner) in product(adding, deleted):
                if module.span(write).end > module.span(node).start or self._is_between(
                    module, nodes, write, node
                ):
                    continue
                for name in self._collections_of(owner, self._written_by(module, write)):
                    if not _CASCADING.search(self._declared(owner, name)):
                        shown, then = module.excerpt(write), module.excerpt(node)
                        yield (
                            f"`{then}` may see another `{text}.{name}`, because of `{shown}`",
                            node,
                        )

    def _has_orphans(self, owner: str, name: str) -> bool:
        """Whether the other side of a relationship deletes what it loses."""
        inverse = self._project.orm.reads.inverse_of(owner, name)
        return inverse is not None and _ORPHAN in self._declared(inverse.owner, inverse.attribute)

    def _declared(self, owner: str, name: str) -> str:
        """Return the text of the calls that declare a relationship."""
        facts = self._project.orm.models.relationship(owner, name)
        place = None if facts is None else Place(facts.path, facts.span)
        calls = [] if place is None else self._project.calls_at(place)
        return " ".join(home.text_of(call) for home, call in calls)


def _is_answer(module: Module, name: ast.Name, keys: Collection[str]) -> bool:
    """Whether a key of an object is read, or all of it is: returned, or validated."""
    match module.parent(name):
        case ast.Return():
            return True
        case ast.Attribute(attr=attribute, ctx=ast.Load()):
            return attribute in keys
        case ast.Call(func=ast.Attribute(attr=method)):
            return method in _VALIDATING
    return False
