"""Loads after a commit that must still refresh objects which the session has loaded already."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.changes import Decided, decide
from awaken.kit.sites import Rewrite, Site, shown_place
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later

if TYPE_CHECKING:
    from awaken.project import Project

_OPTION = "populate_existing"
_CAVEAT = "with `autoflush=False`, a change that is not flushed before then is lost"


def reloads(rule: str, project: Project, loads: Iterable[Later]) -> Iterator[Decided]:
    """Yield the decision on each load; a load with an unknown statement is left alone."""
    for event in {load.place: load for load in loads if load.is_clean}.values():
        sites = [Site(rule, *pair) for pair in project.calls_at(event.place)]
        edit = _edit(project, sites[0]) if len(sites) == 1 else None
        if edit is not None and not sites[0].module.in_fstring(sites[0].node):
            yield decide(sites[0], _rewrite, project, event, edit)


def _rewrite(site: Site[ast.Call], project: Project, load: Later, edit: Edit) -> Rewrite:
    return Rewrite(
        f"after the commit at {shown_place(project, load.commit)}, "
        f"`{site.module.excerpt(site.node)}` gets `{_OPTION}=True`, so that it still "
        "refreshes objects that no longer expire",
        [edit],
        [_CAVEAT],
        (load.commit,),
    )


def _edit(project: Project, site: Site[ast.Call]) -> Edit | None:
    reload = project.orm.commits.reloads.reload_by(site.module, site.node)
    if reload is None or not reload.is_certain:
        return None
    if reload.by_key:
        return site.add_keyword(site.node, _OPTION, "True")
    if not isinstance(reload.statement, ast.Call | ast.Name):
        return None
    return site.insert_behind(reload.statement, f".execution_options({_OPTION}=True)")
