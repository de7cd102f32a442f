"""A lifespan for an application that has none."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from textwrap import indent
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Site
from awaken.knowledge.applications import application_classes
from awaken.project.frameworks.web.installers import Installation
from awaken.project.frameworks.web.served_applications import MANAGER, Served
from awaken.project.source.expressions.expression_uses import passed_keywords
from awaken.project.source.trees import variable_of

if TYPE_CHECKING:
    from awaken.project import Project


def may_get_lifespan(project: Project, served: Served) -> bool:
    """Whether a lifespan of an application that has none would silence no handler."""
    module, call, web = served.module, served.call, project.web
    keywords = {name for name, _ in passed_keywords(module, call)}
    is_plain = keywords.isdisjoint({None, "lifespan", "on_shutdown", "on_startup"})
    # A subclass may take other arguments.
    is_class = project.qualified_name(module, call.func) in application_classes()
    if served.given is not None or not (is_plain and is_class):
        return False
    # It replaces the handlers of routers, too.
    is_silent = not (served.handles or web.registrations.all)
    return is_silent and all(
        installation.effect not in {"registers", "replaces"}
        for installation in web.installations.installations_on(served.application)
    )


def caveats_of_installers(installations: Iterable[Installation]) -> list[str]:
    """Return what a new lifespan may change because of code that is not visible, as clauses."""
    return [
        f"`{installation.name}` gets the application: if it registers handlers, they stop running"
        for installation in installations
        if installation.effect is None
    ]


def lifespan_edits(project: Project, site: Site[ast.Call], body: str) -> list[Edit]:
    """Return the edits that give the application that ``site`` makes a lifespan.

    ``body`` has its statements, with the ``yield``. The function is above the statement of the file
    that makes the application. Raises Refused where a name of it means something else.
    """
    module, call = site.module, site.node
    manager, imports = name_from_same_module(project, site, None, MANAGER)
    iterator, more = name_from_same_module(project, site, None, "collections.abc.AsyncIterator")
    name = module.scopes.fresh_name("lifespan", "app_lifespan")
    variable = variable_of(module.parent(call))
    parameter = "app" if variable is None else variable.id
    code = (
        f"@{manager}\nasync def {name}({parameter}: {module.text_of(call.func)})"
        f" -> {iterator}[None]:\n{indent(body, '    ')}"
    )
    outermost = [part for part, above in module.steps_up(call) if above is module.tree]
    return [
        site.insert_statements(module.place(outermost[0]), "before", code),
        site.add_keyword(call, "lifespan", name),
        *imports,
        *more,
    ]
