"""References of the lifespan to handlers in other places than the application."""

from __future__ import annotations

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.source.modules import Module


class Reference(Struct, frozen=True):
    """An expression for a function of another file.

    ``imported`` is what the file of the application must import for it, with an alias if the name
    is taken there; ``within`` is an import for the lifespan itself.
    """

    code: str
    imported: tuple[str, str, str] | None = None
    within: str = ""


class Reaching:
    """Finds names for what other files define, in the file of one application."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def reference_to(
        self, module: Module, name: str, place: Place, *, imported_first: bool
    ) -> Reference:
        """Return how to write ``name`` of ``module``; ``imported_first``: its file is imported
        before the application is made. Raises Refused.
        """
        home = self._home.module
        if module.path == home.path:
            return Reference(name)
        known = self._project.web.imports.name_of(home, module.path)
        # The parameter of the lifespan would hide a module of that name.
        if known not in {None, "app", "application"}:
            return Reference(f"{known}.{name}")
        certain = self._project.web.imports.certain(home, module.path)
        # A new import would run code that is not run at startup today.
        if not certain and not imported_first:
            raise Refused(reasons.REGISTERED_ELSEWHERE, module.path, because=(place,))
        taken = name in home.scopes.names()
        alias = home.scopes.fresh_name(f"{module.name.rpartition('.')[2]}_{name}") if taken else ""
        # At the top of the file this import could close a circle, or change the order.
        if not certain or not imported_first:
            renamed = f" as {alias}" if alias else ""
            return Reference(alias or name, within=f"from {module.name} import {name}{renamed}")
        return Reference(alias or name, imported=(module.name, name, alias))
