"""The rule itself: what becomes of each function with markers as defaults."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.direct_calls import caveats_of
from awaken.codemods.fastapi.annotated_dependency.markers import (
    Function,
    Marked,
    functions,
    read,
)
from awaken.codemods.fastapi.annotated_dependency.order import ordered
from awaken.contract import (
    Change,
    Edit,
    Finding,
    NeedImport,
    NodeEdit,
    Phase,
    Pins,
    Plan,
    Reason,
    Rewriter,
)
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Site, planned

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ANNOTATED = "Annotated"
_HOMES = {"typing", "typing_extensions"}


class AnnotatedDependency(Rule):
    """Rewrites ``x: T = Depends(f)`` to ``x: Annotated[T, Depends(f)]``."""

    name: ClassVar[str] = "annotated-dependency"
    family: ClassVar[str] = "fastapi"
    phase: ClassVar[Phase] = Phase.TIDY
    since: ClassVar[str] = "0.1.0"
    triggers: ClassVar[tuple[bytes, ...]] = (b"fastapi",)
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.95", "python": ">=3.9"}
    reasons: ClassVar[tuple[Reason, ...]] = reasons.ALL

    def plan(self, project: Project, pins: Pins) -> Plan:
        """Return one finding per function with marked parameters, and its change."""
        del pins  # every site is a change of its own
        decided = [
            _decide(project, module, function, marked, self.name)
            for path in project.site_files(self.triggers)
            if (module := project.module(path)) is not None
            for function, marked in functions(project, module)
        ]
        return planned(decided)

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the function that writes the parameters anew."""
        from awaken.codemods.fastapi.annotated_dependency.rewrite import (  # noqa: PLC0415
            rewrite_function,
        )

        return {"function": rewrite_function}


def _decide(
    project: Project, module: Module, function: Function, marked: Sequence[Marked], rule: str
) -> tuple[Finding, Change | None]:
    site = Site(rule, module, marked[0].parameter)
    try:
        parameters = [read(project, module, one) for one in marked]
        rewrite = ordered(function, marked, parameters)
        caveats = caveats_of(project, module, function, marked, rewrite)
        edits: list[Edit] = [
            NodeEdit(
                path=module.path,
                anchor=module.span(function),
                node=type(function).__name__,
                rewriter="function",
                data=rewrite,
                site=site.id,
            ),
            *_imports(module, function, site),
        ]
    except Refused as refused:
        return site.refused(refused), None
    *others, last = (f"`{one.name}`" for one in marked)
    names = f"{', '.join(others)} and {last}" if others else last
    verb = "becomes" if len(marked) == 1 else "become"
    message = f"{names} of `{function.name}` {verb} Annotated"
    if rewrite.star:
        message += f", with a `*` in front of `{rewrite.star}`"
    return site.rewritten(message, edits, caveats)


def _imports(module: Module, function: Function, site: Site) -> list[Edit]:
    """Return the edit that imports Annotated, if the file does not. Raises Refused."""
    scopes = module.scopes
    owner = scopes.owner(_ANNOTATED, scopes.scope_of(function))
    bindings = [] if owner is None else owner.bindings[_ANNOTATED]
    for binding in bindings:
        statement = module.parent(binding.node)
        if not isinstance(statement, ast.ImportFrom) or statement.module not in _HOMES:
            raise Refused(reasons.NAME_TAKEN)
        if module.parent(statement) is not module.tree:
            raise Refused(reasons.NAME_TAKEN)
    if bindings:
        return []
    return [NeedImport(path=module.path, module="typing", name=_ANNOTATED, site=site.id)]
