"""Plans the loads for the reads of a program, statement by statement."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.contract import Edit, Place
from awaken.contract.rewriter_input import LoadOptions
from awaken.kit.eager_loads.gets_by_key import GETS_BY_KEY, GetByKey, get_by_key
from awaken.kit.eager_loads.levels import Level, Loads
from awaken.kit.eager_loads.loader_options import Given, NamesHere, Option, given_at, written_code
from awaken.kit.eager_loads.loading_statements import (
    GETS,
    Entity,
    Statement,
    entity_at,
    node_at,
    statement_of,
)
from awaken.kit.eager_loads.planned_loads import AddedLoad, PlannedLoads
from awaken.kit.eager_loads.reasons import (
    CRITERIA,
    KEPT_OPTIONS,
    NO_KEY,
    NOT_STATEMENT,
    UNKNOWN_ENTITY,
)
from awaken.kit.eager_loads.refreshes import plan_refreshes
from awaken.kit.names_here import is_dotted
from awaken.kit.payloads import LOAD_OPTIONS
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Trace
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project

_BEGINS = frozenset({"query", "select"})


def plan_loads(
    rule: str, project: Project, traces: Sequence[Trace], *, selects: bool = False
) -> PlannedLoads:
    """Return the edits that load the reads at the end of ``traces``, and the result for each.

    All loads of one statement have to be planned at once: the edits of two plans for the same
    statement do not fit together. Options come in the order of ``traces``. With ``selects``, each
    ``session.get()`` becomes a ``select()``, which loads for objects in the session as well. So
    does a refresh of relationships of relationships.
    """
    by_place: dict[Place, dict[Trace, None]] = {}
    for item in traces:
        by_place.setdefault(item.load.place, {})[item] = None
    planned = [
        _plan(Site(rule, module, node), project, list(group), selects=selects)
        if (module := project.module(place.path)) and (node := node_at(module, place))
        else _all_refused(group, Refused(NOT_STATEMENT, place.path))
        for place, group in by_place.items()
    ]
    return PlannedLoads.union(planned)


def _plan(
    site: Site[ast.expr], project: Project, traces: Sequence[Trace], *, selects: bool
) -> PlannedLoads:
    """Plan the loads at one place."""
    try:
        if any(trace.load.kind in {"new", "reload"} for trace in traces):
            return plan_refreshes(project, site, traces, selects=selects)
        return _Loading(project, site, traces, selects=selects).plan()
    except Refused as refused:
        return _all_refused(traces, refused)


def _all_refused(traces: Iterable[Trace], refused: Refused) -> PlannedLoads:
    return PlannedLoads((), (), frozenset(), dict.fromkeys(traces, refused))


class _Found(Struct):
    """The reads so far: those served by an addition, by its code."""

    added: dict[str, list[Trace]] = field(default_factory=dict)
    present: list[Trace] = field(default_factory=list)
    refused: dict[Trace, Refused] = field(default_factory=dict)


class _Loading:
    """The loads at one statement, or at one call like ``session.get()``."""

    def __init__(
        self, project: Project, site: Site[ast.expr], traces: Sequence[Trace], *, selects: bool
    ) -> None:
        self._project = project
        self._site = site
        self._traces = traces
        self._statement = self._read()
        self._get = self._get_by_key() if selects else None
        # The options of each entity: existing ones and more.
        self._options: dict[str, list[Option]] = {}
        entities = self._statement.entities
        beside = entities[0].node if entities else site.node
        self._names = NamesHere(project, site, beside)

    def plan(self) -> PlannedLoads:
        """Return the decision on the reads; raises Refused where none can be served."""
        statement, result = self._statement, _Found()
        elsewhere = _options_elsewhere(self._project, statement)
        is_select = self._traces[0].load.kind == "select"
        loads = Loads(self._project, self._names, statement.separate, is_select, elsewhere)
        for trace in self._traces:
            try:
                self._serve(trace, loads, result)
            except Refused as refused:
                result.refused[trace] = refused
        edits = self._edits() if result.added else []
        place = self._site.place
        return PlannedLoads(
            (*edits, *self._names.edits) if edits else (),
            tuple(AddedLoad(place, text, tuple(served)) for text, served in result.added.items()),
            frozenset(result.present),
            result.refused,
        )

    def _serve(self, trace: Trace, loads: Loads, found: _Found) -> None:
        entity = self._entity(trace)
        own = self._options.get(entity.text)
        if own is None:
            own = self._options[entity.text] = [
                *self._options_about(
                    entity, (item for item in self._statement.given if item.is_plain)
                )
            ]
        fixed = [*self._options_about(entity, self._fixed_arguments(trace))]
        top = Level(entity.qualified, own, fixed, entity.text, entity.aliased)
        served = loads.serve(top, trace.path)
        if served.is_new or self._get is not None:
            found.added.setdefault(served.text, []).append(trace)
        else:
            found.present.append(trace)

    # --------------------------------------------------------------------------- what is there
    def _read(self) -> Statement:
        node, module = self._site.node, self._site.module
        is_get = isinstance(node, ast.Call) and last_name(node.func) in GETS
        kinds = {trace.load.kind for trace in self._traces}
        if not is_get and not isinstance(node, ast.Attribute) and not kinds & {"query", "select"}:
            raise Refused(NOT_STATEMENT, module.excerpt(node))
        statement = statement_of(self._project, module, node)
        if is_get:
            statement.given = [*_of_argument(self._project, statement)]
            statement.separate = False
        for given in statement.given:
            _check_options(given)
        return statement

    def _get_by_key(self) -> GetByKey | None:
        """Return the ``session.get()`` that becomes a ``select()``. Raises Refused."""
        node, module = self._site.node, self._site.module
        if isinstance(node, ast.Call) and last_name(node.func) in GETS_BY_KEY:
            return get_by_key(self._project, module, node, self._statement.entities)
        for call in self._statement.calls:
            if last_name(call.func) in GETS_BY_KEY:
                raise Refused(NO_KEY, module.excerpt(call))
        return None

    def _fixed_arguments(self, trace: Trace) -> Iterator[Given]:
        """Yield the options that a way to a read has, but that stay as written."""
        statement, here = self._statement, set[Place]()
        for given in statement.given:
            here.add(given.module.place(given.node))
            if not given.is_plain:
                yield given
        for place in trace.load.options:
            if place in here:
                continue
            module, node = next(self._project.expressions_at(place), (None, None))
            if module is None or node is None:
                raise Refused(KEPT_OPTIONS, place.path, because=(place,))
            there = given_at(self._project, module, node)
            _check_options(there, place)
            yield there

    def _options_about(self, entity: Entity, given: Iterable[Given]) -> Iterator[Option]:
        """Yield the options that are about an entity, or may be."""
        for place in given:
            reader = ModuleReader(self._project, place.module)
            for option in place.options or ():
                other = None if option.owner is None else entity_at(reader, option.owner)
                if other is None or self._is_same(entity, other):
                    yield option

    def _is_same(self, entity: Entity, other: Entity) -> bool:
        if entity.aliased or other.aliased:
            return entity.text == other.text
        below = self._project.all_subclasses
        return (
            entity.qualified == other.qualified
            or entity.qualified in below(other.qualified)
            or other.qualified in below(entity.qualified)
        )

    def _entity(self, trace: Trace) -> Entity:
        """Return what the statement loads at the beginning of a way to a read."""
        qualified = trace.path[0].rpartition(".")[0]
        node = self._site.node
        if isinstance(node, ast.Call) and last_name(node.func) == "merge":
            return Entity(qualified, node, self._names.class_of(qualified))
        entities = self._statement.entities
        result = [entity for entity in entities if entity.qualified == qualified] or [
            item for item in entities if qualified in self._project.all_subclasses(item.qualified)
        ]
        if len({entity.text for entity in result}) != 1 or not is_dotted(result[0].node):
            raise Refused(UNKNOWN_ENTITY, self._site.module.excerpt(node))
        return result[0]

    # ------------------------------------------------------------------------------------ edits
    def _edits(self) -> list[Edit]:
        new = [option for own in self._options.values() for option in own if option.new]
        added = [written_code(option, self._names.function) for option in new]
        changed = [
            (given, written_code(given.options[0], self._names.function))
            for given in self._statement.given
            if given.is_plain and given.options and given.options[0].is_changed
        ]
        node, site = self._site.node, self._site
        if self._get is not None:
            return [*self._get.edits(site, self._names, changed, added)]
        if isinstance(node, ast.Call) and last_name(node.func) in GETS:
            return [*_argument_edits(site, node, changed, added)]
        calls, given_by = self._statement.calls, self._statement.options_calls
        at = None if not given_by else calls.index(given_by[0])
        places = {
            argument: (calls.index(call), position)
            for call in given_by
            for position, argument in enumerate(call.args)
        }
        data = LoadOptions(
            len(calls),
            at,
            tuple((*places[given.node], text) for given, text in changed),
            tuple(added),
        )
        return [site.rewrite(self._statement.whole, LOAD_OPTIONS, data)]


def _check_options(given: Given, *because: Place) -> None:
    """Raise Refused unless the options in ``given`` are known and leave loads as they are."""
    shown = given.module.excerpt(given.node)
    if given.options is None:
        raise Refused(KEPT_OPTIONS, shown, because=because)
    if any(node.is_of_statement for option in given.options for node in option.walk()):
        raise Refused(CRITERIA, shown, because=because)


def _of_argument(project: Project, statement: Statement) -> Iterator[Given]:
    """Yield the options that a call like ``session.get()`` is given."""
    call = statement.begin
    for keyword in call.keywords if isinstance(call, ast.Call) else ():
        match keyword:
            case ast.keyword(arg="options", value=ast.List(elts=given)):
                yield from (given_at(project, statement.module, each) for each in given)
            case ast.keyword(arg="options" | None, value=value):
                yield Given(statement.module, value, None)


def _argument_edits(
    site: Site[ast.expr], call: ast.Call, changed: Iterable[tuple[Given, str]], added: Sequence[str]
) -> Iterator[Edit]:
    """Yield the edits of the argument ``options`` of a call."""
    for given, text in changed:
        yield site.replace(given.node, text)
    lists = [keyword.value for keyword in call.keywords if keyword.arg == "options"]
    code = ", ".join(added)
    if not lists:
        yield site.add_keyword(call, "options", f"[{code}]")
    elif added and isinstance(lists[0], ast.List) and lists[0].elts:
        yield site.insert_behind(lists[0].elts[-1], f", {code}")
    elif added:
        yield site.replace(lists[0], f"[{code}]")


def _options_elsewhere(project: Project, statement: Statement) -> list[Option]:
    """Return the options that may be put on the statement where others go on with it."""
    if statement.leaves:
        modules = modules_with(project, [b".options("])
        return [
            option
            for module in modules
            for option in _other_options(project, module, None, statement)
        ]
    if statement.around is None:
        return []
    return list(_other_options(project, statement.module, statement.around, statement))


def _other_options(
    project: Project, module: Module, around: ast.AST | None, statement: Statement
) -> Iterator[Option]:
    for node in module.walk(around):
        if not isinstance(node, ast.Call) or last_name(node.func) != "options":
            continue
        if node in statement.calls or _begins_itself(node):
            continue
        for options in node.args:
            for option in given_at(project, module, options).options or ():
                yield from option.walk()


def _begins_itself(call: ast.Call) -> bool:
    """Whether the statement that is given options begins in the same expression."""
    node: ast.expr = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _BEGINS:
            return True
        node = node.func.value
    # A variable may be called `query`.
    begin = node.func if isinstance(node, ast.Call) else node
    return last_name(begin) in _BEGINS and not isinstance(node, ast.Name)
