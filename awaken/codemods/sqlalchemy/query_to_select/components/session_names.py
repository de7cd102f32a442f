"""The session of a web: by which name a function knows it that executes one of the queries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import Frame, Passage
from awaken.codemods.sqlalchemy.query_to_select.components.component import Kept, Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.session_parameters import (
    NewParameter,
    new_parameter,
)
from awaken.codemods.sqlalchemy.query_to_select.names import Reader, Written
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_properties import made_anew
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import Recognised
from awaken.codemods.sqlalchemy.query_to_select.statements.targets import is_dotted
from awaken.project.source.bindings import Binding, Scope
from awaken.project.source.trees import parameters_of
from awaken.project.values.domain import Unknown

Origin = Written | Kept | Refused
"""A session as it is written in a function, that of the query in a parameter, or why neither."""

_NOT_PASSED = reasons.SESSION_NOT_PASSED


class WebSession:
    """Names the session that made a query, wherever the query is executed; raises Refused."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._of_kept: dict[Kept, set[Origin]] = {kept: set() for kept in web.definitions}
        self._outside: dict[tuple[Passage, Written], Written | Refused] = {}
        self._given_by: dict[Kept, dict[Passage | None, list[Segment]]] = {}
        self._read_by: dict[ast.expr, Segment] = {}
        for use in reversed(web.uses):
            self._read_by[use.node] = use
        self.parameters: dict[Frame, NewParameter] = {}
        self._solve()

    def _solve(self) -> None:
        changed, order = True, self._web.in_order()
        while changed:
            changed = False
            for kept in order:
                segments = self._web.definitions[kept]
                found: set[Origin] = {kept}
                if not _is_parameter(kept):
                    found = {origin for one in segments for origin in self._origins(one)}
                if not found <= self._of_kept[kept]:
                    self._of_kept[kept] |= found
                    changed = True

    def _origins(self, segment: Segment) -> set[Origin]:
        """Return the sessions of ``segment``, as they are written in its function."""
        web, ways = self._web, self._web.ways_out(segment)
        if segment.recognised is not None:
            read = self._read_off(segment)
            return {_session_of(segment.recognised)} if read is None else self._origins(read)
        if not ways:
            reaching = web.reaching(segment.frame, segment.start)
            return {origin for kept in reaching for origin in self._of_kept[kept]}
        return {
            outer
            for passage, kept in ways
            for origin in self._of_kept[kept]
            for outer in self._seen_by_caller(passage, origin)
        }

    def _read_off(self, root: Segment) -> Segment | None:
        """Return where the session of ``root`` is read off another query, if it is."""
        return None if root.receiver is None else self._read_by.get(root.receiver)

    def _seen_by_caller(self, passage: Passage, origin: Origin) -> set[Origin]:
        """Return how the caller writes the session of what the function returns."""
        if isinstance(origin, Kept):
            given = self._given(passage, origin)
            return {outer for one in given for outer in self._origins(one)}
        if isinstance(origin, Refused):
            return {origin}
        key = passage, origin
        if key not in self._outside:
            self._outside[key] = _outside(passage, origin)
        return {self._outside[key]}

    def _given(self, passage: Passage, parameter: Kept) -> list[Segment]:
        """Return the segments that are passed to ``parameter`` by the call of ``passage``."""
        if parameter not in self._given_by:
            given = self._given_by[parameter] = {}
            for segment in self._web.definitions[parameter]:
                given.setdefault(self._way_into(parameter, segment), []).append(segment)
        return self._given_by[parameter].get(passage, [])

    def _way_into(self, parameter: Kept, segment: Segment) -> Passage | None:
        node = parameter.binding.node if parameter.binding is not None else None
        if not isinstance(node, ast.arg):
            return None
        return self._web.passages.passage_of(parameter.frame, node, segment.node)

    # ----------------------------------------------------------------------------- where executed
    def at(self, use: Segment) -> Written:
        """Return how the session is written at ``use``, which is executed; raises Refused."""
        found = self._resolved(self._origins(use), use.start, frozenset())
        refused = sorted((one for one in found if isinstance(one, Refused)), key=_by_message)
        if refused:
            raise refused[0]
        names = {one.text: one for one in found if isinstance(one, Written)}
        if len(names) != 1:
            shown = " or ".join(f"`{text}`" for text in sorted(names)) or "one out of sight"
            raise Refused(reasons.SESSION_CHANGES, shown, because=(use.place(),))
        ((text, written),) = names.items()
        self._check(use, text)
        return written

    def _resolved(
        self, origins: Iterable[Origin], site: ast.expr, above: frozenset[Kept]
    ) -> set[Written | Refused]:
        found: set[Written | Refused] = set()
        for origin in origins:
            if not isinstance(origin, Kept):
                found.add(origin)
            elif origin not in above:
                found |= self._passed(origin, site, above | {origin})
        return found

    def _passed(
        self, parameter: Kept, site: ast.expr, above: frozenset[Kept]
    ) -> set[Written | Refused]:
        """Return how the sessions of what callers pass are written in the function itself."""
        found: set[Written | Refused] = set()
        ways: dict[Segment, set[Written | Refused]] = {}
        for segment in self._web.definitions[parameter]:
            passage = self._way_into(parameter, segment)
            ways[segment] = self._resolved(self._origins(segment), segment.start, above)
            for one in ways[segment]:
                is_named = isinstance(one, Written) and passage is not None
                found.add(_inside(passage, one, site) if is_named else one)  # type: ignore[arg-type]
        if any(isinstance(one, Refused) and one.reason is _NOT_PASSED for one in found):
            name = self._by_parameter(parameter, ways)
            return found if name is None else {name}
        return found

    def _by_parameter(
        self, parameter: Kept, ways: Mapping[Segment, set[Written | Refused]]
    ) -> Written | None:
        """Return the name of a new parameter for the sessions of ``ways``; None if none can be."""
        given: dict[Passage, Written] = {}
        again: list[Passage] = []
        for segment, sessions in ways.items():
            passage, session = self._way_into(parameter, segment), next(iter(sessions), None)
            if passage is not None and not sessions and passage.frame is parameter.frame:
                again.append(passage)
                continue
            if passage is None or len(sessions) != 1 or not isinstance(session, Written):
                return None
            if given.setdefault(passage, session) != session or self._is_shared(passage):
                return None
            self._check(segment, session.text)
        node = parameter.binding.node if parameter.binding is not None else None
        known = self.parameters.get(parameter.frame)
        if not isinstance(node, ast.arg):
            return None
        if known is None or known.before is not node:
            reads = (one.node for one in self._web.uses if one.ending == "session")
            known = None if known else new_parameter(parameter.frame, node, given, again, reads)
        if known is None:
            return None
        self.parameters[parameter.frame] = known
        return Written(known.name)

    def _is_shared(self, passage: Passage) -> bool:
        """Whether the call may reach other methods too, which would need the parameter as well."""
        reached = self._web.passages.reached(passage.frame, passage.call)
        return isinstance(reached, Unknown) or len(reached) > 1

    def _check(self, use: Segment, text: str) -> None:
        """Raise Refused unless ``text`` is still the session of its query where ``use`` stands."""
        new = self.parameters.get(use.frame)
        if new is None or new.name != text:
            _check(self._web, use, text)

    # ----------------------------------------------------------------------------------- caveats
    def made_anew(self) -> str:
        """Return the caveat of a session that is read again from a property, if it is one."""
        for root in self._web.roots:
            receiver = root.receiver
            where = None if receiver is None else made_anew(root.frame.reader, receiver)
            if where and receiver is not None:
                return (
                    f"`{ast.unparse(receiver)}` is read again where the query runs, and the "
                    f"property of that name in {where} may give another session"
                )
        return ""

    def no_longer_called(self) -> str:
        """Return the caveat of a call that made a session for nothing but queries, if any did."""
        for root in self._web.roots:
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


def _is_parameter(kept: Kept) -> bool:
    return kept.binding is not None and kept.binding.kind == "parameter"


# ------------------------------------------------------------------------------ from call to call
def _outside(passage: Passage, session: Written) -> Written | Refused:
    """Return how the caller writes the ``session`` of the function that it calls."""
    into, caller = passage.into, passage.frame
    name, _, rest = session.text.partition(".")
    function = into.function.name
    detail = f"`{session.text}` is known to `{function}` alone"
    refused = Refused(reasons.SESSION_NOT_PASSED, detail, because=(caller.place(passage.call),))
    if not name.isidentifier() or _is_set(into, session.text):
        return refused
    own = into.flow.scope.bindings.get(into.flow.scope.mangled(name), [])
    if not own:
        return _global(into.reader, session, caller, passage.call, passage.call.func) or refused
    parameter = own[0].node
    if len(own) != 1 or own[0].kind != "parameter" or not isinstance(parameter, ast.arg):
        return refused
    given = passage.given(parameter)
    if given is None or not is_dotted(given):
        return refused
    text = ast.unparse(given)
    return Written(f"{text}.{rest}" if rest else text)


def _inside(passage: Passage, session: Written, site: ast.expr) -> Written | Refused:
    """Return how the called function writes the ``session`` of its caller."""
    into, caller = passage.into, passage.frame
    for parameter, _ in parameters_of(into.function.args):
        given = passage.given(parameter)
        text = None if given is None else ast.unparse(given)
        if text is not None and f"{session.text}.".startswith(f"{text}."):
            return Written(f"{parameter.arg}{session.text.removeprefix(text)}")
    name = session.text.partition(".")[0]
    is_local = caller.flow.scope.mangled(name) in caller.flow.scope.bindings
    found = None if is_local else _global(caller.reader, session, into, site, site)
    if found is not None:
        return found
    detail = f"`{into.function.name}` is not given `{session.text}` of its caller"
    return Refused(reasons.SESSION_NOT_PASSED, detail, because=(into.place(site),))


def _global(
    source: Reader, session: Written, frame: Frame, site: ast.expr, model: ast.expr
) -> Written | None:
    """Return how ``frame`` writes a session that stands at the top of a file; None if not so."""
    if not all(part.isidentifier() for part in session.text.split(".")):
        return None
    name = session.text.partition(".")[0]
    scopes = frame.reader.module.scopes
    if source.module.path == frame.path:
        is_top = scopes.owner(name, scopes.scope_of(site)) is scopes.module
        return session if is_top else None
    node: ast.expr = ast.parse(session.text, mode="eval").body
    rest = ""
    while True:
        owner = source.qualified(node)
        definition = None if owner is None else source.project.definition(owner)
        if owner is not None and definition is not None and definition.kind == "assignment":
            return _imported(frame, owner, rest, site, model)
        if not isinstance(node, ast.Attribute):
            return None
        rest = f".{node.attr}{rest}"
        node = node.value


def _imported(
    frame: Frame, owner: str, rest: str, site: ast.expr, model: ast.expr
) -> Written | None:
    """Return how ``frame`` writes what ``owner``, a variable of another file, has as ``rest``."""
    module = frame.reader.module
    seen = {
        ast.unparse(node.value): node
        for node in module.walk(frame.function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    for beside in (model, *seen.values()):
        way = frame.reader.project.name_in_scope(module, site, owner, beside)
        if not isinstance(way, str):
            needs = None if way.module is None else (way.module, way.text.partition(".")[0], None)
            return Written(f"{way.text}{rest}", needs)
    return None


# --------------------------------------------------------------------------------- still the same
def _check(web: Web, use: Segment, text: str) -> None:
    """Raise Refused unless ``text`` is still the session of its query where ``use`` stands."""
    frame, module, because = use.frame, use.frame.reader.module, (use.place(),)
    own, scopes = frame.flow.scope, module.scopes
    name = text.partition(".")[0]
    if not all(part.isidentifier() for part in text.split(".")):
        raise Refused(reasons.SESSION_CHANGES, f"`{text}` again", because=because)
    bindings = own.bindings.get(own.mangled(name), [])
    if _is_outdated(web, frame, bindings) or _is_set(frame, text):
        raise Refused(reasons.SESSION_CHANGES, f"what `{text}` is by then", because=because)
    if name in own.globals | own.nonlocals or _is_set_inside(frame, name):
        detail = f"`{text}`, which is set elsewhere"
        raise Refused(reasons.SESSION_CHANGES, detail, because=because)
    if scopes.owner(name, scopes.scope_of(use.start)) is not _owner(web, frame, name):
        raise Refused(reasons.SESSION_CHANGES, f"another `{name}`", because=because)


def _owner(web: Web, frame: Frame, name: str) -> Scope | None:
    """Return where the session's ``name`` belongs: at its query, if one is made in ``frame``."""
    scopes = frame.reader.module.scopes
    root = next((one for one in web.roots if one.frame is frame), None)
    return scopes.owner(name, frame.flow.scope if root is None else scopes.scope_of(root.start))


def _is_outdated(web: Web, frame: Frame, bindings: Iterable[Binding]) -> bool:
    """Whether the session's variable may be given a value between a query and what uses it."""
    changes = [one.node for one in bindings if one.kind != "parameter"]
    outdated = {
        read for name in web.variables(frame) for read in frame.flow.outdated(name, changes)
    }
    starts = {one.start for one in web.segments if one.frame is frame}
    return not outdated.isdisjoint(starts)


def _is_set_inside(frame: Frame, name: str) -> bool:
    """Whether a function inside this one gives the session's name another value."""
    is_local = frame.flow.scope.mangled(name) in frame.flow.scope.bindings
    return is_local and isinstance(frame.flow.definitions(name), Unknown)


def _is_set(frame: Frame, text: str) -> bool:
    """Whether the function sets the attribute that holds the session, or ends its use."""
    for node in frame.flow.parts(ast.Attribute):
        is_written = not isinstance(node.ctx, ast.Load)
        if is_written and text.startswith(ast.unparse(node)):
            return True
        if node.attr == "remove" and ast.unparse(node.value) == text:
            return True
    return False
