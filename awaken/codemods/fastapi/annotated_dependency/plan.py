"""The rule: each function with markers as defaults."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.direct_calls import caveats_of
from awaken.codemods.fastapi.annotated_dependency.markers import (
    Marked,
    functions,
    read,
)
from awaken.codemods.fastapi.annotated_dependency.order import ordered
from awaken.contract import Constraints, Edit, Phase, Plan, Rewriter
from awaken.kit.changes import decide, plan_of
from awaken.kit.imports import imports_here
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project

_ANNOTATED = "Annotated"
_HOMES = {"typing", "typing_extensions"}


class AnnotatedDependency(Rule):
    """Rewrites ``x: T = Depends(f)`` to ``x: Annotated[T, Depends(f)]``."""

    name = "annotated-dependency"
    family = "fastapi"
    phase = Phase.TIDY
    since = "0.1.0"
    triggers = (b"fastapi",)
    # FastAPI reads `Annotated` from 0.95 on, and `typing` has it from 3.9 on.
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.95", "python": ">=3.9"}
    reasons = reasons.ALL

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per function with marked parameters, and its change."""
        del constraints  # every site is a change of its own
        return plan_of(
            decide(
                Site(self.name, module, marked[0].parameter),
                _rewrite,
                project,
                function,
                marked,
            )
            for module in site_modules(project, self.triggers)
            for function, marked in functions(project, module)
        )

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the function that writes the parameters anew."""
        from awaken.codemods.fastapi.annotated_dependency.rewrite import (  # noqa: PLC0415
            rewrite_function,
        )

        return {"function": rewrite_function}


def _rewrite(
    site: Site[ast.arg], project: Project, function: Function, marked: Sequence[Marked]
) -> Rewrite:
    """Return how the parameters of ``function`` are annotated. Raises Refused."""
    parameters = [read(project, site.module, one) for one in marked]
    rewrite = ordered(function, marked, parameters)
    caveats = caveats_of(project, site.module, function, marked, rewrite)
    edits = [site.rewrite_header(function, "function", rewrite), *_imports(site, function)]
    *others, last = (f"`{one.name}`" for one in marked)
    names = f"{', '.join(others)} and {last}" if others else last
    verb = "becomes" if len(marked) == 1 else "become"
    message = f"{names} of `{function.name}` {verb} Annotated"
    if rewrite.star:
        message += f", with a `*` in front of `{rewrite.star}`"
    return Rewrite(message, edits, caveats)


def _imports(site: Site[ast.arg], function: Function) -> list[Edit]:
    """Return the edit that imports Annotated, if the file does not. Raises Refused."""
    taken = Refused(reasons.NAME_TAKEN)
    statements = imports_here(site.module, function, _ANNOTATED, _HOMES, taken)
    # What stands in a branch may not be there when the function is defined.
    if any(site.module.parent(one) is not site.module.tree for one in statements):
        raise taken
    return [] if statements else [site.need_import("typing", _ANNOTATED)]
