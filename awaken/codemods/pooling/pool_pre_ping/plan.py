"""The rule: every engine that is kept and never pinged gets `pool_pre_ping=True`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.pooling.pool_pre_ping import reasons
from awaken.codemods.pooling.pool_pre_ping.engines import engines
from awaken.contract import Level, Phase, Status
from awaken.kit.caveats.replaced_names import caveats_of
from awaken.kit.changes import Decided, decide
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine
from awaken.project.frameworks.sqlalchemy.engines.program_engines import ENGINE_WORDS

if TYPE_CHECKING:
    from awaken.project import Project

_REPORTED = ("pool_recycle", "pool_size", "max_overflow", "pool_timeout")
_KNOWN_POOLS = {"", "AsyncAdaptedQueuePool", "QueuePool", "SingletonThreadPool"}
"""Pools that keep connections; what is given none gets one of these."""
_COSTS = "each connection from the pool first sends a ping to the database"


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
            for engine in engines(project, module)
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
