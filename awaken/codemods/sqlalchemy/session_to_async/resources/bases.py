"""Bases of mapped classes: they get `AsyncAttrs` where attributes are awaited."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import NO_BASE
from awaken.contract import Edit, Span
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge import knowledge
from awaken.project.source.trees import without_arguments

if TYPE_CHECKING:
    from awaken.project import Project

_DECORATOR = "sqlalchemy.orm.as_declarative"
_MIXIN = "sqlalchemy.ext.asyncio.AsyncAttrs"


def attribute_bases(project: Project, rule: str, classes: Iterable[str]) -> Iterator[Member]:
    """Yield the rewrites of the bases of ``classes``, so that their attributes can be awaited."""
    done: set[str] = set()
    for qualified in sorted(set(classes)):
        if _MIXIN in project.library_ancestors(qualified):
            continue
        site = _base_of(project, rule, qualified)
        if site is not None and _has_mixin(project, site):
            continue
        if site is None:
            pair = project.class_definition(qualified)
            if pair is not None:
                module, node = pair
                why = Refused(NO_BASE, qualified.rpartition(".")[2])
                yield Member(Site(rule, module, node), why, f"`{node.name}`")
        elif site.id not in done:
            done.add(site.id)
            shown = f"`{site.module.excerpt(site.node)}`"
            yield member(site, shown, partial(_with_mixin, project))


def _base_of(project: Project, rule: str, qualified: str) -> Site[ast.AST] | None:
    """Return the class, or the call, that makes the base of a mapped class."""
    facts = project.class_facts(qualified)
    while facts is not None:
        pair = project.class_definition(facts.qualified)
        if pair is None:
            return None
        module, node = pair
        above = next((base for base in facts.bases if base and _is_base(project, base)), None)
        if above is not None and (facts := project.class_facts(above)) is None:
            return _call(project, rule, above)
        if above is None:
            is_made = node.bases or any(
                project.qualified_name(module, without_arguments(decorator)) == _DECORATOR
                for decorator in node.decorator_list
            )
            return Site(rule, module, node) if is_made else None
    return None


def _is_base(project: Project, qualified: str) -> bool:
    """Whether the program defines a name whose subclasses are mapped; a mixin's are not."""
    keyword_bases = knowledge().table_keyword_bases
    return project.definition(qualified) is not None and (
        project.orm.models.status(qualified) != "plain"
        or not keyword_bases.isdisjoint(project.library_ancestors(qualified))
    )


def _call(project: Project, rule: str, qualified: str) -> Site[ast.AST] | None:
    """Return the call of ``declarative_base`` that gives a variable its value."""
    module, value = project.value_at(qualified) or (None, None)
    if module is None or not isinstance(value, ast.Call):
        return None
    made = project.qualified_name(module, value.func)
    return Site(rule, module, value) if made in knowledge().declarative_factories else None


def _has_mixin(project: Project, site: Site[ast.AST]) -> bool:
    """Whether a call that makes a base is given a class that has the mixin."""
    given = site.node.keywords if isinstance(site.node, ast.Call) else ()
    names = (
        project.qualified_name(site.module, node.value) or "" for node in given if node.arg == "cls"
    )
    return any(name == _MIXIN or _MIXIN in project.library_ancestors(name) for name in names)


def _first_base(site: Site[ast.AST], node: ast.ClassDef, written: str) -> Edit:
    """Return the edit that gives a class without bases its first. Raises Refused."""
    text = site.module.source.text
    name = site.module.span(node).start + len("class ")
    end = name + len(node.name.encode())
    if node.keywords or text[name:end] != node.name.encode():
        raise Refused(NO_BASE, node.name)
    empty = re.match(rb"\s*\(\s*\)", text[end:])
    behind = end + (len(empty[0]) if empty else 0)
    return site.write(Span(end, behind), f"({written})")


def _with_mixin(project: Project, site: Site[ast.AST]) -> Rewrite:
    """Return what gives a base the mixin. Raises Refused."""
    node, edits = site.node, list[Edit]()
    written, imports = name_from_same_module(project, site, None, _MIXIN)
    if isinstance(node, ast.Call):
        if any(keyword.arg == "cls" for keyword in node.keywords):
            raise Refused(NO_BASE, site.module.excerpt(node))
        edits.append(site.add_keyword(node, "cls", written))
    elif isinstance(node, ast.ClassDef) and node.bases:
        edits.append(site.insert_before(node.bases[0], f"{written}, "))
    elif isinstance(node, ast.ClassDef):
        edits.append(_first_base(site, node, written))
    return Rewrite(f"`{written}` makes attributes awaitable", [*edits, *imports])
