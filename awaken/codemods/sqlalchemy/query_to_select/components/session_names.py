"""The session of a component: the name by which a function knows it that executes a query.

Sessions in properties, which may give another one when they are read again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.session_parameters import (
    MadeSession,
    SessionParameter,
    Wanted,
    is_typed,
    made_session,
    session_parameter,
)
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader, sqlalchemy_name
from awaken.kit.names_here import Written, is_dotted, written_by_called, written_by_caller
from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.graph.holders import Holder
from awaken.project.source.bindings import Binding, Scope
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.values.domain import ModuleOf, Unknown

Origin = Written | Holder | Refused
"""A session as it is written in a function, that of the query in a parameter, or why neither."""
_NOT_PASSED = reasons.SESSION_NOT_PASSED


def property_place(reader: Reader, session: ast.expr) -> str | None:
    """Return the place of a property that may make another session each time it is read, if any.

    That is ``path:line`` of the property that ``session`` may name.

    Any property of the project counts that has the attribute's name and calls something, whatever
    its class. A registry does not count, because it keeps its session; nor a variable of a module.
    """
    if not isinstance(session, ast.Attribute):
        return None
    defining = reader.project.files_with([b"def " + session.attr.encode()])
    for path in sorted({*defining}.intersection(reader.project.files_with([b"property"]))):
        module = reader.project.module(path)
        for node in module.walk() if module else ():
            if not isinstance(node, ast.FunctionDef) or not _is_property(session.attr, node):
                continue
            if any(not _is_of_registry(reader, module, call) for call in _calls(node)):
                # Asked last: most names are those of no property.
                return None if _is_kept(reader, session) else f"{path}:{node.lineno}"
    return None


def _is_kept(reader: Reader, session: ast.Attribute) -> bool:
    """Whether a registry keeps a session until it is removed, or a variable of a module does."""
    if _is_registry(reader, reader.module, session):
        return True
    owners = reader.project.values.of(reader.module, session.value).alternatives
    return bool(owners) and all(isinstance(owner, ModuleOf) for owner in owners)


def _is_property(name: str, function: ast.FunctionDef) -> bool:
    """Whether ``function`` is a property called ``name`` that keeps nothing."""
    decorators = {ast.unparse(node).rpartition(".")[2] for node in function.decorator_list}
    return function.name == name and "property" in decorators


def _calls(function: ast.FunctionDef) -> list[ast.Call]:
    nodes = (node for part in function.body for node in ast.walk(part))
    return [node for node in nodes if isinstance(node, ast.Call)]


def _is_of_registry(reader: Reader, module: Module | None, call: ast.Call) -> bool:
    """Whether a call gives what a ``scoped_session`` keeps: the same until it is removed."""
    if module is None or call.args or call.keywords:
        return False
    return _is_registry(reader, module, call.func)


def _is_registry(reader: Reader, module: Module, node: ast.expr) -> bool:
    proof = reader.project.orm.session_of(module, node)
    return isinstance(proof, SessionProof) and proof.kind == "scoped"


class ComponentSession:
    """Names the session that made a query, wherever the query is executed; raises Refused."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self._of_holder: dict[Holder, set[Origin]] = {
            holder: set() for holder in component.definitions
        }
        # In reverse, so that the first of several at one node, or in a function, is kept.
        self._read_by = {use.node: use for use in reversed(component.uses)}
        self._first_roots = {root.context: root for root in reversed(component.roots)}
        self.parameters: dict[FunctionContext, SessionParameter] = {}
        self.made: dict[FunctionContext, MadeSession] = {}
        self._solve()

    def _solve(self) -> None:
        # Where queries go in a circle, sessions take several rounds to get everywhere.
        changed, order = True, self._component.in_order()
        while changed:
            changed = False
            for holder in order:
                fragments = self._component.definitions[holder]
                origins: set[Origin] = {holder}
                if holder.parameter is None:
                    origins = {origin for item in fragments for origin in self._origins(item)}
                if not origins <= self._of_holder[holder]:
                    self._of_holder[holder] |= origins
                    changed = True

    def _origins(self, fragment: ChainFragment) -> set[Origin]:
        """Return the sessions of ``fragment``, as they are written in its function."""
        if fragment.recognised is not None:
            read = self._read_off(fragment)
            return {_session_of(fragment.recognised)} if read is None else self._origins(read)
        return {
            outer
            for edge, holder in self._component.holders.calls_and_holders(
                fragment.context, fragment.start
            )
            for origin in self._of_holder[holder]
            for outer in ({origin} if edge is None else self._seen_by_caller(edge, origin))
        }

    def _read_off(self, root: ChainFragment) -> ChainFragment | None:
        """Return where the session of ``root`` is read off another query, if it is."""
        return None if root.receiver is None else self._read_by.get(root.receiver)

    def _seen_by_caller(self, edge: CallEdge, origin: Origin) -> set[Origin]:
        """Return how the caller writes the session of what the function returns."""
        if isinstance(origin, Holder):
            passed = self._component.passed_to(origin).get(edge, ())
            return {outer for argument in passed for outer in self._origins(argument)}
        if isinstance(origin, Refused):
            return {origin}
        return {self._outer_name(edge, origin)}

    @cached_method
    def _outer_name(self, edge: CallEdge, origin: Written) -> Written | Refused:
        return _name_outside(self._component.project, edge, origin)

    # ----------------------------------------------------------------------------- where executed
    def session_at(self, use: ChainFragment) -> Written:
        """Return how the session is written at ``use``, which is executed; raises Refused."""
        result = self._resolved_names(self._origins(use), use.start, frozenset())
        refused = sorted((item for item in result if isinstance(item, Refused)), key=_by_message)
        if refused:
            raise refused[0]
        names = {item.text: item for item in result if isinstance(item, Written)}
        if len(names) != 1:
            shown = (
                " or ".join(f"`{text}`" for text in sorted(names)) or "a class outside the project"
            )
            raise Refused(reasons.SESSION_CHANGES, shown, because=(use.place(),))
        ((text, written),) = names.items()
        made = None if _is_dotted(text) else self._made_session(use.context, text)
        if made is not None:
            self.made[use.context] = made
            return Written(made.name)
        self._check(use, text)
        return written

    @cached_method
    def _made_session(self, context: FunctionContext, text: str) -> MadeSession | None:
        return made_session(self._component, context, text)

    def _resolved_names(
        self, origins: Iterable[Origin], site: ast.expr, above: frozenset[Holder]
    ) -> set[Written | Refused]:
        result: set[Written | Refused] = set()
        for origin in origins:
            if not isinstance(origin, Holder):
                result.add(origin)
            elif origin not in above:
                result |= self._passed_names(origin, site, above | {origin})
        return result

    def _passed_names(
        self, parameter: Holder, site: ast.expr, above: frozenset[Holder]
    ) -> set[Written | Refused]:
        """Return how the sessions of what callers pass are written in the function itself."""
        found: set[Written | Refused] = set()
        ways: dict[ChainFragment, set[Written | Refused]] = {}
        for fragment in self._component.definitions[parameter]:
            edge = self._component.call_passing(parameter, fragment)
            ways[fragment] = self._resolved_names(self._origins(fragment), fragment.start, above)
            for one in ways[fragment]:
                seen: Written | Refused = one
                if isinstance(one, Written) and edge is not None:
                    seen = _session_in_callee(self._component.project, edge, one, site)
                found.add(seen)
        if any(isinstance(item, Refused) and item.reason is _NOT_PASSED for item in found):
            name = self._by_parameter(parameter, ways)
            return found if name is None else {name}
        return found

    def _by_parameter(
        self, parameter: Holder, ways: Mapping[ChainFragment, set[Written | Refused]]
    ) -> Written | None:
        """Return the name of a new parameter for the sessions of ``ways``; None if none can be."""
        given: dict[CallEdge, Written] = {}
        again: list[CallEdge] = []
        for fragment, sessions in ways.items():
            edge = self._component.call_passing(parameter, fragment)
            session = next(iter(sessions), None)
            # A function that calls itself with its own query passes the parameter on.
            if edge is not None and not sessions and edge.context is parameter.context:
                again.append(edge)
                continue
            if edge is None or len(sessions) != 1 or not isinstance(session, Written):
                return None
            # A call can pass only one session, and to one function only.
            if given.setdefault(edge, session) != session or self._is_shared(edge):
                return None
            self._check(fragment, session.text)
        before, context = parameter.parameter, parameter.context
        known = self.parameters.get(context)
        if before is None:
            return None
        if known is None or known.added.before is not before:
            reads = [use.node for use in self._component.uses if use.ending == "session"]
            wanted = Wanted(context, before, given, again, reads)
            known = None if known else self._new_parameter(wanted)
        if known is None:
            return None
        self.parameters[context] = known
        return Written(known.added.name)

    def _new_parameter(self, wanted: Wanted) -> SessionParameter | None:
        context, annotation = wanted.context, None
        if is_typed(context):
            annotation = sqlalchemy_name(
                self._component.reader(context), context.function, "Session"
            )
        return session_parameter(wanted, annotation)

    def _is_shared(self, edge: CallEdge) -> bool:
        """Whether the call may reach other methods too, which would need the parameter as well."""
        reached = self._component.edges.edges_of(edge.context, edge.call)
        return isinstance(reached, Unknown) or len(reached) > 1

    def _check(self, use: ChainFragment, text: str) -> None:
        """Raise Refused unless ``text`` is still the session of its query at ``use``."""
        new = self.parameters.get(use.context)
        if new is None or new.added.name != text:
            _check(self._component, use, text, self._first_roots.get(use.context))

    # ----------------------------------------------------------------------------------- caveats
    def property_caveat(self) -> str:
        """Return the caveat of a session that is read again from a property, if it is one."""
        for root in self._component.roots:
            receiver = root.receiver
            where = (
                None
                if receiver is None
                else property_place(self._component.reader(root.context), receiver)
            )
            if where and receiver is not None:
                return (
                    f"`{ast.unparse(receiver)}` is read again where the query runs, and "
                    f"its property in {where} may return another session"
                )
        return ""

    def no_longer_called(self) -> str:
        """Return the caveat of a call that made a session for nothing but queries, if any did."""
        for root in self._component.roots:
            receiver = root.receiver
            parts = () if receiver is None else ast.walk(receiver)
            if receiver and any(isinstance(part, ast.Call | ast.Await) for part in parts):
                return f"`{ast.unparse(receiver)}` is no longer called"
        return ""


def _by_message(refused: Refused) -> str:
    return refused.message


def _session_of(recognised: Recognised) -> Written | Refused:
    begin, root = recognised.begin, recognised.root
    if begin is not None:
        return begin.session or begin.refused or Refused(reasons.NO_SESSION)
    called = root.func if isinstance(root, ast.Call) else None
    if not isinstance(called, ast.Attribute):
        return Refused(reasons.NO_SESSION)
    return Written(ast.unparse(called.value))


# ------------------------------------------------------------------------------ from call to call
def _name_outside(project: Project, edge: CallEdge, session: Written) -> Written | Refused:
    """Return how the caller writes the ``session`` of the function that it calls."""
    if not _is_set(edge.into, session.text):
        session = _behind_variable(project, edge.into, session)
    name = None if _is_set(edge.into, session.text) else written_by_caller(project, edge, session)
    if name is not None:
        return name
    detail = f"`{session.text}` exists only in `{edge.into.function.name}`"
    because = (edge.context.place(edge.call),)
    return Refused(reasons.SESSION_NOT_PASSED, detail, because=because)


def _behind_variable(project: Project, context: FunctionContext, session: Written) -> Written:
    """Return ``self.db`` for the variable of ``db = self.db``, which is set but once.

    A property may give another session each time that it is read.
    """
    bindings = context.flow.scope.bindings_of(session.text)
    value = bindings[0].value if len(bindings) == 1 else None
    if value is None or bindings[0].kind != "assignment" or not is_dotted(value):
        return session
    is_same = not property_place(Reader(project, context.module), value)
    return Written(ast.unparse(value)) if is_same else session


def _session_in_callee(
    project: Project, edge: CallEdge, session: Written, site: ast.expr
) -> Written | Refused:
    """Return how the called function writes the ``session`` of its caller at ``site``."""
    name = written_by_called(project, edge, session, site)
    if name is not None:
        return name
    detail = f"the caller does not pass `{session.text}` to `{edge.into.function.name}`"
    return Refused(reasons.SESSION_NOT_PASSED, detail, because=(edge.into.place(site),))


# --------------------------------------------------------------------------------- still the same
def _check(component: Component, use: ChainFragment, text: str, root: ChainFragment | None) -> None:
    """Raise Refused unless ``text`` is still the session of its query at ``use``.

    ``root`` is the first query that is made in the function of ``use``, if one is.
    """
    context, module, because = use.context, use.context.module, (use.place(),)
    own, scopes = context.flow.scope, module.scopes
    name = text.partition(".")[0]
    # A call, or an item, may give another session each time.
    if not _is_dotted(text):
        raise Refused(reasons.SESSION_CHANGES, f"a second `{text}`", because=because)
    bindings = own.bindings_of(name)
    if _is_outdated(component, context, bindings) or _is_set(context, text):
        raise Refused(
            reasons.SESSION_CHANGES,
            f"`{text}`, which is assigned again before that",
            because=because,
        )
    if name in own.globals | own.nonlocals or _is_set_inside(context, name):
        detail = f"`{text}`, which other code assigns"
        raise Refused(reasons.SESSION_CHANGES, detail, because=because)
    if scopes.owner(name, scopes.scope_of(use.start)) is not _owner(root, context, name):
        raise Refused(reasons.SESSION_CHANGES, f"another `{name}`", because=because)


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _owner(root: ChainFragment | None, context: FunctionContext, name: str) -> Scope | None:
    """Return where the session's ``name`` belongs: at its query, if one is made in ``context``."""
    scopes = context.module.scopes
    return scopes.owner(name, context.flow.scope if root is None else scopes.scope_of(root.start))


def _is_outdated(
    component: Component, context: FunctionContext, bindings: Iterable[Binding]
) -> bool:
    """Whether the session's variable may be given a value between a query and what uses it."""
    changes = [binding for binding in bindings if binding.kind != "parameter"]
    outdated = component.outdated_reads(context, changes)
    return bool(outdated) and any(
        item.context is context and item.start in outdated for item in component.fragments
    )


def _is_set_inside(context: FunctionContext, name: str) -> bool:
    """Whether a function inside this one gives the session's name another value."""
    is_local = context.flow.scope.mangled_name(name) in context.flow.scope.bindings
    return is_local and isinstance(context.flow.definitions(name), Unknown)


def _is_set(context: FunctionContext, text: str) -> bool:
    """Whether the function sets the attribute that holds the session, or ends its use."""
    for node in context.flow.parts(ast.Attribute):
        is_written = not isinstance(node.ctx, ast.Load)
        if is_written and text.startswith(ast.unparse(node)):
            return True
        # `scoped_session.remove()` ends the session, and its next use begins another.
        if node.attr == "remove" and ast.unparse(node.value) == text:
            return True
    return False
