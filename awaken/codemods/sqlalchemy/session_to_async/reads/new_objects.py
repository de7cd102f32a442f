"""New objects: their relationships are loaded when they are written, for reading them cannot."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import (
    Step,
    below_headers,
    loaded_as_read,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    ADDING,
    calls_given,
    kind_of,
    object_at,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence, Reload
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.expressions.alternatives import whole_alternative
from awaken.project.source.expressions.expression_uses import targets_of, variable_for
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of, last_name
from awaken.project.values.domain import Values

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.kinds.declared_relationships import Inverse
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read


_ELSEWHERE = -1
_WRITING = name_list("writing_methods")
_OF_SESSIONS = {"add", "add_all", "delete", "expire", "refresh"}


class _New(NamedTuple):
    """An object that a function makes, and the variable that holds it.

    ``steps`` are what is read of its related objects. Those that are ``returning`` read a
    collection that has the object itself. If it ``is_many``, the variable is a list of the object
    and others of its class. The object has one of ``values``.
    """

    module: Module
    function: Function
    made: ast.Call
    name: str
    steps: tuple[Step, ...] = ()
    returning: frozenset[Step] = frozenset()
    is_many: bool = False
    values: Values = ()


class _Load(NamedTuple):
    """The load of ``attributes`` of a new object after a statement, which is or has a call."""

    new: _New
    written: ast.Call
    statement: ast.stmt
    session: str
    attributes: list[str]


def written_behind(project: Project, module: Module, made: ast.Call) -> int:
    """Return the offset after which relationships of a new object are loaded, or 0.

    That is after the first commit or flush of the block that makes it, or the list of it.
    """

    def end() -> int:
        for new in (_made_by(module, made), _list_of(project, module, made)):
            for written in _writing(project, new) if new is not None else ():
                return module.span(written).end
        return 0

    return module.memoize((written_behind, made), end)


def loaded_when_written(
    project: Project, rule: str, reads: Iterable[Read], states: Persistence
) -> Iterator[Member]:
    """Yield the commits and flushes after which new objects are refreshed, for ``reads`` of them.

    An object that the function refreshes itself, and an attribute that it was given when it was
    made, need nothing.
    """
    for load in _loads(project, reads):
        yield _refreshed_member(rule, load, states)


def steps_when_written(project: Project, reads: Iterable[Read]) -> Iterator[tuple[Place, Step]]:
    """Yield the same loads as reads, each with the statement in front of it."""
    for load in _loads(project, reads):
        new, place = load.new, load.new.module.place(load.statement)
        for name in load.attributes:
            yield place, Step(new.name, name, (), is_many=new.is_many)
            if not new.is_many:
                yield from (
                    (place, step) for step in new.steps if step.text == f"{new.name}.{name}"
                )


def _loads(project: Project, reads: Iterable[Read]) -> Iterator[_Load]:
    needed: defaultdict[Place, dict[str, list[Read]]] = defaultdict(lambda: defaultdict(list))
    followed: defaultdict[Place, set[tuple[str, ...]]] = defaultdict(set)
    for read in reads:
        for trace in read.traces:
            if trace.load.kind != "new":
                continue
            if len(trace.path) > 1:
                followed[trace.load.place].add(trace.path[:2])
            elif read.attribute not in trace.load.sets:
                needed[trace.load.place][read.attribute].append(read)
    for made in sorted(needed):
        for module, call in project.calls_at(made)[:1]:
            new = _made_by(module, call)
            if new is not None:
                ways = {path: _way_back(project, path) for path in sorted(followed[made])}
                # A reference by key leads to the new object, which its variable holds.
                steps = {
                    _step(project, new.name, path): back is not None
                    for path, back in ways.items()
                    if back is None or not back.by_key
                }
                returning = frozenset(step for step, returns in steps.items() if returns)
                _, values = object_at(project, module, call)
                new = new._replace(steps=tuple(steps), returning=returning, values=values)
                yield from _loads_of(project, new, needed[made])
    for several, reads_of in _lists(project, needed):
        yield from _loads_of(project, several, reads_of)


def _lists(
    project: Project, needed: Mapping[Place, dict[str, list[Read]]]
) -> Iterable[tuple[_New, dict[str, list[Read]]]]:
    """Return the lists that hold new objects, each with the reads of all its objects."""
    lists: dict[tuple[str, int, str], tuple[_New, dict[str, list[Read]]]] = {}
    for made in sorted(needed):
        for module, call in project.calls_at(made)[:1]:
            if (several := _list_of(project, module, call)) is not None:
                key = (*module.key_of(several.function), several.name)
                _, reads_of = lists.setdefault(key, (several, {}))
                for attribute, reads in needed[made].items():
                    reads_of.setdefault(attribute, []).extend(reads)
    return lists.values()


def _made_by(module: Module, made: ast.Call) -> _New | None:
    variable = variable_for(module, whole_alternative(module, made))
    function = module.enclosing_function(made)
    if variable is None or not isinstance(function, Function):
        return None
    return _New(module, function, made, variable.id)


def _list_of(project: Project, module: Module, made: ast.Call) -> _New | None:
    """Return the list of its function that a new object is put into, with others of its class."""
    function, variable = module.enclosing_function(made), variable_for(module, made)
    if not isinstance(function, Function):
        return None
    for item in (made, *(module.scopes.reads_of(variable) if variable is not None else ())):
        match module.parent(item):
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="append")):
                kept: ast.Name | None = owner
            case ast.List() | ast.ListComp() as display:
                kept = variable_for(module, display)
            case _:
                continue
        bindings = module.scopes.bindings_of(kept)
        if kept is None or [binding.scope.node for binding in bindings] != [function]:
            continue
        reads = module.scopes.reads_of(kept)
        kinds = {kind_of(project, project.values.of(module, each).alternatives) for each in reads}
        classes = project.values.items_of(module, reads[0]).instance_of if reads else ()
        if kinds == {"many"} and len(classes) == 1:
            return _New(module, function, made, kept.id, is_many=True)
    return None


def _step(project: Project, name: str, path: tuple[str, ...]) -> Step:
    """Return the read of a relationship of related objects, of those of the object ``name``."""
    owner, _, attribute = path[0].rpartition(".")
    is_many = project.orm.is_collection(owner, attribute) is True
    return Step(f"{name}.{attribute}", path[1].rpartition(".")[2], (), is_many=is_many)


def _way_back(project: Project, path: tuple[str, ...]) -> Inverse | None:
    """Return the second relationship of a path if it is the other side of the first one."""
    owner, _, attribute = path[0].rpartition(".")
    inverse = project.orm.reads.inverse_of(owner, attribute)
    is_back = inverse is not None and inverse.attribute == path[1].rpartition(".")[2]
    return inverse if is_back else None


def _loading_lines(
    site: Site[ast.AST], new: _New, session: str, attributes: list[str], states: Persistence
) -> tuple[str, list[Edit]]:
    """Return the lines that load ``attributes`` again, and what is read further of them.

    A refresh loads nothing more of related objects that are in memory (SQLAlchemy,
    ``loading._instance``); reading them does. A commit expired their collections.
    """
    is_commit = isinstance(site.node, ast.Call) and last_name(site.node.func) == "commit"
    is_part = states.reload_of(new.values, attributes).is_part
    texts = {f"{new.name}.{attribute}" for attribute in attributes}
    steps = [
        step._replace(part=step.text if is_part else "") for step in new.steps if step.text in texts
    ]
    if not is_commit:
        # A flush expires no relationship. Reading loads what is not there.
        parts = {name: f"{new.name}.{name}" if is_part else "" for name in attributes}
        own = [Step(new.name, name, (), part=part) for name, part in parts.items()]
        return loaded_as_read(session, [*own, *steps]), []
    code, imports = states.refresh_code(site, session, new.name, attributes, Reload(is_part))
    for step in sorted(step for step in new.returning if step.text in texts):
        item = site.module.fresh_local(site.node, "item", "entry", taken={new.name})
        part = item if step.is_many else step.text
        header = f"for {item} in {step.text}" if step.is_many else f"if {step.text} is not None"
        code += below_headers(f'{session}.expire({part}, ["{step.name}"])\n', header)
    return code + loaded_as_read(session, steps) if steps else code, imports


def _loads_of(project: Project, new: _New, needed: dict[str, list[Read]]) -> Iterator[_Load]:
    module, writing = new.module, list(_writing(project, new))
    needing = {
        attribute: {at for read in reads for at in _needing(project, new, read.place)}
        for attribute, reads in sorted(needed.items())
    }
    for number, written in enumerate(writing):
        statement, attributes = module.statement_of(written), _needed(new, writing, number, needing)
        session = _session(project, new, written)
        if attributes and statement is not None and session:
            yield _Load(new, written, statement, session, attributes)


def _refreshed_member(rule: str, load: _Load, states: Persistence) -> Member:
    new, written, statement, session, attributes = load
    module, name = new.module, new.name
    site: Site[ast.AST] = Site(rule, module, written)
    item = module.fresh_local(written, "item", "entry") if new.is_many else name
    code, needed_names = _loading_lines(site, new._replace(name=item), session, attributes, states)
    is_added = is_surely_added(module, name, statement) or (new.is_many and _is_each_added(new))
    code, imports = states.guarded(site, written, item, code, certain=is_added)
    if new.is_many:
        code = below_headers(code, f"for {item} in {name}")
    edits = [site.insert_statements(module.place(statement), "after", code), *imports]
    edits += needed_names
    shown = ", ".join(f"`{name}.{attribute}`" for attribute in attributes)
    method = last_name(written.func)
    after = f"the {method}" if method in _WRITING else f"`{module.excerpt(written)}`"
    return Member(site, Rewrite(f"loads {shown} after {after}", edits), name)


def _needed(
    new: _New, writing: list[ast.Call], number: int, needing: Mapping[str, Collection[int]]
) -> list[str]:
    """Return what is read of a new object after the call that writes it and before the next one.

    Reads elsewhere are needed after the last commit, or after the last flush without one.
    Relationships that the function refreshes itself before are left out.
    """
    start = new.module.span(writing[number]).end
    behind = writing[number + 1 :]
    end = new.module.span(behind[0]).start if behind else new.module.span(new.function).end
    commits = [call for call in writing if last_name(call.func) == "commit"]
    is_last = writing[number] is (commits or writing)[-1]
    return [
        attribute
        for attribute, places in needing.items()
        for at in [min((one for one in places if start < one < end), default=0)]
        if (at or (is_last and _ELSEWHERE in places)) and not _is_refreshed(new, start, at or end)
        if last_name(writing[number].func) != "flush" or not _is_set(new, writing[0], attribute)
    ]


def _is_set(new: _New, written: ast.Call, attribute: str) -> bool:
    """Whether the block of a new object sets an attribute of it before a call writes it.

    A flush leaves that as it is. Further reads of the related objects need their loads.
    """
    module, made, text = new.module, new.module.statement_of(new.made), f"{new.name}.{attribute}"
    if made is None or new.is_many or any(step.text == text for step in new.steps):
        return False
    start, end = module.span(made).end, module.span(written).start
    return any(
        start < module.span(statement).start and module.span(statement).end <= end
        for statement in module.block_of(made)
        for target in targets_of(statement)
        if isinstance(target, ast.Attribute) and module.text_of(target) == text
    )


def _needing(project: Project, new: _New, read: Place) -> Iterator[int]:
    """Yield the offsets in the function at which a new object is read, as by what it calls."""
    if _is_inside(new, read):
        yield read.span.start
        return
    graph, module = project.calls.graph(), project.module(read.path)
    nodes = [] if module is None else [*module.expressions_at({read.span})]
    reading = [graph.place_of(module, function_around(module, one)) for one in nodes if module]
    reaching = {*graph.reaching(reading)}
    given: list[ast.expr] = [
        call
        for one in graph.callees(graph.place_of(new.module, new.function))
        if reaching & {*one.functions}
        for call in new.module.calls_at(one.place.span)
        if any(new.name == each.id for each in ast.walk(call) if isinstance(each, ast.Name))
    ]
    # A property is no call: its name is read of the object.
    names = {place.qualname for place in reaching}
    lines = project.orm.mapping_ancestors(project.qualified_name(new.module, new.made.func) or "")
    given += [
        node
        for node in new.module.walk(new.function)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == new.name
        and any(f"{line.rpartition('.')[2]}.{node.attr}" in names for line in lines)
    ]
    yield from (new.module.span(node).start for node in given)
    if not given or _goes_elsewhere(new, given):
        yield _ELSEWHERE


def _goes_elsewhere(new: _New, given: Collection[ast.expr]) -> bool:
    """Whether anything but the calls that are ``given`` a new object, and its session, gets it."""
    known = {node for call in given for node in ast.walk(call)}
    for node in new.module.walk(new.function):
        is_read = isinstance(node, ast.Name) and node.id == new.name and node not in known
        if not is_read or isinstance(new.module.parent(node), ast.Attribute):
            continue
        call = new.module.call_taking(node)
        is_given = call is not None and last_name(call.func) in _OF_SESSIONS
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not is_given:
            return True
    return False


def _is_inside(new: _New, place: Place) -> bool:
    span = new.module.span(new.function)
    return place.path == new.module.path and span.contains(place.span)


def _writing(project: Project, new: _New) -> Iterator[ast.Call]:
    """Yield the commits after which a new object may exist, and the flushes that write it.

    They are statements of the block that makes it. A function that gets the object and its
    session may flush as well. After a commit of such a function, other code loads.
    """
    module, statement = new.module, new.module.statement_of(new.made)
    block = [] if statement is None else module.block_of(statement)
    if new.is_many:
        # It may be made in a loop that ends before.
        block, made = new.function.body, module.span(new.made)
        statement = next((each for each in block if module.span(each).contains(made)), None)
    for node in block[block.index(statement) + 1 :] if statement in block else ():
        match node:
            case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                if _writes(project, new, call):
                    yield call


def _writes(project: Project, new: _New, call: ast.Call) -> bool:
    """Whether a commit, a flush, or a call that is given a new object, may write that object."""
    method = last_name(call.func)
    if method in _WRITING:
        return (method == "commit" or _is_added(new, call)) and bool(_session(project, new, call))
    # Of most calls their arguments tell.
    is_given = any(calls_given(new.module, call, new.name, {method}))
    return is_given and bool(_session(project, new, call)) and _flushes(project, new, call)


def _session(project: Project, new: _New, call: ast.Call) -> str:
    """Return the session of a commit or a flush, or the one that another call is given.

    The receiver of a call may have that of the function around it.
    """
    module = new.module
    match call.func:
        case ast.Attribute(value=owner, attr="commit" | "flush"):
            return module.text_of(owner) if project.orm.session_of(module, owner) else ""
        case ast.Attribute(attr=method) if method in _OF_SESSIONS:
            return ""
    # An argument of unknown type may be a session, and no proof says so: `save(order)`.
    proofs = ((each, project.orm.session_of(module, each)) for each in arguments_of(call))
    proved = (module.text_of(each) for each, proof in proofs if isinstance(proof, SessionProof))
    return next(proved, "") or project.orm.operations.session_variable(module, new.function)


def _flushes(project: Project, new: _New, call: ast.Call) -> bool:
    """Whether the functions that a call runs flush, and do not commit."""
    graph = project.calls.graph()
    homes = map(project.calls.definition_of, graph.reachable(graph.run_by(new.module, call)))
    methods = {
        last_name(part.func)
        for home in homes
        if home is not None
        for part in own_nodes(what_runs(home[1]))
        if isinstance(part, ast.Call)
    }
    return "flush" in methods and "commit" not in methods


def _is_added(new: _New, flush: ast.Call) -> bool:
    """Whether a session is given a new object in front of a flush, by its name."""
    module = new.module
    start, end = module.span(new.made).end, module.span(flush).start
    calls = calls_given(module, new.function, new.name, ADDING)
    return any(start < module.span(call).start < end for call in calls)


def _is_each_added(new: _New) -> bool:
    """Whether the block that makes an object adds it to a session, and the list has no others."""
    module, variable = new.module, variable_for(new.module, new.made)
    made = module.statement_of(new.made)
    if variable is None or made is None:
        return False
    bindings = module.scopes.scope_made_by(new.function).bindings_of(new.name)
    is_empty = [isinstance(item.value, ast.List) and not item.value.elts for item in bindings]
    growing = [
        above
        for above in module.nodes_below(new.function, ast.Attribute)
        if last_name(above.value) == new.name and above.attr in library_names().growing_methods
    ]
    last = module.block_of(made)[-1]
    return is_empty == [True] and len(growing) == 1 and is_surely_added(module, variable.id, last)


def is_surely_added(module: Module, name: str, written: ast.stmt) -> bool:
    """Whether a statement of the block of ``written`` gives an object to a session before that."""
    block = module.block_of(written)
    return any(
        call is getattr(statement, "value", None)
        for statement in block[: block.index(written)]
        for call in calls_given(module, statement, name, ADDING)
    )


def _is_refreshed(new: _New, start: int, end: int) -> bool:
    """Whether the function refreshes its new object between two bytes."""
    calls = calls_given(new.module, new.function, new.name, {"refresh"})
    return any(
        start < new.module.span(call).start < end and getattr(call.args[0], "id", "") == new.name
        for call in calls
        if call.args
    )
