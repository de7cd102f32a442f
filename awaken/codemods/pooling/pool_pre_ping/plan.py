"""The rule: every engine that is kept and never pinged gets `pool_pre_ping=True`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.pooling.pool_pre_ping import reasons
from awaken.contract import Level, Phase, Status
from awaken.kit.caveats.replaced_names import caveats_of
from awaken.kit.changes import Decided, decide
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import UNPOOLED, Engine
from awaken.project.frameworks.sqlalchemy.engines.program_engines import ENGINE_WORDS
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_REPORTED = ("pool_recycle", "pool_size", "max_overflow", "pool_timeout")
_KNOWN_POOLS = {"", "AsyncAdaptedQueuePool", "QueuePool", "SingletonThreadPool"}
"""Pools that keep connections; what is given none gets one of these."""
_COSTS = "each connection from the pool first sends a ping to the database"
_FACTORIES = {"async_sessionmaker", "scoped_session", "sessionmaker"}
_PASSING = {"alembic", "migrations", "scripts", "versions"}
"""Folders of what runs once and ends."""
_PING = "pool_pre_ping"


class PoolPrePing(SiteRule):
    """Adds ``pool_pre_ping=True`` to engines."""

    name = "pool-pre-ping"
    family = "pooling"
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = ENGINE_WORDS
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.2"}
    status = Status.PREVIEW
    reasons = reasons.ALL

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per engine that is kept and not pinged, and its change."""
        return (
            decide(Site(self.name, module, engine.call), _rewrite, project, engine)
            for module in site_modules(project, self.triggers)
            for engine in _engines(project, module)
        )


def _rewrite(site: Site[ast.Call], project: Project, engine: Engine) -> Rewrite:
    """Return how the engine is given the argument. Raises Refused."""
    _check(project, engine)
    replaced = project.replaced_names.replacements_of(site.module, site.node.func)
    doubles, places = caveats_of(site.module, site.node.func, replaced)
    return Rewrite(
        f"`{site.module.excerpt(site.node.func)}(...)` gets `pool_pre_ping=True`",
        [site.add_keyword(site.node, "pool_pre_ping", "True")],
        [_COSTS, *_missing(engine), *doubles],
        places,
    )


def _missing(engine: Engine) -> list[str]:
    """Return which other settings of the pool the engine leaves at their defaults."""
    names = [f"`{name}`" for name in _REPORTED if name not in engine.options]
    if not names:
        return []
    others, last = names[:-1], names[-1]
    return [f"nothing sets {', '.join(others)} and {last}" if others else f"nothing sets {last}"]


def _check(project: Project, engine: Engine) -> None:
    """Raise Refused where the argument may be given already, or would not do what it says."""
    options, module = engine.options, engine.module
    # The pool is made already: the option belongs to its own constructor.
    if "pool" in options:
        raise Refused(reasons.OWN_POOL)
    if "strategy" in options:
        raise Refused(reasons.OTHER_ENGINE)
    # `engine_from_config` reads its options from a mapping, which may already contain this one.
    if engine.configured:
        raise Refused(reasons.CONFIGURED)
    if engine.unpacked_mappings:
        raise Refused(reasons.UNSEEN_OPTIONS, module.excerpt(engine.unpacked_mappings[0]))
    if project.orm.engines.pool_of(engine) not in _KNOWN_POOLS:
        raise Refused(reasons.UNSEEN_POOL, module.excerpt(options["poolclass"]))


def _engines(project: Project, module: Module) -> Iterator[Engine]:
    """Yield the engines of one file that may need to be pinged, in the order of the source."""
    # A short-lived program keeps no connection long enough to lose it.
    if is_test_file(module.path) or _passes(module.path):
        return
    for engine in project.orm.engines.in_file(module):
        if _is_kept(module, engine.call) and not _is_decided(project, engine):
            yield engine


def _passes(path: str) -> bool:
    """Whether a file is one of those that run once and end."""
    *folders, name = path.split("/")
    return not _PASSING.isdisjoint(folders) or name.startswith("migrat")


def _is_decided(project: Project, engine: Engine) -> bool:
    """Whether the call itself shows that it needs nothing."""
    pool = project.orm.engines.pool_of(engine)
    if _PING in engine.options or pool in UNPOOLED or _pings(engine.options.get("pool")):
        return True
    if _is_sqlite(project, engine):
        return True
    # The mapping may hold the option if any file of the program names it.
    is_unseen = engine.configured or bool(engine.unpacked_mappings)
    return is_unseen and bool(project.files_with((_PING.encode(),)))


def _pings(pool: ast.expr | None) -> bool:
    """Whether a pool that the engine gets is made with its own option."""
    return isinstance(pool, ast.Call) and any(node.arg == "pre_ping" for node in pool.keywords)


# ------------------------------------------------------------------------------ whether it is kept
def _is_kept(module: Module, call: ast.Call) -> bool:
    """Whether the engine outlives the function that makes it."""
    function = module.enclosing_function(call)
    above = module.parent(call)
    if isinstance(above, ast.Attribute):  # create_engine(url).connect()
        return False
    if function is None:
        return True
    match above:
        case ast.Return() | ast.Yield():
            return True
        case ast.Assign() | ast.AnnAssign():
            return any(_keeps(module, node, function) for node in targets_of(above))
        # A factory of sessions keeps the engine that it is given.
        case ast.keyword() | ast.Call():
            return _makes_sessions(module, call)
    return False


def _keeps(module: Module, target: ast.expr, function: ast.AST) -> bool:
    if isinstance(target, ast.Attribute | ast.Subscript):
        return True
    if not isinstance(target, ast.Name):
        return False
    scope = module.scopes.scope_made_by(function)
    # The name lives on when the function has ended.
    if target.id in scope.globals | scope.nonlocals:
        return True
    return any(_lets_out(module, read) for read in module.scopes.reads_in(scope, target.id))


def _lets_out(module: Module, read: ast.Name) -> bool:
    """Whether a read of the engine gives it to what lives on."""
    above = module.parent(read)
    # `return engine, Session` lets both out.
    if isinstance(above, ast.Tuple):
        above = module.parent(above)
    match above:
        case ast.Return() | ast.Yield():
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
    return _makes_sessions(module, read) and _is_let_out(module, read)


def _makes_sessions(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is given to a factory of sessions."""
    call = module.call_taking(node)
    return call is not None and last_name(call.func) in _FACTORIES


def _is_let_out(module: Module, node: ast.expr) -> bool:
    """Whether the statement around ``node`` returns or stores what it makes."""
    match module.statement_of(node):
        case ast.Return():
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
    return False


# ---------------------------------------------------------------------------- whether it is SQLite
def _is_sqlite(project: Project, engine: Engine) -> bool:
    url = project.orm.engines.url_of(engine)
    # A file on the same machine has no server that drops connections.
    return url is not None and url.dialects == ("sqlite",)
