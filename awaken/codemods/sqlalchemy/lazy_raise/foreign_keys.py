"""Foreign keys of a relationship: which of its two tables has them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaken.kit.rule import ProjectFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_constant

if TYPE_CHECKING:
    from awaken.project.frameworks.sqlalchemy.models import MappedClass
    from awaken.project.frameworks.sqlalchemy.relationships import Site as Declared

Keywords = dict[str | None, ast.expr]
_TABLE_KEYS = b"ForeignKeyConstraint"
"""Keys that belong to a table, and to no column, are not among the facts of columns."""


class ForeignKeys(ProjectFacts):
    """Answers for one program."""

    def refers(self, module: Module, side: Declared) -> bool | None:
        """Return whether the table of the class of a side has its key; None if that is not told.

        False as well for those that a flush leaves alone, and those with a table of their own.
        """
        written = _written_keywords(module, side)
        keywords = _own_keywords(written) if side.reverse else written
        if is_constant(written.get("viewonly"), value=True) or side.facts.secondary:
            return False
        owner, target = side.owner or "", side.facts.target or ""
        is_many = self._project.orm.is_collection(owner, side.attribute or "")
        # Only the side that is not referred to has orphans, unless it says so.
        has_orphans = "delete-orphan" in cascade_of(module, side)
        if is_many or (has_orphans and "single_parent" not in keywords):
            return False
        if owner == target:
            # Without it the key of the other object is meant.
            return "remote_side" in keywords
        named = _is_named(written.get("foreign_keys"), owner, target, is_reverse=side.reverse)
        if named is not None:
            return named
        if "primaryjoin" in written:
            return None
        return self._by_tables(owner, target)

    def _by_tables(self, owner: str, target: str) -> bool | None:
        first, second = (self._project.orm.mapped_class(name) for name in (owner, target))
        if first is None or second is None:
            return None
        # With keys both ways SQLAlchemy asks for `foreign_keys`: here, one is enough to tell.
        own = self._has_key(first, second)
        if own is not None:
            return own
        other = self._has_key(second, first)
        return None if other is None else not other

    def _has_key(self, one: MappedClass, other: MappedClass) -> bool | None:
        """Whether a table refers to another; None if that is not told."""
        tables = {
            (column.foreign_key or "").rpartition(".")[0].rpartition(".")[2]
            for column in one.columns.values()
            if column.foreign_key is not None
        }
        if other.tablename is None:
            # Names that are made of the name of the class differ in little else.
            name = other.qualified.rpartition(".")[2].lower()
            result = any(table.replace("_", "").lower() == name for table in tables)
        else:
            result = other.tablename in tables
        module = self._project.module(one.path)
        text = b"" if module is None else module.source.text[one.span.start : one.span.end]
        if not result and other.tablename is not None and _TABLE_KEYS in text:
            table = re.escape(other.tablename.encode())
            result = re.search(rb"[\"']" + table + rb"\.", text) is not None
        if result:
            return True
        is_told = other.tablename is not None or not tables
        return (
            None
            if not one.complete or "" in tables or _TABLE_KEYS in text or not is_told
            else False
        )


def cascade_of(module: Module, side: Declared) -> set[str]:
    """Return the words of the cascade of a side; ``?`` among them where it is no plain text."""
    written = _written_keywords(module, side)
    match (_own_keywords(written) if side.reverse else written).get("cascade"):
        case None:
            return set()
        case ast.Constant(value=str(text)):
            return {line.strip() for line in text.split(",")}
    return {"all", "?"}


def _is_named(node: ast.expr | None, owner: str, target: str, *, is_reverse: bool) -> bool | None:
    """Return whether ``foreign_keys`` names columns of ``owner``; None if that is not told."""
    text = "" if node is None else ast.unparse(node)
    if text and "." not in text:
        # Columns of the class body around.
        return not is_reverse
    has_owner, has_target = (f"{name.rpartition('.')[2]}." in text for name in (owner, target))
    return None if has_owner == has_target else has_owner


def _written_keywords(module: Module, side: Declared) -> Keywords:
    """Return the keywords of the call that declares a side, or of which the side is the reverse."""
    calls = module.calls_at(side.facts.span)
    return {keyword.arg: keyword.value for call in calls[:1] for keyword in call.keywords}


def _own_keywords(written: Keywords) -> Keywords:
    """Return the keywords of ``backref()``."""
    backref = written.get("backref")
    if not isinstance(backref, ast.Call):
        return {}
    return {keyword.arg: keyword.value for keyword in backref.keywords}
