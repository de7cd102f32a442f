"""Relationships that the program reads: the code that loads them once a read no longer can.

The statements of the objects load them, if all these statements are known. Otherwise the mapping
loads the relationship with every object. A relationship from a class to itself is awaited at its
read. If code that cannot await reads it, it is loaded at every depth.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.find.idle import is_in_unread_property
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.generated_methods import (
    GeneratedMethods,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.new_objects import (
    loaded_when_written,
    steps_when_written,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import is_of_field, is_served
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import (
    Anew,
    Loads,
    holds_back,
    kept_loaded,
    leads_back,
    loading_of,
    populating,
    read_after_commits,
    reloading,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import READ_ELSEWHERE
from awaken.contract import Place
from awaken.kit.changes import Member, member
from awaken.kit.eager_loads import PlannedLoads, plan_loads
from awaken.kit.eager_loads.loading_statements import node_at
from awaken.kit.relationships.sides import LOADS_WITH_OBJECT, WORDS, Key, Side, edits_of, sides_in
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY
from awaken.project.names.functions.decorators import PROPERTIES
from awaken.project.source.memo import cached_property
from awaken.project.source.trees import Function, keyword_of, last_name
from awaken.project.source.worklist import groups_of, reachable
from awaken.project.values.domain import classes_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Trace
    from awaken.project.source.modules import Module
    from awaken.project.values.domain import Values

_EAGER = "selectin"
_IMMEDIATE = "immediate"
"""How the children of a tree are loaded if their parent is as well, by `selectin`.

With `selectin` for both, each would load the other again at every level.
"""
_DUMPED = 255
"""Levels that are loaded of a relationship from a class to itself: pydantic dumps no more of them.

A level that has no objects ends it, so a high number costs nothing (SQLAlchemy, "Configuring
Self-Referential Eager Loading"). Rows that refer to each other in a circle have all levels.
"""
_NOT_KEPT = name_list("never_loading") | library_names().lazy_collections.keys()
_LEVELS = "rules.{}.levels = {}"
_WITH_A_DEPTH = name_list("relationships_with_a_depth")


class Loading:
    """The loads of the relationships of one program that are read.

    ``reads`` are those that something else has to load for. ``levels`` are as many as the owner
    says that those of a class to itself are read, 0 if unsaid.
    """

    def __init__(self, project: Project, rule: str, reads: Iterable[Read], levels: int = 0) -> None:
        self._project = project
        self._rule = rule
        self._levels = levels
        self._reads: defaultdict[Key, list[Read]] = defaultdict(list)
        self._sides: dict[Key, Side] = {}
        self._eager = list[Side]()
        self._gets: set[Place] = set()
        for module in modules_with(project, WORDS):
            for side in sides_in(project, rule, module):
                self._sides[side.key] = side
            self._eager += sides_in(project, rule, module, LOADS_WITH_OBJECT)
        reads = list(reads)
        self._keep(reads)
        # A new object has not loaded yet what the mapping loads with others.
        self._declared = [
            read
            for read in reads
            if read.how != "generated" and (read.owner, read.attribute) not in self._sides
            if self.is_kept(read.owner, read.attribute)
        ]
        self._recursive = {key for key in self._reads if self._is_recursive(self._sides[key])}
        self._trees = self._loaded_as_trees()
        self._mapped = {
            key
            for key, reads in self._reads.items()
            if key not in self._recursive and not all(map(is_served, reads))
        }
        self._returned = set[Key]()
        self._returning = set[Key]()
        self._traces: tuple[Trace, ...] = ()
        self._planned = self._plan()

    def _keep(self, reads: Sequence[Read]) -> None:
        methods = GeneratedMethods(self._project)
        by_name = groups_of(self._sides, lambda key: key[1])
        unnamed = [read.owner for read in reads if read.attribute == ANY]
        ancestors = self._project.orm.mapping_ancestors
        computed = {name for owner in unnamed for name in (owner, *ancestors(owner))}
        for read in reads:
            if is_of_field(self._project, read) or self._is_idle(read, methods, computed):
                continue
            if not read.owner or self.is_kept(read.owner, read.attribute):
                gets = (trace.load.place for trace in read.traces if trace.load.kind == "get")
                self._gets.update(gets)
            if read.attribute == ANY:
                keys = [key for key in self._sides if key[0] == read.owner]
            elif read.owner:
                keys = [(read.owner, read.attribute)]
            else:
                keys = by_name[read.attribute]
            for key in keys:
                if key in self._sides:
                    self._reads[key].append(read)

    def _is_idle(self, read: Read, methods: GeneratedMethods, computed: set[str]) -> bool:
        """Whether the code of a read runs nowhere; of ``computed`` classes anything is read."""
        if read.how == "generated":
            return not methods.may_run(read.owner)
        nodes = self._project.expressions_at(read.place) if read.how == "attribute" else ()
        is_named = not computed & {"", read.owner}
        return is_named and any(is_in_unread_property(self._project, *item) for item in nodes)

    def is_kept(self, owner: str, name: str) -> bool:
        """Whether an object keeps its loaded values: no query, and nothing that raises."""
        facts = self._project.orm.models.relationship(owner, name)
        return facts is not None and facts.lazy not in _NOT_KEPT

    def _is_recursive(self, side: Side) -> bool:
        target, owner = side.declared.facts.target, side.key[0]
        if target is None:
            return False
        return target == owner or target in self._project.all_subclasses(owner)

    def _loaded_as_trees(self) -> set[Key]:
        """Return what leads from a class to itself, and is read where nothing can be awaited.

        Two collections, or two references, of one class would load each other again and again. Then
        there are none, unless the owner says how deep they are read.
        """
        keys = {
            key for key in self._recursive if not all(map(self._is_awaitable, self._reads[key]))
        }
        if self._levels:
            return keys
        sides = Counter((owner, self._is_reference((owner, name))) for owner, name in keys)
        owners = {owner for owner, _ in keys}
        return {
            key
            for key in keys
            if sides[key[0], self._is_reference(key)] == 1
            and owners.isdisjoint(self._project.all_subclasses(key[0]))
        }

    def _is_awaitable(self, read: Read) -> bool:
        """Whether code reads a relationship, and no property of a mapped class."""
        nodes = self._project.expressions_at(read.place) if read.how == "attribute" else ()
        return read.how == "attribute" and not any(self._is_of_property(*item) for item in nodes)

    def _is_of_property(self, module: Module, node: ast.AST) -> bool:
        function = module.enclosing_def(node)
        owner = module.parent(function)
        decorators = [] if function is None else function.decorator_list
        return (
            isinstance(owner, ast.ClassDef)
            and any(self._project.qualified_name(module, x) in PROPERTIES for x in decorators)
            and self._project.orm.mapped_class(module.full_name(owner)) is not None
        )

    def _is_reference(self, key: Key) -> bool:
        """Whether a relationship of a class to itself leads to one object."""
        return self._project.orm.is_collection(*key) is False

    # ----------------------------------------------------------------------------- statements
    def _plan(self) -> PlannedLoads:
        """Plan the loads of statements; what they cannot load, the mapping does.

        The mapping stops where a class comes back to itself: there, statements load the rest. If
        they cannot, the mapping goes on there (``_returning``).
        """
        while True:
            traces: dict[Trace, Key] = {}
            for key, reads in self._reads.items():
                if key in self._recursive:
                    continue
                for trace in (item for read in reads for item in read.traces):
                    if key not in self._mapped or self._comes_back(trace):
                        traces[self._without_returns(trace)] = key
            planned = plan_loads(self._rule, self._project, tuple(traces))
            refused = {traces[trace] for trace in planned.refused}
            if refused <= self._mapped:
                self._traces, self._returning = tuple(traces), refused
                return planned
            self._mapped |= refused

    def _comes_back(self, trace: Trace) -> bool:
        """Whether a way from a statement to a read leads back to a class that it came from.

        A reference by key to the very object it came from is answered by the session.
        """
        passed: set[str] = set()
        before: Key | None = None
        for owner, name in map(_key_of, trace.path):
            passed.add(owner)
            target = self._project.orm.models.target_of(owner, name)
            if target is None:
                return False
            around = {target, *self._project.all_subclasses(target)}
            if not passed.isdisjoint(around) and not self._is_inverse(before, (owner, name)):
                return True
            before = owner, name
        return False

    def _without_returns(self, trace: Trace) -> Trace:
        """Return the same way without the steps that return to the object they came from.

        If the mapping loads that step as well, its option makes a refresh of the collection raise
        (SQLAlchemy, ``LazyLoader._lazyload_reverse``). So the mapping follows it.
        """
        path = [_key_of(step) for step in trace.path]
        for start in range(len(path) - 3, -1, -1):
            before, back = path[start : start + 2]
            if start + 2 < len(path) and back in self._mapped and self._is_inverse(before, back):
                self._returned.add(back)
                del path[start : start + 2]
        return replace(trace, path=tuple(map(".".join, path)))

    def _is_inverse(self, before: Key | None, key: Key) -> bool:
        """Whether a relationship leads back by key to the object that ``before`` was read of."""
        inverse = None if before is None else self._project.orm.reads.inverse_of(*before)
        return inverse is not None and inverse.by_key is True and inverse.attribute == key[1]

    def awaited(self) -> Iterator[Place]:
        """Yield the reads in Python code that load by themselves, for nothing else can."""
        for key in sorted(self._recursive - self._trees):
            for read in self._reads[key]:
                if read.how == "attribute":
                    yield read.place

    def awaited_of(self) -> list[str]:
        """Return the classes whose relationships are awaited where they are read."""
        return [owner for owner, _ in sorted(self._recursive - self._trees)]

    def read_by_themselves(self, qualified: str) -> list[str]:
        """Return the relationships of a class that are read, and not loaded with each object."""
        classes = self._project.orm.mapping_ancestors(qualified)
        keys = self._reads.keys() - self._mapped - self._trees
        return sorted(name for owner, name in keys if owner in classes)

    def loaded_at_first(
        self, module: Module, function: Function, step: Step
    ) -> Literal["always", "never", "sometimes"]:
        """Return how often the program itself loads with its object what a function reads.

        The options of its statement do, or the mapping. Not if the function expires an object.
        """
        span, orm = module.span(function), self._project.orm
        owners = {name for owner in step.owners for name in orm.mapping_ancestors(owner)}
        reads = [
            read
            for read in self._reads_by_name.get((module.path, step.name), ())
            if read.owner in owners and span.contains(read.place.span)
        ]
        traces = tuple(dict.fromkeys(trace for read in reads for trace in read.traces))
        # A refresh that names the relationship may follow the write.
        is_unsure = any(trace.load.kind in {"new", "reload"} for trace in traces)
        is_known = bool(traces) and not is_unsure and all(read.is_traced for read in reads)
        called = (last_name(call.func) for call in module.nodes_below(function, ast.Call))
        if not is_known or any(name.startswith("expire") for name in called):
            return "never"
        present = plan_loads(self._rule, self._project, traces).present
        return "always" if present.issuperset(traces) else "sometimes" if present else "never"

    @cached_property
    def _reads_by_name(self) -> Mapping[tuple[str, str], Sequence[Read]]:
        """The reads of relationships by their files and names."""
        return groups_of(self._all_reads(), lambda read: (read.place.path, read.attribute))

    def read_to_delete(self, values: Values) -> frozenset[str]:
        """Return what is loaded beforehand of a deleted object, and whose rows a flush looks at."""
        owners = classes_in(values)
        orm, sides = self._project.orm, [*map(self._sides.__getitem__, self._reads), *self._eager]
        # With `passive_deletes` a flush looks at nothing that is not loaded.
        keys = {side.key for side in sides if keyword_of(side.call, "passive_deletes") is None}
        return frozenset(
            name
            for word in owners
            for owner, name in keys
            if owner in orm.mapping_ancestors(word)
            and (orm.is_collection(word, name) or orm.is_referred_to(word, name))
        )

    def loaded_with_objects(self, qualified: str) -> list[str]:
        """Return the relationships of a class that are loaded with each object from now on."""
        classes = self._project.orm.mapping_ancestors(qualified)
        keys = self._mapped | self._trees
        return sorted(name for owner, name in keys if owner in classes)

    def keys(self, *, declared: bool) -> set[Key]:
        """Return what is loaded with objects from now on; also what is now, if ``declared``."""
        return {*self._reads, *(side.key for side in self._eager if declared)}

    def is_loaded_with_objects(self, key: Key) -> bool:
        """Whether the mapping loads a relationship with each object from now on."""
        return key in self._mapped or any(side.key == key for side in self._eager)

    def loading_of(self, keys: Iterable[Key]) -> Loads:
        """Return whether a part of a statement has one of ``keys`` loaded with its objects."""
        loaded = set(keys)
        mapped = {key for key in loaded if self.is_loaded_with_objects(key)}
        loading = {
            trace.load.place
            for trace in self._traces
            if not loaded.isdisjoint(map(_key_of, trace.path))
        }
        return loading_of(self._project, mapped, loading)

    def loaded_ahead(self, qualified: str) -> list[str]:
        """Return the relationships of a class that something loads before they are read."""
        return [*self.loaded_with_objects(qualified), *self.read_by_themselves(qualified)]

    def loaded_again(
        self,
        later: Iterable[Later],
        is_behind: Callable[[Module, ast.Call], bool],
        after_writes: Iterable[Later],
    ) -> dict[Place, Anew]:
        """Return the calls that have to reload objects of the session, with the argument for that.

        ``get`` gives an object as the session has it, whatever the mapping says (SQLAlchemy,
        `Session.get`). A statement ``later``, after a commit, gives the collections of before.
        After a request of a test to another session, it gives all earlier values. Loads
        ``after_writes`` give relationships whose first read had the new rows.
        """
        added = {item.place for item in self._planned.added}
        is_held, reloads = holds_back(self._project), dict[Place, Anew]()
        loads = [*read_after_commits(self._project, later, self._mapped, added, is_behind)]
        for load in dict.fromkeys([*loads, *after_writes]):
            said = reloading(self._project, load, is_held=is_held)
            if said is not None and not self.leads_back(load.place):
                reloads[load.place] = said
        for place in sorted(self._gets):
            said = populating(self._project, place, is_held=is_held)
            if said is not None and not self.leads_back(place):
                reloads[place] = said
        self._planned = plan_loads(
            self._rule, self._project, (*self._traces, *self._unloaded_by(reloads))
        )
        return reloads

    def leads_back(self, place: Place) -> bool:
        """Whether a call that reads again resets what its first statement loaded."""
        ways_back = self._ways_back | self._returning
        return leads_back(self._project, place, self._traces, ways_back, self._mapped)

    def _unloaded_by(self, again: Iterable[Place]) -> Iterator[Trace]:
        """Yield the ways to what calls that read again unload of objects that others loaded."""
        for place in again:
            for trace in kept_loaded(self._project, place, self.loaded_ahead):
                owner, name = _key_of(trace.path[-1])
                keys = ((ancestor, name) for ancestor in self._project.orm.mapping_ancestors(owner))
                loads = {
                    item.load.place
                    for key in keys
                    if key in self._reads and key not in self._mapped | self._trees
                    for read in self._reads[key]
                    for item in read.traces
                }
                if loads - {trace.load.place}:
                    yield trace

    @cached_property
    def loaded_when_written(self) -> dict[str, list[tuple[Place, Step]]]:
        """The loads of new objects after a statement, by file, each with that statement."""
        steps = steps_when_written(self._project, self._all_reads())
        return groups_of(steps, lambda pair: pair[0].path)

    def _all_reads(self) -> list[Read]:
        return [read for each in (self._declared, *self._reads.values()) for read in each]

    def members(self) -> Iterator[Member]:
        """Yield the rewrites of the declarations, and of the statements."""
        states = Persistence(self._project)
        yield from loaded_when_written(self._project, self._rule, self._all_reads(), states)
        for key in sorted(self._mapped):
            side = self._sides[key]
            yield member(side.site, f"`{side.display_name}`", partial(self._mapping, side))
        for side in self._leading_back():
            yield member(side.site, f"`{side.display_name}`", partial(self._followed, side))
        for key in sorted(self._trees):
            side = self._sides[key]
            yield member(side.site, f"`{side.display_name}`", partial(self._tree, side))
        for key in sorted(self._recursive - self._trees):
            side = self._sides[key]
            others = [read for read in self._reads[key] if read.how != "attribute"]
            if others:
                why = Refused(READ_ELSEWHERE, side.display_name, because=(others[0].place,))
                why.answered_by(*(_LEVELS.format(self._rule, levels) for levels in (2, 1)))
                yield Member(
                    Site(self._rule, side.site.module, side.site.node), why, side.display_name
                )
        yield from self._statements()

    def _mapping(self, side: Side, _site: Site[ast.expr]) -> Rewrite:
        """Return what loads a relationship with each object. Raises Refused."""
        shown = side.display_name
        message = f"loads `{shown}` with every object, because some of its readers are unknown"
        caveats = [
            _loads_more(side),
            f"reading `{side.display_name}` after the session is closed no longer raises",
        ]
        inverse = self._inverse_of(side)
        if inverse and not all(read.is_traced for read in self._reads[side.key]):
            caveats.append(
                f"`{side.display_name}` is not loaded with objects that come from `{inverse}`"
            )
        depth = _DUMPED if side.key in self._ways_back else self._depth(side.key)
        return Rewrite(message, edits_of(self._project, side, _EAGER, depth), caveats)

    def _depth(self, key: Key) -> int:
        """Return the `join_depth` of a relationship that no statement can load where it returns.

        It counts all relationships from the object that a statement loads. 0 is for others.
        """
        if key not in self._returning:
            return 0
        reads = self._reads[key]
        longest = max(len(trace.path) for read in reads for trace in read.traces)
        is_traced = all(read.is_traced for read in reads)
        return longest if is_traced else max(longest, len({owner for owner, _ in self._mapped}))

    def _leading_back(self) -> Iterator[Side]:
        """Yield what loads with each object, but is read where it leads back to a class.

        SQLAlchemy loads it there only with a ``join_depth``.
        """
        reads = groups_of(self._declared, lambda read: (read.owner, read.attribute))
        targets: dict[Key, str] = {}
        for side in self._eager:
            target, own = side.declared.facts.target, reads.get(side.key, ())
            is_read = any(self._comes_back(trace) for read in own for trace in read.traces)
            if target and is_read and keyword_of(side.call, "join_depth") is None:
                targets[side.key] = target
        # Two that lead around would load each other again and again.
        for side in self._eager:
            if side.key in targets and not _leads_around(targets, side.key):
                yield side

    def _followed(self, side: Side, _site: Site[ast.expr]) -> Rewrite:
        """Return what loads a relationship also where it leads back. Raises Refused."""
        message = f"loads `{side.display_name}` also where it leads back to the first class"
        edits = edits_of(self._project, side, side.declared.facts.lazy or _EAGER, _DUMPED)
        return Rewrite(message, edits, [_loads_more(side)])

    def _inverse_of(self, side: Side) -> str:
        """Return the other side of a collection, if the mapping loads that as well.

        SQLAlchemy goes no further where a class comes back to itself.
        """
        owner, name = side.key
        inverse = self._project.orm.reads.inverse_of(owner, name)
        target = self._project.orm.models.target_of(owner, name)
        is_collection = self._project.orm.is_collection(owner, name)
        if inverse is None or target is None or not is_collection:
            return ""
        is_mapped = (target, inverse.attribute) in self._mapped
        return f"{target.rpartition('.')[2]}.{inverse.attribute}" if is_mapped else ""

    @cached_property
    def _ways_back(self) -> set[Key]:
        """The references by key that responses read of objects that a collection gives.

        SQLAlchemy does not follow them back to a class that it came from. By then maybe nothing
        holds the object. The collection does not go on: so each is followed, unless they alone lead
        around.
        """
        targets: dict[Key, str] = {}
        for owner, name in self._mapped:
            inverse = self._project.orm.reads.inverse_of(owner, name)
            target = self._project.orm.models.target_of(owner, name)
            is_followed = (owner, name) in self._returned or (
                inverse is not None
                and target is not None
                and (target, inverse.attribute) in self._mapped
                and self._project.orm.is_collection(target, inverse.attribute)
                and not self._project.orm.is_collection(owner, name)
                and any(read.how != "attribute" for read in self._reads[owner, name])
            )
            if is_followed and target is not None:
                targets[owner, name] = target
        return {key for key in targets if not _leads_around(targets, key)}

    def _tree(self, side: Side, site: Site[ast.expr]) -> Rewrite:
        """Return what loads a relationship of a class to itself. Raises Refused."""
        made = site.node if isinstance(site.node, ast.Call) else side.call
        name = self._project.qualified_name(site.module, made.func)
        if name not in _WITH_A_DEPTH:
            raise Refused(READ_ELSEWHERE, side.display_name)
        owner = side.key[0]
        has_parents = any(key[0] == owner and self._is_reference(key) for key in self._trees)
        is_immediate = has_parents and not self._is_reference(side.key)
        lazy = _IMMEDIATE if is_immediate else _EAGER
        edits = edits_of(self._project, side, lazy, self._levels or _DUMPED)
        caveats = [_loads_more(side)]
        deep = "as deep as it goes"
        if not self._levels and lazy == _EAGER:
            caveats.append(
                f"rows that `{side.display_name}` leads back to take {_DUMPED} statements"
            )
        if self._levels:
            deep = f"up to {self._levels} relationships from the first object of a statement"
            caveats.append(f"reading `{side.display_name}` of an object further away raises")
        return Rewrite(f"loads `{side.display_name}` with every object, {deep}", edits, caveats)

    def _statements(self) -> Iterator[Member]:
        by_site = groups_of(self._planned.edits, lambda edit: edit.site)
        for added in self._planned.added:
            module = self._project.module(added.place.path)
            node = None if module is None else node_at(module, added.place)
            if module is None or node is None:
                continue
            site = Site(self._rule, module, node)
            edits = by_site.pop(site.id, [])
            if edits:
                yield Member(site, Rewrite(f"`{added.text}` is added", edits), added.text)


def _key_of(step: str) -> Key:
    """Return the class and the name of the relationship that a step of a path reads."""
    owner, _, name = step.rpartition(".")
    return owner, name


def _loads_more(side: Side) -> str:
    owner = side.display_name.rpartition(".")[0]
    return f"a statement that selects `{owner}` loads more than before"


def _leads_around(targets: Mapping[Key, str], key: Key) -> bool:
    """Whether relationships lead from the target of one of them to the class that has it."""
    return key[0] in reachable(
        [targets[key]],
        lambda owner: [target for each, target in targets.items() if each[0] == owner],
    )
