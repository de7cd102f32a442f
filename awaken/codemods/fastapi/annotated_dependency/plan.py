"""The rule: each function with markers as defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.direct_calls import caveats_of, may_be_called
from awaken.codemods.fastapi.annotated_dependency.markers import Marked, functions, read
from awaken.codemods.fastapi.annotated_dependency.parameter_order import (
    ordered_signature,
    put_in_front,
)
from awaken.contract import Constraints, Edit, Phase, Place, Plan, Rewriter
from awaken.kit.changes import decide, plan_of
from awaken.kit.imports import imports_here
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site, listed_names
from awaken.project.source.trees import Function
from awaken.workspace.manifests.type_checkers import TYPE_CHECKER_READS

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ANNOTATED = "Annotated"
_ANY = "Any"
_HOMES = {"typing", "typing_extensions"}


class AnnotatedDependency(Rule):
    """Rewrites ``x: T = Depends(f)`` to ``x: Annotated[T, Depends(f)]``."""

    name = "annotated-dependency"
    family = "fastapi"
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"fastapi",)
    # FastAPI reads `Annotated` from 0.95 on, and `typing` has it from 3.9 on.
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.95", "python": ">=3.9"}
    reads = TYPE_CHECKER_READS
    reasons = reasons.ALL
    pieces: ClassVar[Mapping[str, str]] = {
        "*,": "the next parameter loses its default, but follows one that has a default",
        "Any,": "FastAPI treats a parameter without a type as Any",
    }

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per function with marked parameters, and its change."""
        sites = _Sites(project, constraints.decided)
        project.calls.search_callers(
            sites.functions_called_directly(site_modules(project, self.triggers))
        )
        return plan_of(
            decide(
                Site(self.name, module, marked[0].parameter),
                _rewrite,
                project,
                function,
                marked,
            )
            for module, function, marked in sites
        )

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the function that rewrites the parameters."""
        from awaken.codemods.fastapi.annotated_dependency import rewrite  # noqa: PLC0415

        return {"function": rewrite.rewrite_function}


class _Sites:
    """The functions with marked parameters, except those that are ``decided`` already.

    They are gone through twice: all their callers are searched at once, before any is judged.
    """

    def __init__(self, project: Project, decided: frozenset[Place]) -> None:
        self._project = project
        self._decided = decided
        self._paths: list[str] = []

    def functions_called_directly(
        self, modules: Iterable[Module]
    ) -> Iterator[tuple[Module, Function]]:
        """Yield those functions of ``modules`` whose direct calls matter."""
        for module in modules:
            result = [function for function, _ in self._pairs_of(module)]
            if result:
                self._paths.append(module.path)
            for function in result:
                if may_be_called(self._project, module, function):
                    yield module, function

    def __iter__(self) -> Iterator[tuple[Module, Function, Sequence[Marked]]]:
        for module in self._project.modules_at(self._paths):
            yield from ((module, *pair) for pair in self._pairs_of(module))

    def _pairs_of(self, module: Module) -> Iterator[tuple[Function, Sequence[Marked]]]:
        for function, marked in functions(self._project, module):
            if module.place(marked[0].parameter) not in self._decided:
                yield function, marked


def _rewrite(
    site: Site[ast.arg], project: Project, function: Function, marked: Sequence[Marked]
) -> Rewrite:
    """Return how the parameters of ``function`` are annotated. Raises Refused."""
    parameters = [read(project, site.module, parameter) for parameter in marked]
    rewrite = ordered_signature(function, marked, parameters)
    caveats = caveats_of(project, site.module, function, marked, rewrite)
    untyped = [parameter.name for parameter in marked if parameter.parameter.annotation is None]
    edits = [
        site.rewrite_header(function, "function", rewrite),
        *_imports(site, function, _ANNOTATED),
        *(_imports(site, function, _ANY) if untyped else ()),
    ]
    names = listed_names([parameter.name for parameter in marked])
    verb = "becomes" if len(marked) == 1 else "become"
    message = f"{names} of `{function.name}` {verb} `Annotated`"
    if rewrite.star:
        message += f"; `*` comes before `{rewrite.star}`, which no longer has a default"
    in_front, first = put_in_front(function, rewrite)
    if in_front:
        moves = "moves" if len(in_front) == 1 else "move"
        message += f"; {listed_names(in_front)} {moves} before `{first}`, which has a default"
    if untyped:
        message += f"; the type of {listed_names(untyped)} is `Any`"
    return Rewrite(message, edits, caveats)


def _imports(site: Site[ast.arg], function: Function, name: str) -> list[Edit]:
    """Return the edit that imports ``name``, if the file does not. Raises Refused."""
    taken = Refused(reasons.NAME_TAKEN, name)
    statements = imports_here(site.module, function, name, _HOMES, taken)
    # A statement in a branch may not have run when the function is defined.
    if any(site.module.parent(statement) is not site.module.tree for statement in statements):
        raise taken
    return [] if statements else [site.need_import("typing", name)]
