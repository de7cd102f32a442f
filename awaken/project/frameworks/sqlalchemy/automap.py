"""Loads of the classes that ``automap_base()`` makes from the tables of a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.project.frameworks.sqlalchemy.mapping import names_view
from awaken.project.frameworks.sqlalchemy.models import ModelFacts
from awaken.project.frameworks.sqlalchemy.relationships import JOINED
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import unpacks
from awaken.project.source.words import called_words

_FACTORY = "sqlalchemy.ext.automap.automap_base"
_TABLE = "sqlalchemy.Table"
# By these words a program says itself how relationships are made, or which columns are keys.
_OWN_WAYS = (b"generate_relationship", b"AutomapBase", b"column_reflect")
_PLAIN_ARGUMENTS = 4  # of `prepare()`: what comes behind them are functions


class Automap(ModelFacts):
    """Whether all classes that automap makes are loaded from one table each, with nothing joined.

    By itself it makes relationships that are loaded when they are read, and only of tables with a
    primary key. It takes what the program declares of the same tables, so that is looked at.
    """

    @cached_property
    def is_used(self) -> bool:
        """Whether some file names ``automap_base``."""
        return bool(self._evaluator.files_with([b"automap_base"]))

    @cached_property
    def loads_one_table(self) -> bool:
        """Whether a ``select`` of any such class gives each of its rows once."""
        return (
            self.is_used
            and not self._evaluator.files_with(_OWN_WAYS)
            and self._is_plainly_prepared()
            and all(map(_is_plain_base, self._calls([b"automap_base"], _FACTORY)))
            and not any(map(_may_be_view, self._calls(called_words("Table"), _TABLE)))
            and not any(map(self._may_be_of_automap, self._eager_owners()))
            and all(map(self._is_plain_class, self._declared_classes()))
        )

    def _is_plainly_prepared(self) -> bool:
        """Whether the program itself prepares the classes, and never with functions of its own."""
        calls = [
            node
            for _, node in self._all_calls([b".prepare("])
            if isinstance(node.func, ast.Attribute) and node.func.attr == "prepare"
        ]
        return bool(calls) and all(
            len(call.args) <= _PLAIN_ARGUMENTS and not unpacks(call) for call in calls
        )

    def _eager_owners(self) -> Iterator[str | None]:
        return (site.owner for site in self._models.relationships.loaded_by(JOINED))

    def _may_be_of_automap(self, owner: str | None) -> bool:
        """Whether a class may be one that automap makes, or maps."""
        if owner is None or self._evaluator.classes.facts(owner) is None:
            return True
        return self._models.is_automapped(owner)

    def _declared_classes(self) -> Iterator[str]:
        """Yield the classes that the program itself declares for automap to map."""
        for path in self._evaluator.files_with([b"__tablename__", b"__table__"]):
            for name in self._evaluator.classes.written_in(path):
                if self._models.is_automapped(name):
                    yield name

    def _is_plain_class(self, name: str) -> bool:
        mapped = self._models.mapped_class(name)
        return mapped is None or mapped.table == "plain"

    def _calls(self, words: Sequence[bytes], name: str) -> Iterator[ast.Call]:
        for module, node in self._all_calls(words):
            if self._evaluator.names.qualified_name(module, node.func) == name:
                yield node

    def _all_calls(self, words: Sequence[bytes]) -> Iterator[tuple[Module, ast.Call]]:
        return nodes_in(self._evaluator.modules_with(words), ast.Call)


def _is_plain_base(call: ast.Call) -> bool:
    """Whether ``automap_base()`` is given no class that adds something to all others."""
    return not call.args and all(keyword.arg == "metadata" for keyword in call.keywords)


def _may_be_view(call: ast.Call) -> bool:
    """Whether a ``Table(...)`` may say of a view what its key is."""
    name = call.args[0] if call.args else None
    if name is None or names_view(name):
        return True
    reflects = any((keyword.arg or "autoload").startswith("autoload") for keyword in call.keywords)
    return reflects and "primary_key" in ast.unparse(call)
