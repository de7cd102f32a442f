"""The kinds of the calls that objects come from."""

from __future__ import annotations

import ast

from awaken.contract import Place
from awaken.knowledge.library_names import name_table
from awaken.project.frameworks.sqlalchemy.reads.read_expressions import call_or_attribute_at
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Load, LoadKind
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.values.domain import ClassOf, External, Origin

_KINDS: dict[str, LoadKind] = name_table("kinds_of_loads")


class LoadKinds(ProgramFacts):
    """Answers for one program; each place is looked at once."""

    def load(self, origin: Origin) -> Load:
        """Return the load at an origin that is a call, or an attribute of a class."""
        place = origin.place
        kind, sets = self._read(place)
        return Load(kind, place, origin.options, sets)

    @cached_method
    def _read(self, place: Place) -> tuple[LoadKind, tuple[str, ...]]:
        module = self._evaluator.load(place.path)
        if module is None:
            return "other", ()
        node = call_or_attribute_at(module, place)
        if isinstance(node, ast.Call):
            return self._of_call(module, node)
        # `User.query`, and `user.posts` of a relationship that is a query.
        return ("other" if node is None else "query"), ()

    def _of_call(self, module: Module, call: ast.Call) -> tuple[LoadKind, tuple[str, ...]]:
        for value in self._evaluator.values(module, call.func):
            match value:
                case ClassOf():
                    return "new", self._set_by(value.qualified, call)
                case External():
                    return _KINDS.get(value.qualified.rpartition(".")[2], "other"), ()
        return "other", ()

    def _set_by(self, qualified: str, call: ast.Call) -> tuple[str, ...]:
        """Return the attributes that a new object is given by its declarative constructor."""
        line = self._evaluator.classes.line(qualified)
        # One of the program's own may do anything with what it is given.
        if not line or any("__init__" in facts.members for facts in line):
            return ()
        return tuple(keyword.arg for keyword in call.keywords if keyword.arg is not None)
