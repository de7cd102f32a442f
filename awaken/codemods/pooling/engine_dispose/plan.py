"""The rule: engines that nobody disposes of, and the end of the lifespan that should."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.pooling.engine_dispose import reasons
from awaken.contract import Edit, Level, Phase, Place, Reason, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.rule import SiteRule
from awaken.kit.search import SCRIPTS, imported_as, is_imported, nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.kit.web.lifespans import caveats_of_installers, lifespan_edits, may_get_lifespan
from awaken.knowledge import knowledge
from awaken.project.effects import suspensions
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.frameworks.resources import Opening, is_aside, openings, words
from awaken.project.frameworks.web.served_applications import Served
from awaken.project.source.trees import variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_SPELT = {"AsyncEngine", "sync_engine"}
_CAVEAT = "shutdown now waits until the connections are closed"


class _Engine(Struct, frozen=True):
    """An engine that is made at the top of a module, where it is called ``name``."""

    opening: Opening
    name: str

    @property
    def qualified_name(self) -> str:
        return f"{self.opening.module.name}.{self.name}"


class EngineDispose(SiteRule):
    """Adds ``await engine.dispose()`` to the end of the application's lifespan."""

    name = "engine-dispose"
    family = "pooling"
    phase = Phase.LIFESPAN
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    # The handlers' move makes the lifespan that this rule extends.
    after = ("on-event-to-lifespan",)
    triggers = words("async-engine")
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.OPT_IN
    reasons = reasons.ALL
    reads = (SCRIPTS,)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per engine that nobody disposes of, and its change."""
        engines = [engine for engine in _engines(project) if not _may_be_disposed(project, engine)]
        served = project.web.serving.all if engines else ()
        engines = [each for each in engines if served and not _is_of_script(project, each, served)]
        rewrite = _rewrite if len(engines) == 1 else _rewritten_end
        return (
            decide(
                Site(self.name, engine.opening.module, engine.opening.call),
                rewrite,
                project,
                engine,
                served,
            )
            for engine in engines
        )


def _engines(project: Project) -> Iterator[_Engine]:
    for opening in openings(project, "async-engine"):
        statement = opening.module.parent(opening.call)
        variable = variable_of(statement)
        if variable is not None and statement in opening.module.tree.body:
            yield _Engine(opening, variable.id)


def _is_of_script(project: Project, engine: _Engine, served: tuple[Served, ...]) -> bool:
    """Whether the file of an engine is a script, which an import in the application would run."""
    module, homes = engine.opening.module, {server.module.path for server in served}
    is_beside = homes.isdisjoint({module.path, *project.web.imports.files_imported_by(module)})
    return is_beside and not is_imported(project, module)


def _may_be_disposed(project: Project, engine: _Engine) -> bool:
    """Whether some ``dispose`` of the program, its tests apart, may be of this engine."""
    for module, node in nodes_with(project, (b"dispose",), ast.Attribute, unless=is_aside):
        if node.attr == "dispose":
            owner = node.value
            # `engine.sync_engine.dispose()` closes the same pool.
            if isinstance(owner, ast.Attribute) and owner.attr in _SPELT:
                owner = owner.value
            name = project.qualified_name(module, owner)
            if name == engine.qualified_name or not _is_another(project, module, owner, name):
                return True
    return False


def _is_another(project: Project, module: Module, node: ast.expr, name: str | None) -> bool:
    """Whether ``node`` is known to be something else than an engine that a module has."""
    pair = project.value_at(name)
    if pair is not None:
        return _makes_one(project, *pair)
    bindings = module.scopes.bindings_of(node)
    is_local = all(binding.scope.kind == "function" for binding in bindings)
    made = all(_makes_one(project, module, binding.value) for binding in bindings)
    return bool(bindings) and is_local and made


def _makes_one(project: Project, module: Module, node: ast.expr | None) -> bool:
    """Whether ``node`` makes an engine of its own."""
    if not isinstance(node, ast.Call):
        return False
    return (project.qualified_name(module, node.func) or "") in knowledge().opens


def _rewrite(
    site: Site[ast.Call], project: Project, engine: _Engine, served: tuple[Served, ...]
) -> Rewrite:
    """Return how the application disposes of its only engine. Raises Refused."""
    app = _application(engine, served)
    if not may_get_lifespan(project, app):
        return _rewritten_end(site, project, engine, served)
    made: Site[ast.Call] = Site(site.rule, app.module, app.call)
    imports = _imports(project, engine, app.module, app.call, site)
    edits = lifespan_edits(project, made, f"yield\nawait {engine.name}.dispose()\n")
    own: list[Edit] = [replace(edit, site=site.id) for edit in edits]
    unseen = caveats_of_installers(project.web.installations.installations_on(app.application))
    return Rewrite(
        f"{_display_text(app)} gets a lifespan that disposes of `{engine.name}`; nothing else does",
        [*own, *imports],
        [*_caveats(project, app.module, site, imports), *unseen],
        (made.place,),
    )


def _rewritten_end(
    site: Site[ast.Call], project: Project, engine: _Engine, served: tuple[Served, ...]
) -> Rewrite:
    """Return how the lifespan disposes of the engine. Raises Refused."""
    home, lifespan, last = _end(project, engine, _application(engine, served))
    imports = _imports(project, engine, home, lifespan.body[0], site)
    end = home.place(last, f"the end of `{lifespan.name}`")
    return Rewrite(
        f"`{lifespan.name}` disposes of `{engine.name}` at its end, because nothing else does",
        [site.insert_statements(end, "after", f"await {engine.name}.dispose()"), *imports],
        _caveats(project, home, site, imports),
        (end,),
    )


def _caveats(
    project: Project, home: Module, site: Site[ast.Call], imports: list[Edit]
) -> list[str]:
    """Return what may change; an import runs that file's code earlier, or for the first time."""
    if not imports or project.web.imports.certain(home, site.module.path):
        return [_CAVEAT]
    return [_CAVEAT, f"{home.path} now imports {site.module.path}"]


def _refusal(engine: _Engine, reason: Reason, detail: str, *because: Place) -> Refused:
    """Return why nothing is added, with help that names the engine."""
    cure = reason.help.replace("engine.dispose()", f"{engine.name}.dispose()")
    return Refused(reason, detail, cure, because)


def _application(engine: _Engine, served: tuple[Served, ...]) -> Served:
    """Return the application that is meant. Raises Refused."""
    # Nothing tells which of them the engine belongs to.
    if len(served) > 1:
        places = (server.application.made for server in served)
        raise _refusal(engine, reasons.SEVERAL_APPLICATIONS, str(len(served)), *places)
    return served[0]


def _display_text(app: Served) -> str:
    return f"`{app.module.excerpt(app.call.func)}(...)`"


def _end(
    project: Project, engine: _Engine, app: Served
) -> tuple[Module, ast.AsyncFunctionDef, ast.stmt]:
    """Return the lifespan and the statement after which it ends. Raises Refused."""
    shown, made = _display_text(app), app.application.made
    if app.given is None and (app.handles or project.web.registrations.all):
        raise _refusal(engine, reasons.HANDLERS, shown, made)
    if app.given is not None and app.lifespan is None:
        raise _refusal(engine, reasons.UNKNOWN_LIFESPAN, shown, made)
    if app.lifespan is None:
        raise _refusal(engine, reasons.NO_LIFESPAN, shown, made)
    home, lifespan = app.lifespan
    last = _last(lifespan)
    if last is None:
        place = home.place(lifespan)
        raise _refusal(engine, reasons.SHAPE, lifespan.name, place)
    return home, lifespan, last


def _last(lifespan: ast.AsyncFunctionDef) -> ast.stmt | None:
    """Return the statement after which the lifespan always ends; None where none is that."""
    yields = suspensions(lifespan).yields
    returns = any(isinstance(node, ast.Return) for node in own_nodes(lifespan.body))
    # Code after an early `return` may never run.
    if len(yields) != 1 or returns:
        return None
    body = lifespan.body
    while True:
        around = next((statement for statement in body if yields[0] in ast.walk(statement)), None)
        match around:
            case ast.Expr():
                return body[-1] if body is lifespan.body else around
            # Only `finally` runs when an error ends the `yield`.
            case ast.Try(finalbody=[*_, last]) if body[-1] is around:
                return last
            case ast.With() | ast.AsyncWith() if body is lifespan.body:
                return _end_after(around, body)
        return None


def _end_after(manager: ast.With | ast.AsyncWith, body: list[ast.stmt]) -> ast.stmt | None:
    """Return the end of ``body`` if the ``yield`` of ``manager`` is a statement of its own."""
    inside: list[ast.stmt] = manager.body
    while len(inside) == 1 and isinstance(inside[0], ast.With | ast.AsyncWith):
        inside = inside[0].body
    direct = any(isinstance(one, ast.Expr) and isinstance(one.value, ast.Yield) for one in inside)
    return body[-1] if direct else None


def _imports(
    project: Project, engine: _Engine, home: Module, here: ast.AST, site: Site[ast.Call]
) -> list[Edit]:
    """Return what makes the engine known ``here`` by its own name. Raises Refused."""
    owner = home.scopes.owner(engine.name, home.scopes.scope_of(here))
    if owner is not None and home.path == site.module.path and owner is home.scopes.module:
        return []
    if owner is not None:
        meant = home.scopes.module.bindings.get(engine.name, [])
        name = project.qualified_name(home, ast.copy_location(ast.Name(engine.name), here))
        if owner is home.scopes.module and meant and name == engine.qualified_name:
            return []
        raise _refusal(engine, reasons.NAME_TAKEN, engine.name)
    # The engine's file imports this one: the import would close a circle.
    if project.web.imports.certain(site.module, home.path):
        raise _refusal(engine, reasons.CIRCULAR, home.path)
    name = imported_as(project, site.module, home)
    return [site.need_import(name, engine.name, path=home.path)]
