"""Mapped classes and loader functions as a file has them, or by one more import."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Edit, NeedImport
from awaken.kit.eager_loads.reasons import NO_NAME
from awaken.kit.names_here import name_here
from awaken.kit.sites import Refused, Site
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project

_HOME = "sqlalchemy.orm"


class NamesHere:
    """Writes names at one place; ``edits`` are the imports that these need."""

    def __init__(self, project: Project, site: Site[ast.expr], beside: ast.expr) -> None:
        self._project = project
        self._site = site
        self._beside = beside
        self.edits: dict[Edit, None] = {}

    def function(self, name: str, *homes: str) -> str:
        """Return how to write a loader function, or another function of SQLAlchemy."""
        known = name_here(self._site.module, self._site.node, name, homes or [_HOME], "orm_")
        if known.needs is not None:
            self._add(*known.needs)
        return known.text

    def class_of(self, qualified: str) -> str:
        """Return how to write a mapped class; raises Refused where it cannot be named."""
        module, node = self._site.module, self._site.node
        home, _, simple = qualified.rpartition(".")
        if "." in qualified.removeprefix(f"{home}.") or not self._is_at_the_top(qualified):
            raise Refused(NO_NAME, qualified)
        seen = self._seen_name(module, simple, qualified) or self._through_module(qualified)
        if seen:
            return seen
        way = self._project.name_in_scope(module, node, qualified, self._beside)
        if not isinstance(way, str):
            if way.module is not None:
                self._add(way.module, way.text.partition(".")[0], None)
            return way.text
        if self._comes_with(qualified):
            self._add(home, simple, None)
            return simple
        raise Refused(NO_NAME, simple, f"{NO_NAME.help} {way[:1].upper()}{way[1:]}.")

    def _add(self, home: str, name: str, alias: str | None) -> None:
        path, site = self._site.module.path, self._site.id
        other = None if alias == name else alias
        self.edits[NeedImport(path=path, module=home, name=name, alias=other, site=site)] = None

    # ---------------------------------------------------------------------------- what is there
    def _seen_name(self, module: Module, simple: str, qualified: str) -> str:
        """Return the name under which the file has the class at the top, if it holds here."""
        scopes = module.scopes
        if scopes.is_shadowed(simple, self._site.node):
            return ""
        bindings = scopes.module.bindings.get(simple, [])
        if len(bindings) == 1 and not self._is_bound_before(module, bindings[0]):
            return ""
        if [binding.kind for binding in bindings] == ["class"]:
            return simple if f"{module.name}.{simple}" == qualified else ""
        for node in module.mentions(simple):
            if isinstance(node, ast.Name) and not scopes.is_shadowed(simple, node):
                means = self._project.qualified_name(module, node)
                return simple if means == qualified and len(bindings) < len("ab") else ""
        return ""

    def _is_bound_before(self, module: Module, binding: Binding) -> bool:
        """Whether a name at the top of the file is bound when the code here runs."""
        statement = module.statement_of(binding.node)
        if statement is None or not isinstance(module.parent(statement), ast.Module):
            return False
        in_function = module.enclosing_function(self._site.node) is not None
        return in_function or statement.lineno < self._site.node.lineno

    def _through_module(self, qualified: str) -> str:
        """``models.Post`` where ``models.User`` is written."""
        home, _, simple = qualified.rpartition(".")
        match self._beside:
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner):
                if self._project.qualified_name(self._site.module, owner) == home:
                    return f"{self._site.module.text_of(owner)}.{simple}"
        return ""

    # --------------------------------------------------------------------------- what comes with it
    def _is_at_the_top(self, qualified: str) -> bool:
        pair = self._project.class_definition(qualified)
        return pair is not None and pair[0].parent(pair[1]) is pair[0].tree

    def _comes_with(self, qualified: str) -> bool:
        """Whether another class of the same file is imported at the top, and this one with it.

        A circle of imports may leave a file half run; where no import stands between the two
        classes, nobody can have the one without the other.
        """
        module = self._site.module
        home, _, simple = qualified.rpartition(".")
        if simple in module.scopes.module.bindings or module.scopes.import_stars:
            return False
        if module.scopes.is_bound(simple, self._site.node):
            return False
        wanted = self._project.class_facts(qualified)
        source = None if wanted is None else self._project.module(wanted.path)
        if source is None or wanted is None:
            return False
        for statement in module.tree.body:
            if (
                not isinstance(statement, ast.ImportFrom)
                or statement.lineno > self._site.node.lineno
            ):
                continue
            for alias in statement.names:
                other = f"{home}.{alias.name}"
                if not self._is_imported(alias.asname or alias.name, other):
                    continue
                if _are_together(source, alias.name, simple):
                    return True
        return False

    def _is_imported(self, name: str, qualified: str) -> bool:
        """Whether a name at the top of the file is this class of another one."""
        module = self._site.module
        bindings = module.scopes.module.bindings.get(name, [])
        if len(bindings) != 1:
            return False
        names = [mention for mention in module.mentions(name) if isinstance(mention, ast.Name)]
        return any(self._project.qualified_name(module, node) == qualified for node in names[:1])


def _are_together(source: Module, one: str, other: str) -> bool:
    """Whether no import runs between the definitions of two classes at the top of a file."""
    lines = [
        node.lineno
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and node.name in {one, other}
    ]
    if len(lines) != len((one, other)):
        return False
    return not any(
        isinstance(node, ast.Import | ast.ImportFrom)
        and min(lines) < node.lineno < max(lines)
        and not any(isinstance(above, Function) for above in source.ancestors(node))
        for node in source.walk()
    )
