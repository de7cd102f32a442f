"""Sessions that tests share with requests: each request reloads the relationships of their objects.

A test commits, and a synchronous session expires everything that it loaded. So a request never
found a collection as the test had loaded it. A session that keeps objects returns the old
collections, and deletes by them.

A request that closes the session detaches the objects of the test, or of a job. A listener lets
``add`` attach them again, even if the session has loaded another object of the same row.

Jobs of workers that share one session run one after the other. Jobs of one event loop change where
one of them awaits. With a synchronous session none did so while it waited for the database; an
asynchronous session serves one statement at a time, and raises.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.added_functions import (
    added_function,
    imported_name,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import overrides_of
from awaken.codemods.sqlalchemy.session_to_async.expressions.functions_of_lambdas import (
    function_of_lambda,
)
from awaken.codemods.sqlalchemy.session_to_async.find.test_clients import Clients
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.relationships.sides import WORDS
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.asynchronous.boundaries import Workers, boundaries
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.testing.requests import METHODS
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, last_name, parameter_names, receivers
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.project import Project

_REQUESTS = tuple(f".{name}(".encode() for name in sorted(METHODS))
_RETURN_IMPORTS = {"inspect": "sqlalchemy", "set_committed_value": "sqlalchemy.orm.attributes"}
_RETURN_CODE = '''\
def {name}(session, instance):
    """Attach a detached object again, even if its row was loaded with other objects."""
    state, there = {inspect}(instance), dict(session.identity_map.items())
    if state.key is None:
        return
    cascaded = state.mapper.cascade_iterator("save-update", state)
    members, instead = [state, *(each for _, _, each, _ in cascaded)], {}
    for member in members:
        other = {inspect}(there.get(member.key, member.object))
        if other is not member:
            is_kept = member is state or (member.modified and not other.modified)
            instead[other if is_kept else member] = member.object if is_kept else other.object
    for holder in [*members, *map({inspect}, there.values())] if instead else ():
        for key in holder.mapper.relationships.keys() & holder.dict.keys():
            held = holder.dict[key]
            if isinstance(held, list):
                held = [instead.get({inspect}(each), each) for each in held]
            elif held is not None and not isinstance(held, (dict, set)):
                held = instead.get({inspect}(held), held)
            if held != holder.dict[key]:
                {set_committed_value}(holder.object, key, held)
    for replaced in instead:
        if replaced.session is session:
            session.expire(replaced.object, replaced.mapper.relationships.keys())
            session.expunge(replaced.object)
'''
_CODE = '''\
def {name}(session):
    """Reload the loaded relationships of all objects, as after a commit."""
    with session.no_autoflush:
        for instance in list(session.identity_map.values()):
            state = {inspect}(instance)
{loaded}            if loaded and instance not in session.dirty:
                session.expire(instance, loaded)
                for name in loaded:
                    getattr(instance, name)
'''
_LOADED = "            loaded = [key for key in state.dict if key in state.mapper.relationships]\n"
_NOT_RAISING = """\
            related = state.mapper.relationships
            loaded = [
                key
                for key in state.dict
                if key in related and "raise" not in str(related[key].lazy)
            ]
"""
_RAISING = (b'raise"', b"raise'", b"raise_on_sql")
_CONVERTED = """\
            for column in state.mapper.column_attrs:
                kind, value = column.columns[0].type, state.dict.get(column.key)
                # The database gives an enumeration for a text, and a Decimal for a float.
                is_converted = value is not None and isinstance(kind, ({Enum}, {Numeric}))
                if is_converted and type(value) is not kind.python_type:
                    loaded.append(column.key)
"""
_TYPES = {"Enum": "sqlalchemy", "Numeric": "sqlalchemy"}
_MESSAGE = "relationships of the objects in `{}` are reloaded for each request"
_CONVERTING = (b"Enum", b"Numeric", b"DECIMAL", b"Decimal")
_MAPPED = (b"olumn", b"apped", b"table")
_COLUMNS = sql_names().column_types
_PLAIN = {"JSON", "UUID", *_COLUMNS, *(name.rpartition(".")[2] for name in _COLUMNS.values())}
"""Types of columns, and classes of their values, that are neither enumerations nor decimal."""


class SharedSessions:
    """Rewrites the functions that give requests the session of a test."""

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        self._closing: set[Place] = set()
        self.sessions_given = [*self._sessions_given()]
        self._has_relationships = bool(project.files_with(WORDS))

    def places(self) -> frozenset[Place]:
        """Return the statements that give a request its session, where its objects are reloaded."""
        sessions = self.sessions_given if self._has_relationships else ()
        return frozenset(module.place(statement) for module, statement, _ in sessions)

    @property
    def are_closed(self) -> bool:
        """Whether a request closes the session of a test, and so detaches what the test holds."""
        return self._has_relationships and bool(self._closing)

    def requests(self) -> tuple[Place, ...]:
        """Return the calls that send requests to what uses a session of the test."""
        is_given = bool(self.sessions_given or self._lambdas)
        return self._requests_sent if is_given and self._has_relationships else ()

    def is_behind_request(self, module: Module, load: ast.Call) -> bool:
        """Whether the function around ``load`` sends a request before, to another session."""
        owner = load.func.value if isinstance(load.func, ast.Attribute) else None
        is_shared = isinstance(owner, ast.Name) and self._fixtures(module, owner)
        return not (is_shared and is_shared & self._shared_places) and self.is_sent(module, load)

    def is_sent(self, module: Module, load: ast.Call) -> bool:
        """Whether the function around ``load`` sends a request before."""
        function, end = module.enclosing_function(load), module.span(load).start
        span = module.span(function or module.tree)
        return any(
            place.path == module.path and span.contains(place.span) and place.span.start < end
            for place in self._requests_sent
        )

    @cached_property
    def _shared_places(self) -> set[Place]:
        """The fixtures that give the shared sessions."""
        arguments = [(module, name) for module, _, name in self.sessions_given]
        arguments += [(module, function.body) for module, function in self._lambdas]
        return {fixture for argument in arguments for fixture in self._fixtures(*argument)}

    @cached_property
    def _lambdas(self) -> list[tuple[Module, ast.Lambda]]:
        """The lambdas that give requests a session, which they take from around them."""
        return [
            (module, node)
            for module, node in nodes_in(self._overriding_modules(), ast.Lambda)
            if isinstance(node.body, ast.Name | ast.Attribute)
            and self._project.orm.resource_of(module, node.body) == "session"
        ]

    def _fixtures(self, module: Module, name: ast.expr) -> set[Place]:
        """Return the fixture that a parameter ``name`` receives, if any."""
        requests = self._project.coroutine_tests.requests
        text = module.text_of(name)
        for function in module.ancestors(name):
            if isinstance(function, Function) and text in parameter_names(function.args):
                fixture = requests.fixture(module, function, text)
                return set() if fixture is None else {fixture[0].place(fixture[1])}
        return set()

    @cached_property
    def _requests_sent(self) -> tuple[Place, ...]:
        """The calls of tests that send requests."""
        clients = Clients(self._project)
        modules = modules_with(self._project, _REQUESTS)
        return tuple(
            module.place(operation.node)
            for module in modules
            for operation in clients.operations(module)
            if operation.how == "awaited" and operation.method in METHODS
        )

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of them, and the functions that replace lambdas."""
        if not self._has_relationships:
            return
        for module, statement, name in self.sessions_given:
            yield self._member(Site(self._rule, module, statement), module.text_of(name))
        keys = {value: key for _, key, value in overrides_of(self._project)}
        taken: dict[ast.AST | None, set[str]] = defaultdict(set)
        for module, function in self._lambdas:
            if function in keys:
                site = Site[ast.AST](self._rule, module, function)
                wanted = f"override_{last_name(keys[function]) or 'session'}"
                names = taken[module.enclosing_function(function)]
                shown = f"`{module.text_of(function.body)}`"
                replaced = member(site, shown, self._of_lambda, function, wanted, names)
                yield replace(replaced, along=(*self._fixtures(module, function.body),))

    def _member(self, site: Site[ast.AST], text: str) -> Member:
        edits = [*reloading_relationships(self._project, site, text, "before")]
        if site.module.place(site.node) in self._closing:
            edits += _returning(site, text)
        return Member(site, Rewrite(_MESSAGE.format(text), edits), f"`{text}`")

    def _of_lambda(
        self, site: Site[ast.AST], function: ast.Lambda, wanted: str, taken: set[str]
    ) -> Rewrite:
        """Return the function that replaces a lambda which gives a session. Raises Refused."""
        session = site.module.text_of(function.body)
        call, needed = _reloading_call(self._project, site, session)
        edits = function_of_lambda(site, function, taken, wanted, first=call)
        return Rewrite(_MESSAGE.format(session), [*edits, *needed])

    def _overriding_modules(self) -> Iterator[Module]:
        for module in modules_with(self._project, (OVERRIDES.encode(),)):
            if is_around_tests(module.path):
                yield module

    def _sessions_given(self) -> Iterator[tuple[Module, ast.AST, ast.expr]]:
        """Yield the statements that give a request a session from outside of their function."""
        for module in self._overriding_modules():
            for function in dict.fromkeys(_overriding(self._project, module)):
                yield from self._of_function(module, function)

    def _of_function(
        self, module: Module, function: ast.FunctionDef
    ) -> Iterator[tuple[Module, ast.AST, ast.expr]]:
        for name in module.outputs_of(function):
            statement = module.statement_of(name)
            *_, first = receivers(name)
            if isinstance(name, ast.Name | ast.Attribute) and statement is not None:
                own = {binding.scope.node for binding in module.scopes.bindings_of(first)}
                is_session = self._project.orm.resource_of(module, name) == "session"
                # A session of the function itself is new for each request: it holds no objects.
                if function not in own and is_session:
                    if _closes(module, function, name):
                        self._closing.add(module.place(statement))
                    yield module, statement, name


def reloading_relationships(
    project: Project, site: Site[ast.AST], session: str, where: Literal["after", "before"]
) -> Iterator[Edit]:
    """Yield what reloads the loaded relationships of a session's objects next to a statement."""
    call, needed = _reloading_call(project, site, session)
    yield site.insert_statements(site.module.place(site.node), where, call)
    yield from needed


def _reloading_call(project: Project, site: Site[ast.AST], session: str) -> tuple[str, list[Edit]]:
    """Return the line that reloads the relationships of a session's objects, and what it needs."""
    converts = _may_convert(project)
    loaded = _NOT_RAISING if project.files_with(_RAISING) else _LOADED
    code = _CODE.replace("{loaded}", loaded + (_CONVERTED if converts else ""))
    imports = {"inspect": "sqlalchemy", **(_TYPES if converts else {})}
    helper, needed = added_function(site, "reload_relationships", code, imports)
    return f"await {session}.run_sync({helper})\n", needed


def _may_convert(project: Project) -> bool:
    """Whether the database may give the value of a mapped column as an enumeration or number."""
    if not project.files_with(_CONVERTING):
        return False
    nodes = nodes_with(project, _MAPPED, ast.ClassDef, revisions=False)
    classes = (project.orm.mapped_class(module.full_name(node)) for module, node in nodes)
    mapped = [each for each in classes if each is not None]
    columns = [column for each in mapped for column in each.columns.values()]
    # A key without a type has that of the column which it refers to.
    types = {item.type_name for item in columns if item.type_name or not item.foreign_key}
    return not mapped or not all(each.complete for each in mapped) or not types <= _PLAIN


def _returning(site: Site[ast.AST], text: str) -> Iterator[Edit]:
    """Yield what lets objects come back that a request has detached by closing the session.

    Their rows may have been loaded with others since, which they were not before.
    """
    listen, needed = imported_name(site, "sqlalchemy.event", "listen", site.node)
    yield needed
    helper, edits = added_function(site, "attach_again", _RETURN_CODE, _RETURN_IMPORTS)
    code = f'{listen}({text}.sync_session, "before_attach", {helper})\n'
    yield site.insert_statements(site.module.place(site.node), "before", code)
    yield from edits


def _closes(module: Module, function: ast.FunctionDef, session: ast.expr) -> bool:
    """Whether a function closes a session, by a call or by a ``with`` statement."""
    calls = (node.func for node in module.nodes_below(function, ast.Call))
    closed = [
        func.value for func in calls if isinstance(func, ast.Attribute) and func.attr == "close"
    ]
    closed += [item.context_expr for item in module.nodes_below(function, ast.withitem)]
    return module.text_of(session) in map(module.text_of, closed)


def _overriding(project: Project, module: Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a file that replace a dependency."""
    for node in module.walk():
        match node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Attribute(attr=name))], value=ast.Name() as given
            ) if name == OVERRIDES:
                yield from _functions(module, given)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(value, ast.Name) and _gives_session(project, module, key):
                        yield from _functions(module, value)


def _functions(module: Module, given: ast.Name) -> Iterator[ast.FunctionDef]:
    for binding in module.scopes.bindings_of(given):
        if isinstance(binding.node, ast.FunctionDef):
            yield binding.node


def _gives_session(project: Project, module: Module, key: ast.expr | None) -> bool:
    """Whether ``key`` is a dependency of the program that gives a session.

    A replacement in a dictionary applies, whichever code hands it to the application.
    """
    values = () if key is None else project.values.of(module, key).alternatives
    return any(project.orm.session_dependency(*pair) is not None for pair in functions_in(values))


def shared_workers(project: Project, rule: str) -> Iterator[Member]:
    """Yield the rewrites of the workers of tests whose jobs get a session from outside of them."""
    for known in boundaries().workers:
        words = sorted({name.rpartition(".")[2].encode() for name in known.names})
        for module in modules_with(project, words):
            if not is_around_tests(module.path):
                continue
            for node in module.nodes(ast.Call):
                if _shares(project, module, node, known):
                    site = Site(rule, module, node)
                    message = "its jobs share a session, so they run one after the other"
                    edits = [site.add_keyword(node, known.together, "1")]
                    yield Member(site, Rewrite(message, edits), f"`{module.excerpt(node)}`")


def _shares(project: Project, module: Module, call: ast.Call, known: Workers) -> bool:
    """Whether a call makes a worker whose jobs share a session, as many as there may be at once."""
    if project.qualified_name(module, call.func) not in known.names:
        return False
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or known.together in given:
        return False
    return any(
        _hands_on(project, *pair)
        for name in known.starting
        if name in given
        for pair in functions_in(project.values.of(module, given[name]).alternatives)
    )


def _hands_on(project: Project, module: Module, function: Function) -> bool:
    """Whether a function puts a session into something that it did not make itself."""
    return any(
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Subscript | ast.Attribute)
        and isinstance(node.value, ast.Name)
        and project.orm.resource_of(module, node.value) in BLOCKING_SESSIONS
        and all(item.scope.node is not function for item in module.scopes.bindings_of(node.value))
        for node in module.walk(function)
    )
