"""Parts of an object that is refreshed: the object forgets them first.

A refresh expires the parts that are loaded (``cascade="all"``), deleted ones too. It loads their
columns, and nothing more of what it expired, whatever the mapping says (SQLAlchemy,
``loading._instance``: ``invoke_all_eagers``). Parts that are not loaded it loads with all of that.

A refresh of an object of a joined subclass may leave what its base has unloaded: that is read.

A refresh expires the object first, and then writes pending changes. That may load the object:
so the refresh keeps the collections of before (SQLAlchemy, ``ImmediateLoader``). The changes of
parts that it expires are lost. So they are written first.

A refresh repeats the options of the first load. A session gives the object that it has. A later
statement loads what its options name. But the
object keeps the options that it came with (SQLAlchemy, ``loading._instance``: ``load_options``).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step, loaded_as_read
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import ReadOf
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import dominates, mapped_in
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import (
    classes_given,
    loaded_by_options,
)
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.injection import injection
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import InstanceOf, origins_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
    from awaken.project.names.functions.injections import Provider

_WHY = "# The refresh loads what is expired with its own relationships.\n"
_FLUSHING = name_list("writing_methods")
_SETTING = (b"AsDataclass", b"as_dataclass", b'"init"', b"'init'")
"""What gives a new object values that no argument of its class gives it."""
_CASCADES = ("all", "refresh-expire")


class _Refresh(NamedTuple):
    """A refresh, the ``names`` of parts that are forgotten, and what it may leave ``unloaded``.

    ``flushes`` says that pending changes are written before it. It may leave the relationships
    ``left``, whose options its object does not have.
    """

    module: Module
    statement: ast.Expr
    call: ast.Call
    names: list[str]
    unloaded: list[str]
    flushes: bool
    left: list[str]


class RefreshedParts:
    """The statements around ``session.refresh(order)`` in one program.

    ``loading`` tells which relationships are loaded with each object from now on.
    """

    def __init__(self, rule: str, loading: Loading, writes: Writes) -> None:
        project = self._project = writes.project
        self._first = FirstLoads(writes, loading)
        self._writes = writes
        self._rule = rule
        self._loaded = loading.loaded_with_objects
        self._states = Persistence(project)
        self._places = frozenset(each.module.place(each.statement) for each in self._all())

    def places(self) -> frozenset[Place]:
        """Return the refreshes around which something is written."""
        return self._places

    def members(self) -> Iterator[Member]:
        """Yield what is written before and after them."""
        for module, statement, call, names, unloaded, flushes, left in self._all():
            site: Site[ast.AST] = Site(self._rule, module, call)
            text, session = module.text_of(call.args[0]), _session_of(module, call)
            listed, edits = ", ".join(f'"{name}"' for name in names), list[Edit]()
            message = f"loads what the refresh of `{text}` may leave"
            place = module.place(statement)
            if flushes:
                message = f"writes what is pending before the refresh of `{text}` expires it"
                code = f"await {session}.flush()\n"
                edits.append(site.insert_statements(place, "before", code))
            if names:
                message = f"reloads the relationships of objects that belong to `{text}`"
                code = f"{_WHY}{session}.expire({text}, [{listed}])\n"
                edits.append(site.insert_statements(place, "before", code))
            if left:
                values = self._project.values.of(module, call.args[0]).alternatives
                reload = self._states.reload_of(values, left)
                code, imports = self._states.refresh_code(site, session, text, left, reload)
                edits += [site.insert_statements(place, "after", code), *imports]
            if unloaded:
                code = loaded_as_read(session, [Step(text, name, ()) for name in unloaded])
                edits.append(site.insert_statements(place, "after", code))
            yield Member(site, Rewrite(message, edits), f"`{text}`")

    # -------------------------------------------------------------------------------- refreshes
    def _all(self) -> Iterator[_Refresh]:
        for module, node in nodes_with(self._project, (b".refresh(",), ast.Expr):
            match node:
                case ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(value=owner, attr="refresh"),
                        args=[ast.Name() | ast.Attribute() as given],
                        keywords=[],
                    ) as call
                ) if self._project.orm.resource_of(module, owner) in BLOCKING_SESSIONS:
                    owners, loaded = self._loaded_of(module, given)
                    changed = self._changed_before(module, node, owners, loaded)
                    # Changes of the object itself are lost by the refresh.
                    is_kept = bool(changed) and (
                        self._states.holds_back or self._is_set_before(module, node, given)
                    )
                    names = [
                        name
                        for name in loaded
                        if (is_kept and name in changed)
                        or any(self._leads_to_parts(owner, name) for owner in owners)
                    ]
                    is_made = self._is_made(module, given)
                    is_stale = self._states.may_stay_unloaded(owners) and not is_made
                    left = [] if is_made else self._first.left_by_refresh(module, call, given)
                    is_written = bool(changed or names or is_stale or left)
                    if is_written and not self._is_new(module, node, given):
                        unloaded = [*self._columns_of(owners), *loaded] if is_stale else []
                        flushes = bool(changed) and not is_kept
                        yield _Refresh(module, node, call, names, unloaded, flushes, left)

    def _loaded_of(self, module: Module, given: ast.expr) -> tuple[list[str], list[str]]:
        """Return the classes of an object, and the relationships that they all load with it."""
        values = self._project.values.of(module, given).alternatives
        owners = [value.qualified for value in values if isinstance(value, InstanceOf)]
        return owners, _in_all([set(self._loaded(owner)) for owner in owners])

    def _changed_before(
        self, module: Module, refresh: ast.Expr, owners: Iterable[str], loaded: Iterable[str]
    ) -> set[str]:
        """Return the relationships, or those to parts, that pending changes are about."""
        pairs = [(owner, name) for owner in owners for name in loaded]
        start, end = self._pending_span(module, refresh) if pairs else (0, 0)
        written = [x for x in self._writes.in_file(module.path) if start <= x.span.start < end]
        changed = {
            name
            for owner, name in pairs
            if any(self._writes.changes(place, owner, name) for place in written)
        }
        parts = {
            (facts.target, name)
            for owner, name in pairs
            if (facts := self._project.orm.models.relationship(owner, name)) is not None
            if facts.target is not None and self._is_cascading(facts)
        }
        # A collection of parts that is expired loses what it got, before as well.
        kept = set(loaded) - {name for _, name in parts}
        changed |= kept.intersection(self._grown_names(module, refresh, start, end))
        for node in self._set_attributes(module, refresh, start, end) if parts else ():
            held = self._project.values.of(module, node.value).instance_of
            changed |= {
                name
                for target, name in parts
                if any(self._writes.is_kin(each, target) for each in held)
            }
        return changed

    def _is_set_before(self, module: Module, refresh: ast.Expr, given: ast.expr) -> bool:
        """Whether an attribute of the object is set, and not written before the refresh."""
        nodes = self._set_attributes(module, refresh, *self._pending_span(module, refresh))
        return any(module.text_of(node.value) == module.text_of(given) for node in nodes)

    def _pending_span(self, module: Module, refresh: ast.Expr) -> tuple[int, int]:
        """Return from where on a function may have changes that are pending at a refresh."""
        end, around = module.span(refresh).start, module.enclosing_def(refresh)
        flushed = [
            module.span(call).end
            for call in (module.nodes_below(around, ast.Call) if around is not None else ())
            if last_name(call.func) in _FLUSHING and module.span(call).start < end
            if (statement := module.statement_of(call)) is not None
            if dominates(module, statement, refresh)
        ]
        begin = module.span(around or module.tree).start
        return max([begin, *flushed]), end

    def _grown_names(
        self, module: Module, refresh: ast.Expr, start: int, end: int
    ) -> Iterator[str]:
        """Yield the attributes whose values a function changes between two of its bytes."""
        around = module.enclosing_def(refresh)
        for node in module.nodes_below(around, ast.Attribute) if around is not None else ():
            if node.attr in library_names().changing_methods and start <= module.span(node).start:
                held = node.value
                if isinstance(held, ast.Attribute) and module.span(node).start < end:
                    yield held.attr

    def _set_attributes(
        self, module: Module, refresh: ast.Expr, start: int, end: int
    ) -> Iterator[ast.Attribute]:
        """Yield the attributes that a function sets between two of its bytes."""
        around = module.enclosing_def(refresh)
        for node in module.nodes_below(around, ast.Attribute) if around is not None else ():
            if isinstance(node.ctx, ast.Store) and start <= module.span(node).start < end:
                yield node

    def _columns_of(self, owners: Iterable[str]) -> list[str]:
        """Return the columns that all mapped classes have, without primary keys."""
        mapped = filter(None, map(self._project.orm.mapped_class, owners))
        return _in_all(
            [
                {name for name, facts in each.columns.items() if not facts.primary_key}
                for each in mapped
            ]
        )

    def _is_made(self, module: Module, instance: ast.expr) -> bool:
        """Whether a function makes the object of a variable itself."""
        match module.scopes.bindings_of(instance):
            case [Binding(kind="assignment", value=ast.expr() as value)]:
                return all(self._states.makes_mapped(module, each) for each in branches(value))
        return False

    def _is_new(self, module: Module, refresh: ast.Expr, instance: ast.expr) -> bool:
        """Whether an object has no parts before a refresh: its function made it without any.

        Until then, the function uses only its columns, and adds it to the session.
        """
        if not isinstance(instance, ast.Name):
            return False
        match module.scopes.bindings_of(instance):
            case [Binding(kind="assignment", value=ast.Call(func=function, args=[]) as made)]:
                name = self._project.qualified_name(module, function) or ""
            case _:
                return False
        mapped = self._project.orm.mapped_class(name)
        if mapped is None or self._sets_parts(name):
            return False
        end = module.span(refresh).start
        return all(
            keyword.arg in mapped.columns or (keyword.arg is None and _is_dumped(keyword.value))
            for keyword in made.keywords
        ) and all(
            self._is_column_or_added(module, read, mapped.columns)
            for read in module.scopes.reads_of(instance)
            if module.span(read).start < end
        )

    def _sets_parts(self, qualified: str) -> bool:
        """Whether a new object of a class may have parts that nobody passes."""
        _, definition = self._project.class_definition(qualified) or (None, None)
        is_plain = definition is not None and not definition.decorator_list
        return (
            not is_plain
            or bool(self._project.files_with(_SETTING))
            or any(
                b"__init__" in home.source.text[facts.span.start : facts.span.end]
                for facts in self._project.class_line(qualified)
                for home in self._project.modules_at([facts.path])
            )
        )

    def _is_column_or_added(self, module: Module, read: ast.Name, columns: Container[str]) -> bool:
        match module.parent(read):
            case ast.Attribute(attr=name):
                return name in columns
            case ast.Call(func=ast.Attribute(value=owner, attr="add" | "refresh")):
                return self._project.orm.resource_of(module, owner) in BLOCKING_SESSIONS
        return False

    def _leads_to_parts(self, owner: str, name: str) -> bool:
        facts = self._project.orm.models.relationship(owner, name)
        if facts is None or facts.target is None or not self._is_cascading(facts):
            return False
        inverse = self._project.orm.reads.inverse_of(owner, name)
        back = {inverse.attribute} if inverse is not None and inverse.by_key else set[str]()
        return bool(set(self._loaded(facts.target)) - back)

    def _is_cascading(self, facts: RelationshipFacts) -> bool:
        """Whether a relationship is declared so that a refresh goes on along it."""
        for _, call in self._project.calls_at(Place(facts.path, facts.span))[:1]:
            for node in ast.walk(call):
                match node:
                    case ast.keyword(arg="cascade_delete", value=ast.Constant(value=True)):
                        return True
                    case ast.keyword(arg=name, value=given):
                        pairs = [(name, given)]
                    case ast.Dict():
                        keys = (getattr(key, "value", None) for key in node.keys)
                        pairs = [*zip(keys, node.values, strict=True)]
                    case _:
                        continue
                said = (getattr(given, "value", "") for name, given in pairs if name == "cascade")
                if any(word.strip() in _CASCADES for text in said for word in str(text).split(",")):
                    return True
        return False


def _in_all(names: Sequence[set[str]]) -> list[str]:
    """Return the names that are in all sets, sorted; none without a set."""
    return sorted(set[str]().union(*names).intersection(*names))


def _session_of(module: Module, call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return module.text_of(owner)


def _is_dumped(node: ast.expr) -> bool:
    """Whether pydantic gives the dictionary: it has no objects of mapped classes."""
    match node:
        case ast.Call(func=ast.Attribute(attr="dict" | "model_dump")):
            return True
    return False


_Call = tuple[Module, ast.Call]


class FirstLoads:
    """Answers for one program; ``loading`` says which relationships the mapping loads."""

    def __init__(self, writes: Writes, loading: Loading) -> None:
        self._project, self._writes, self._loading = writes.project, writes, loading
        self._read_of = ReadOf(writes.project)

    def left_by_refresh(self, module: Module, refresh: ast.Call, given: ast.expr) -> list[str]:
        """Return the relationships of an object that its refresh may leave, and that are read then.

        Statements load these, and another one of the request may have given the object before.
        """
        values = self._project.values.of(module, given).alternatives
        owners = mapped_in(self._project, values)
        left = {name for each in owners for name in self._loading.read_by_themselves(each)}
        origins = [origin for origin in origins_of(values) if not origin.way]
        own = {each.place for each in self._project.orm.reads.calls_behind(origins)} if left else ()
        left &= self._read_later(module, refresh, given, own) if own else set()
        function = module.enclosing_def(given) if left else None
        if function is None:
            return []
        earlier = (*self._in_dependencies(module, function), *_earlier_loads(module, function, own))
        is_given = any(
            place not in own and self._writes.is_kin(name, owner)
            for home, call in earlier
            for place, name in classes_given(self._project, home, call, self._loading.loaded_ahead)
            for owner in owners
        )
        # The first statement of all gives its object the options that the refresh repeats.
        return sorted(left) if is_given else []

    def _read_later(
        self, module: Module, refresh: ast.Call, given: ast.expr, own: Collection[Place]
    ) -> set[str]:
        """Return what is read of the object of a variable after a refresh.

        A function that gets the object may read all that the options of its ``own`` loads name.
        """
        values = self._project.values.of(module, given).alternatives
        reads = module.scopes.reads_of(given) if isinstance(given, ast.Name) else ()
        later = [read for read in reads if module.span(read).start > module.span(refresh).end]
        names = set[str]()
        for read in later:
            names |= self._read_of.names(module, read, values, is_many=False)
            if use_of(module, read).way not in {"attribute", "returned"}:
                for place in own:
                    names |= {name for _, name in loaded_by_options(self._project, place)}
        return names

    @cached_method
    def _in_dependencies(self, module: Module, function: Function) -> list[_Call]:
        """Return the loads in the dependencies of an endpoint; of other functions, in all."""
        project = self._project
        providers = project.injections.of_function(module, function)
        if not function.decorator_list:
            # Any endpoint may call it.
            providers = self._all_providers()
        functions = [*project.web.endpoints.depended_on(providers)]
        run = [pair for home, each in functions for pair in project.calls.run_inside(home, [each])]
        return [
            pair for each in dict.fromkeys([*functions, *run]) for pair in _loading_calls(*each)
        ]

    def _all_providers(self) -> Iterator[Provider]:
        words = [name.rpartition(".")[2].encode() for name in sorted(injection().dependencies)]
        for module in modules_with(self._project, words):
            yield from self._project.injections.providers_below(module, module.tree)


def _loading_calls(module: Module, function: Function) -> Iterator[_Call]:
    """Yield the calls of a function that may be those by which a session loads."""
    for call in module.nodes_below(function, ast.Call):
        if isinstance(call.func, ast.Attribute) and last_name(call.func) in LOADING:
            yield module, call


def _earlier_loads(module: Module, function: Function, own: Collection[Place]) -> Iterator[_Call]:
    """Yield the loads of a function before its ``own`` ones."""
    starts = [place.span.start for place in own if place.path == module.path]
    for _, call in _loading_calls(module, function):
        if any(module.span(call).end <= start for start in starts):
            yield module, call
