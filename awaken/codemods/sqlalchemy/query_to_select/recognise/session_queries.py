"""Finds the queries of a project: calls of ``query`` on what is proven to be a session.

Those that begin at a class, ``Model.query``, are among them, with their session.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    BUILDERS,
    EXECUTING,
    EXTENSIONS,
    WRITES,
    check_formatted,
    read_chain,
    read_links,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import prove_session, short_text
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.plausible import (
    is_plausible,
    is_proved_by_use,
    is_proved_by_use_alone,
)
from awaken.codemods.sqlalchemy.query_to_select.recognise.replaced_query_methods import Replaced
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Place
from awaken.kit.names_here import Written
from awaken.kit.rule import ProjectFacts
from awaken.kit.sites import outcome_of
from awaken.knowledge import knowledge
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.sqlalchemy.queries.class_queries import ClassQuery
from awaken.project.frameworks.sqlalchemy.queries.query_classes import QueryClass
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import keyword_of, last_name
from awaken.project.values.domain import ClassOf, InstanceOf, Unknown, Value

if TYPE_CHECKING:
    from awaken.project import Project

_METHODS = BUILDERS | EXECUTING | WRITES | EXTENSIONS
_TELLING = EXTENSIONS | {"filter_by", "filter", "order_by", "with_entities", "one_or_none", "join"}
"""Methods by which an attribute ``query`` of something unknown is taken for a Query."""
_DECISIVE = {reasons.KEPT_QUERY, reasons.PASSED_QUERY, reasons.RETURNED_QUERY}
_CONFIGURES = b"configure_mappers"


class Begin(Struct, frozen=True):
    """The session of ``Model.query``.

    ``session`` is the session as written at the place, ``extension`` the Flask-SQLAlchemy object
    that it belongs to, if there is one. ``refused`` says why no name of it can be written there:
    then only a query that is not executed can be rewritten. ``own`` is the class of the program's
    own that the query is of, if it is.
    """

    session: Written | None
    extension: Written | None = None
    refused: Refused | None = None
    own: OwnClass | None = None


def begin_of(reader: Reader, node: ast.Attribute) -> Begin | Refused | None:
    """Return the call after ``node``, an attribute ``query`` that is read.

    Refused says why the query stays as it is; None that ``node`` is no query of a mapped class.
    """
    model = node.value
    qualified, of_subclasses = _model(reader, model)
    query: ClassQuery | Unknown | None
    if qualified is None:
        query = _of_several(reader, model)
    elif of_subclasses:
        query = reader.project.orm.class_queries.of_subclasses(qualified)
    else:
        query = reader.project.orm.class_queries.source_of(qualified)
    if isinstance(query, ClassQuery):
        return _begin(reader, node, query)
    if isinstance(query, Unknown):
        because = Place(query.place.path, query.place.span, query.why)
        return Refused(reasons.UNPROVEN_CLASS_QUERY, short_text(node), because=(because,))
    # The class is visible, and it has no such query.
    if qualified is not None and reader.project.orm.models.status(qualified) != "unknown":
        return None
    return _unknown(reader, node)


def _of_several(reader: Reader, model: ast.expr) -> ClassQuery | None:
    """Return where ``query`` comes from if ``model`` is one of several classes that agree."""
    entity = entity_of(reader, model)
    if entity is None or entity.aliased:
        return None
    class_queries = [
        reader.project.orm.class_queries.of_subclasses(name) for name in sorted(entity.models)
    ]
    known = [query for query in class_queries if isinstance(query, ClassQuery)]
    if not known or len(known) < len(class_queries):
        return None
    return known[0] if all(query.is_like(known[0]) for query in known) else None


def _model(reader: Reader, model: ast.expr) -> tuple[str | None, bool]:
    """Return the class that ``model`` is, and whether any subclass of it may be meant."""
    qualified = reader.qualified_name(model)
    if qualified is not None and reader.project.class_facts(qualified) is not None:
        return qualified, False
    around = reader.module.enclosing_class(model)
    # A method that subclasses inherit may run with any of them.
    if around is not None and ast.unparse(model) in {"cls", "self", "type(self)", "self.__class__"}:
        return reader.module.full_name(around), True
    entity = entity_of(reader, model)
    if entity is not None and entity.model is not None and not entity.aliased:
        return entity.model, True
    return qualified, False


def _begin(reader: Reader, node: ast.Attribute, found: ClassQuery) -> Begin | Refused:
    because = () if found.place is None else (found.place,)
    if found.custom:
        return Refused(reasons.QUERY_HOOKS, found.custom, because=because)
    own = None
    if found.query_class is not None:
        own = OwnClass(found.query_class, because)
        refused = own.refuse_in(reader.module, node)
        if refused is not None:
            return refused
    if ast.unparse(node.value) == "self":
        return Refused(reasons.QUERY_OF_INSTANCE)
    way = reader.project.name_in_scope(reader.module, node, found.owner, node.value)
    if isinstance(way, str):
        return Begin(None, refused=Refused(reasons.SESSION_OUT_OF_SIGHT, way), own=own)
    needs = None if way.module is None else (way.module, way.text, None)
    # A scoped_session is the session itself; Flask-SQLAlchemy's object has it as an attribute.
    if not found.attribute:
        return Begin(Written(way.text, needs), own=own)
    session = Written(f"{way.text}.{found.attribute}", needs)
    return Begin(session, Written(way.text, needs), own=own)


def _unknown(reader: Reader, node: ast.Attribute) -> Refused | None:
    """Return the refusal of code that looks like a query of an external class."""
    call = reader.module.method_call_on(node)
    # Only where a method is called on it does it look like a query.
    if call is None or not _may_be_class(reader, node.value, last_name(call.func)):
        return None
    if not reader.project.has_sessions:
        return None
    return Refused(reasons.UNPROVEN_CLASS_QUERY, short_text(node))


def _may_be_class(reader: Reader, node: ast.expr, method: str) -> bool:
    """Whether ``node`` is a class, or is named like one, and ``method`` is one of Query."""
    last = last_name(node)
    # CamelCase is how a class is named, capitals alone a constant.
    if last[:1].isupper() and not last.isupper():
        return method in _METHODS
    if entity_of(reader, node) is not None:
        return method in _METHODS
    return method in _TELLING and ("model" in last.lower() or last == "cls")


class Recognised(Struct, frozen=True):
    """One query of SQLAlchemy; ``refused`` says why it is left alone before it is looked into.

    ``writes_refused`` says why a bulk write is left alone, ``begin`` is the session of a class that
    it begins at. ``caveat`` says why a rewrite is not safe, if anything does. ``own`` are the
    classes of the program's own that it may be of.
    """

    root: ast.Call | ast.Attribute
    refused: Refused | None = None
    writes_refused: Refused | None = None
    begin: Begin | None = None
    caveat: str = ""
    own: tuple[OwnClass, ...] = ()

    def raise_if_refused(self, module: Module) -> None:
        """Raise the refusal of this site, if there is one.

        A query that leaves its expression would stay even if its session were proven.
        """
        if self.refused is None:
            return
        if self.refused.reason in {reasons.UNPROVEN_SESSION, reasons.UNPROVEN_CLASS_QUERY}:
            try:
                read_chain(module, self.root)
            except Refused as refused:
                if refused.reason in _DECISIVE:
                    raise
        raise self.refused

    def raise_if_write_refused(self) -> None:
        """Raise the refusal of this site as a bulk write, if there is one."""
        if self.writes_refused is not None:
            raise self.writes_refused


class Sites:
    """The queries of a project, file by file and in the order of the source.

    Those that begin where one of the ``decided`` places does are left out.
    """

    def __init__(
        self, project: Project, triggers: Sequence[bytes], decided: Collection[Place] = ()
    ) -> None:
        self._project = project
        self._triggers = triggers
        self.replaced = Replaced(project)
        self.backrefs = _Backrefs(project)
        self._decided_places = {(place.path, place.span.start) for place in decided}

    def modules(self) -> Iterator[Module]:
        """Yield the files in which the rule is asked for its sites."""
        return self._project.modules_at(self._project.site_files(self._triggers))

    def queries_of(self, module: Module) -> Sequence[Recognised]:
        """Return the queries of one file, whether the rule is asked for its sites or not."""
        return list(self._recognised_queries(module))

    def _recognised_queries(self, module: Module) -> Iterator[Recognised]:
        reader, standing = Reader(self._project, module), self._standing
        for node in module.walk():
            if not _may_begin(node) or module.key_of(node) in self._decided_places:
                continue
            recognised = recognise_either(reader, node)
            if recognised is not None:
                yield replace(
                    recognised,
                    refused=standing.query_hook or recognised.refused,
                    writes_refused=standing.write_listener,
                    caveat=recognised.caveat or standing.caveat,
                )

    @cached_property
    def _standing(self) -> _Standing:
        hook, caveat = _query_hook(self._project)
        writes = _write_listener(self._project)
        return _Standing(hook or self.replaced.query_method(), writes, caveat)


_OF_BULK_WRITES = tuple(sorted(name_list("events_of_bulk_writes")))


class _Standing(Struct, frozen=True):
    """The reasons against every query, and against every bulk write.

    ``caveat`` says why no rewrite is safe, if anything does.
    """

    query_hook: Refused | None
    write_listener: Refused | None
    caveat: str


def _query_hook(project: Project) -> tuple[Refused | None, str]:
    """Return the refusal of every query, where the project hooks into the compilation of Query.

    These hooks do not fire for ``select()``. Those of a test reach no code in use. They give a
    caveat instead of a refusal, because the test may rely on being called.
    """
    caveat = ""
    for path, reader, call in _listeners(project, ("before_compile",)):
        if not _is_query_class(reader, call.args[0]):
            continue
        detail = f"{path} listens to the compilation of every Query"
        if not is_test_file(path):
            place = Place(path, reader.module.span(call))
            return Refused(reasons.QUERY_HOOKS, detail, because=(place,)), ""
        caveat = f"{detail}, which a select() does not trigger; its tests may rely on it"
    return _configured_refusal(project), caveat


def _is_query_class(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` is Query, or a subclass of it."""
    name, known = reader.qualified_name(node), knowledge().query_classes
    if name is not None and not known.isdisjoint({name, *reader.project.library_ancestors(name)}):
        return True
    return reader.library_name(node) == "Query"


def _configured_refusal(project: Project) -> Refused | None:
    """Return the refusal of every query, where a factory is given a Query class afterwards."""
    modules = project.modules_at(project.files_with((b"query_cls",)))
    for module, node in nodes_in(modules, ast.Call):
        query_class = keyword_of(node, "query_cls")
        # A class that is given to the factory itself is found with the session that it makes.
        if query_class is None or getattr(node.func, "attr", "") != "configure":
            continue
        if project.qualified_name(module, query_class) not in knowledge().query_classes:
            detail = f"{module.path} gives sessions a custom Query class"
            return Refused(reasons.QUERY_HOOKS, detail, because=(module.place(node),))
    return None


def _write_listener(project: Project) -> Refused | None:
    """Return the refusal of every bulk write, where the project listens to those of Query."""
    for path, reader, call in _listeners(project, _OF_BULK_WRITES):
        event = ast.unparse(call.args[1]).strip("\"'")
        place = Place(path, reader.module.span(call))
        return Refused(reasons.BULK_EVENTS, f"{path} listens to `{event}`", because=(place,))
    return None


def _listeners(project: Project, events: tuple[str, ...]) -> Iterator[tuple[str, Reader, ast.Call]]:
    """Yield the calls that listen to one of these events."""
    paths = project.files_with(tuple(event.encode() for event in events))
    for module in project.modules_at(paths):
        reader = Reader(project, module)
        for node in module.nodes(ast.Call):
            if _listens_to(reader, node, events):
                yield module.path, reader, node


def _listens_to(reader: Reader, call: ast.Call, events: tuple[str, ...]) -> bool:
    name = call.args[1] if len(call.args) > 1 else None
    if not isinstance(name, ast.Constant) or name.value not in events:
        return False
    return reader.library_name(call.func) in {"listen", "listens_for"}


def _may_begin(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=func):
            return last_name(func) in {"query", "Query"}
        case ast.Attribute(attr="query", ctx=ast.Load()):
            return True
    return False


def recognise_either(reader: Reader, node: ast.AST) -> Recognised | None:
    """Return the query that starts at ``node``, a call or an attribute; None where none does."""
    match node:
        case ast.Call():
            return recognise(reader, node)
        case ast.Attribute(attr="query", ctx=ast.Load()):
            return recognise_at_class(reader, node)
    return None


def recognise_at_class(reader: Reader, node: ast.Attribute) -> Recognised | None:
    """Return the query that starts at ``node``, as in ``Model.query.all()``; None for others."""
    # `session.query(...)` is recognised by its call.
    if reader.module.call_of(node) is not None:
        return None
    begin = begin_of(reader, node)
    if isinstance(begin, Begin):
        own = () if begin.own is None else (begin.own,)
        return Recognised(node, _standing_against(reader, node), begin=begin, own=own)
    return None if begin is None else Recognised(node, begin)


def recognise(reader: Reader, call: ast.Call) -> Recognised | None:
    """Return the query that starts at ``call``; None where none does."""
    if last_name(call.func) == "Query" and reader.library_name(call.func) == "Query":
        return Recognised(call, _standing_against(reader, call))
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "query":
        return None
    # Its use first: callers are many.
    if is_proved_by_use_alone(reader, call):
        return _of_session(reader, call, SessionProof("session", by_use=True))
    receiver = call.func.value
    proof = reader.project.orm.session_of(reader.module, receiver)
    # It is known to be something else.
    if proof is None:
        return None
    if isinstance(proof, SessionProof):
        # An AsyncSession has no query().
        if proof.kind.startswith("async"):
            return None
        return _of_session(reader, call, proof)
    # A mapped class proves its session; a session that is only plausible is reported and stays.
    if is_proved_by_use(reader, call):
        return _of_session(reader, call, SessionProof("session", by_use=True))
    if is_plausible(reader, call):
        help_text = prove_session(reader, receiver)
        because = Place(proof.place.path, proof.place.span, proof.why)
        refused = Refused(reasons.UNPROVEN_SESSION, short_text(receiver), help_text, (because,))
        return Recognised(call, refused)
    return None


def _of_session(reader: Reader, call: ast.Call, proof: SessionProof) -> Recognised:
    """Return the query of a session that is proven."""
    caveat = _caveat(reader, call, proof)
    refused = _standing_against(reader, call)
    own: list[OwnClass] = []
    for argument in _classes_given(reader, proof):
        known = reader.project.orm.query_classes.query_class(argument)
        if known is None:
            detail = "the session makes queries of a custom class"
            hidden = Refused(reasons.QUERY_HOOKS, detail, because=proof.places)
            return Recognised(call, refused or hidden)
        own.append(OwnClass(known, proof.places))
        refused = refused or own[-1].refuse_in(reader.module, call)
    return Recognised(call, refused, caveat=caveat, own=tuple(own))


def _classes_given(reader: Reader, proof: SessionProof) -> tuple[str, ...]:
    """Return the classes of the program's own that the queries of a session may be of."""
    classes = reader.project.orm.query_classes
    if proof.query_class:
        return (proof.query_class, *classes.classes_put())
    # It may come from any factory that is given a class of queries.
    return (*(() if proof.is_followed else classes.classes_of_sessions()), *classes.classes_put())


def _caveat(reader: Reader, call: ast.Call, proof: SessionProof) -> str:
    """Return the open question of a session that only visible calls prove."""
    if not proof.unless or is_proved_by_use(reader, call):
        return ""
    receiver = short_text(call.func.value) if isinstance(call.func, ast.Attribute) else "it"
    return f"every visible call passes a session as `{receiver}`, but {proof.unless}"


def _standing_against(reader: Reader, node: ast.expr) -> Refused | None:
    return outcome_of(check_formatted, reader.module, node)


class _Backrefs(ProjectFacts):
    """The attributes of a program that a ``backref`` makes; found when the first rewrite asks.

    ``session.query(User)`` configures them at once, ``select(User)`` only when it is executed. A
    program whose first statement of all names such an attribute raises AttributeError then.
    """

    @cached_property
    def _owners(self) -> dict[str, set[str]]:
        """The classes that get an attribute, by its name; none where mappers are configured."""
        owners: dict[str, set[str]] = defaultdict(set)
        # The first search answers the others as well.
        named = self._project.files_with([_CONFIGURES, b"backref"])
        if not named or self._project.files_with([_CONFIGURES]):
            return owners
        for path in self._project.files_with([b"backref"]):
            for side in self._project.orm.relationships.in_file(path):
                if side.reverse and side.attribute is not None:
                    owners[side.attribute].add(side.owner or "")
        return owners

    def caveats(self, module: Module, query: ast.expr) -> Iterator[str]:
        """Yield the caveats where ``query``, which begins again, names such an attribute."""
        shown = next(self._names(module, query), "") if self._owners else ""
        if shown:
            yield (
                f"a `backref` makes `{shown}`: unlike Query, `select()` does not "
                "configure mappers, so the first statement fails without "
                "`configure_mappers()`"
            )

    def _names(self, module: Module, query: ast.expr) -> Iterator[str]:
        waiting: list[ast.AST] = [query]
        while waiting:
            node = waiting.pop()
            match node:
                # The arguments of `query()` are read before it configures anything.
                case ast.Call(func=ast.Attribute(attr="query")):
                    waiting.append(node.func)
                    continue
                case ast.Call(func=ast.Attribute(value=owner) as called):
                    waiting += [owner, *node.args, *node.keywords]
                    if called.attr == "filter_by":
                        yield from self._compared_attributes(module, node.keywords)
                    continue
                case ast.Attribute(value=owner, attr=name) if name in self._owners:
                    if self._may_be_class(module, owner, name):
                        yield module.excerpt(node)
            waiting += ast.iter_child_nodes(node)

    def _compared_attributes(self, module: Module, given: Sequence[ast.keyword]) -> Iterator[str]:
        """Yield the attributes that `filter_by` compares with what may be no object.

        An object was made or loaded, which configured the mappers.
        """
        for argument in given:
            if argument.arg in self._owners:
                values = self._project.values.of(module, argument.value)
                if isinstance(argument.value, ast.Constant) or values.may_be_none:
                    yield argument.arg

    def _may_be_class(self, module: Module, node: ast.expr, name: str) -> bool:
        """Whether ``node`` may be a class that gets the attribute, or an instance of it."""
        values = self._project.values.of(module, node)
        if not values.is_known or not values.alternatives:
            return True
        return any(self._may_lack(alternative, name) for alternative in values.alternatives)

    def _may_lack(self, value: Value, name: str) -> bool:
        match value:
            case ClassOf(qualified=qualified):
                return self._gets(qualified, name)
            case InstanceOf(qualified=qualified):
                # To make an object of a mapped class configures mappers.
                return self._project.orm.mapped_class(qualified) is None
        return True

    def _gets(self, qualified: str, name: str) -> bool:
        owners = self._owners[name]
        heirs = (heir for owner in owners for heir in self._project.all_subclasses(owner))
        return "" in owners or qualified in owners or qualified in heirs


class OwnClass(Struct, frozen=True):
    """A class of the program's own that a query is made of; ``because`` says where it is given.

    ``select()`` knows none of its methods; those of Query are the same as ever unless it replaces
    what they call.
    """

    made_by: QueryClass
    because: tuple[Place, ...]

    def raise_if_used(self, names: Iterable[str]) -> None:
        """Raise Refused if one of the methods ``names`` is not Query's."""
        for name in names:
            why = self.made_by.why_not_of_query(name)
            if why:
                raise Refused(reasons.QUERY_HOOKS, why, because=self.because)

    def refuse_in(self, module: Module, root: ast.expr) -> Refused | None:
        """Return the refusal of the expression of the query at ``root``, if there is one."""
        links, last = read_links(module, root)
        after = module.parent(last)
        used = [link.name for link in links]
        if isinstance(after, ast.Attribute):
            used.append(after.attr)
        return outcome_of(self.raise_if_used, used)
