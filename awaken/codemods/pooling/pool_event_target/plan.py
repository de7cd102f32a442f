"""The rule itself: which listeners are given an asynchronous target, and what becomes of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.pooling.pool_event_target import reasons
from awaken.contract import Change, Edit, Finding, Phase, Pins, Plan, Reason, Span, TextEdit
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Site, planned
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_FUNCTIONS = {
    f"sqlalchemy.event.{name}" for name in ("contains", "listen", "listens_for", "remove")
}
_COUNTERPARTS = {
    "sqlalchemy.ext.asyncio.AsyncEngine": "sync_engine",
    "sqlalchemy.ext.asyncio.AsyncConnection": "sync_connection",
}
_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"
_SYNC_SESSION = "sync_session"
_PRIMARIES = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
_CATCHING = {
    None, "builtins.BaseException", "builtins.Exception", "builtins.NotImplementedError",
    "builtins.RuntimeError",
}  # fmt: skip
_EXPECTING = {"pytest.raises"}
_SWALLOWING = {"contextlib.suppress"}


@dataclass(frozen=True, slots=True)
class _Listening:
    """One call that listens to ``target``; ``counterpart`` is the attribute to listen to."""

    call: ast.Call
    target: ast.expr
    counterpart: str


class PoolEventTarget(Rule):
    """Rewrites ``listens_for(async_engine, ...)`` to listen to ``async_engine.sync_engine``."""

    name: ClassVar[str] = "pool-event-target"
    family: ClassVar[str] = "pooling"
    phase: ClassVar[Phase] = Phase.REPAIR
    since: ClassVar[str] = "0.1.0"
    triggers: ClassVar[tuple[bytes, ...]] = (b"listen", b"event.remove", b"event.contains")
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    preview: ClassVar[bool] = True
    reasons: ClassVar[tuple[Reason, ...]] = reasons.ALL

    def plan(self, project: Project, pins: Pins) -> Plan:
        """Return one finding per listener with an asynchronous target, and its change."""
        del pins  # every site is a change of its own
        decided = [
            _decide(project, module, one, self.name)
            for path in project.site_files(self.triggers)
            if (module := project.module(path)) is not None
            for one in _listenings(project, module)
        ]
        return planned(decided)


def _listenings(project: Project, module: Module) -> Iterator[_Listening]:
    for node in module.walk():
        if not isinstance(node, ast.Call):
            continue
        target = _target(node)
        if target is None or project.qualified_name(module, node.func) not in _FUNCTIONS:
            continue
        counterpart = _counterpart(project, module, target)
        if counterpart is not None:
            yield _Listening(node, target, counterpart)


def _target(call: ast.Call) -> ast.expr | None:
    if call.args:
        return None if isinstance(call.args[0], ast.Starred) else call.args[0]
    return next((one.value for one in call.keywords if one.arg == "target"), None)


def _counterpart(project: Project, module: Module, target: ast.expr) -> str | None:
    """Return the attribute with the synchronous counterpart of ``target``.

    It is empty for the classes themselves, and None for everything else.
    """
    name = project.qualified_name(module, target)
    if name in _COUNTERPARTS or name == _SESSION:
        return ""
    found = {_COUNTERPARTS.get(one) for one in project.instance_of(module, target)}
    if len(found) == 1:
        return found.pop()
    proof = project.orm.session_of(module, target)
    if isinstance(proof, SessionProof) and proof.kind == "async" and not proof.unless:
        return _SYNC_SESSION
    return None


def _decide(
    project: Project, module: Module, listening: _Listening, rule: str
) -> tuple[Finding, Change | None]:
    site = Site(rule, module, listening.call)
    target = module.excerpt(listening.target)
    try:
        caveats = _judged(project, module, listening)
    except Refused as refused:
        return site.refused(refused), None
    message = f"`{target}` becomes `{target}.{listening.counterpart}` as the target of an event"
    return site.rewritten(message, _edits(site, listening), caveats)


def _judged(project: Project, module: Module, listening: _Listening) -> list[str]:
    """Return what may change if the target is rewritten. Raises Refused."""
    if not listening.counterpart:
        raise Refused(reasons.CLASS_TARGET, module.excerpt(listening.target))
    if module.in_fstring(listening.call):
        raise Refused(reasons.INSIDE_FSTRING)
    listener = _async_listener(module, listening.call)
    if listener is not None:
        raise Refused(reasons.ASYNC_LISTENER, listener)
    return list(dict.fromkeys(_of_guards(project, module, listening.call)))


def _of_guards(project: Project, module: Module, call: ast.Call) -> Iterator[str]:
    for guard in project.effects.guards(module, call):
        if guard.kind == "handler" and not _CATCHING.isdisjoint(guard.catches):
            yield "it fails today, which an `except` around hides"
    for above in module.ancestors(call):
        for item in above.items if isinstance(above, ast.With | ast.AsyncWith) else ():
            context = item.context_expr
            function = context.func if isinstance(context, ast.Call) else context
            name = project.qualified_name(module, function)
            if name in _EXPECTING:
                raise Refused(reasons.EXPECTED_FAILURE)
            if name in _SWALLOWING:
                yield "it fails today, which `suppress` around hides"


def _async_listener(module: Module, call: ast.Call) -> str | None:
    """Return the name of the listener if it is a coroutine function."""
    above = module.parent(call)
    if isinstance(above, ast.AsyncFunctionDef) and call in above.decorator_list:
        return above.name
    given = call.args[2] if len(call.args) > len(("target", "identifier")) else None
    given = given or next((one.value for one in call.keywords if one.arg == "fn"), None)
    if isinstance(given, ast.Name):
        bindings = module.scopes.bindings_of(given)
        if any(isinstance(one.node, ast.AsyncFunctionDef) for one in bindings):
            return given.id
    return None


def _edits(site: Site, listening: _Listening) -> list[Edit]:
    path, span = site.module.path, site.module.span(listening.target)
    attribute = f".{listening.counterpart}"
    start, end = Span(span.start, span.start), Span(span.end, span.end)
    if isinstance(listening.target, _PRIMARIES):
        return [TextEdit(path=path, anchor=end, text=attribute, site=site.id)]
    return [
        TextEdit(path=path, anchor=start, text="(", site=site.id),
        TextEdit(path=path, anchor=end, text=f"){attribute}", site=site.id),
    ]
