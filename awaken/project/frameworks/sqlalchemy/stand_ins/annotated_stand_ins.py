"""Objects with a ``query`` of their own that are passed where a session is annotated."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import cached_property

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.stand_ins.doubting import DoubtingEvaluator
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import ClassFacts
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import ClassOf, InstanceOf, Value

_TEXTS = (b"def query(", b"query =", b"query:", b"__getattr__", b"__getattribute__")
_ANY = {"__getattr__", "__getattribute__"}
_CALLED = {"execute", "get", "scalar", "scalars"}
"""What is called in place of a query; all else of a session does not change."""
_NAMESPACE = "types.SimpleNamespace"


class StandIn(Struct, frozen=True):
    """An object that the program gives for a session: of which class, and where it is passed in.

    ``why`` is a clause that says so.
    """

    qualified: str
    why: str
    place: Place


class StandIns:
    """Finds them; a program without a class that could be one is only searched for a few words."""

    def __init__(self, evaluator: ProgramEvaluator, models: Models) -> None:
        self._believing = evaluator
        self._models = models

    def stand_in_for(
        self, module: Module, receiver: ast.expr, without: Collection[str] = ()
    ) -> StandIn | None:
        """Return a visible object that ``receiver``, annotated as a session, may be.

        Those of the classes ``without`` do not count.
        """
        if not self._may_be_any or self._is_session_by_name(receiver):
            return None
        name = self._name_of(module, receiver, without)
        if name is None:
            return None
        what = f"an instance of `{name.rpartition('.')[2]}`"
        pair = self._passed_in(module, receiver, name)
        if pair is None:
            why = f"`{module.excerpt(receiver)}` may be {what}"
            return StandIn(name, why, module.place(receiver))
        home, node = pair
        shown = home.call_taking(node) or node
        why = f"`{home.excerpt(shown)}` gives {what} for the session"
        return StandIn(name, why, home.place(shown))

    @cached_property
    def doubting(self) -> DoubtingEvaluator:
        """The evaluator that takes no annotation's word for a session."""
        return DoubtingEvaluator(self._believing, self._believing.load)

    @cached_property
    def _may_be_any(self) -> bool:
        for module in self._believing.modules_with([b"SimpleNamespace"]):
            if any(map(_makes_one, module.walk())):
                return True
        classes = self._believing.classes
        paths = self._believing.files_with(_TEXTS)
        return any(self._is_own(name) for path in paths for name in classes.in_file(path))

    def _is_session_by_name(self, node: ast.expr) -> bool:
        """Whether ``node`` is an attribute that the program gives nothing but sessions."""
        if not isinstance(node, ast.Attribute):
            return False
        return self.doubting.attributes_by_name.are_only_sessions(node.attr)

    def _name_of(self, module: Module, node: ast.expr, without: Collection[str]) -> str | None:
        """Return the class of an object with a ``query`` of its own that ``node`` may be."""
        values = self.doubting.values(module, node)
        names = (self._own(value) for value in values)
        return next((name for name in names if name is not None and name not in without), None)

    def _own(self, value: Value) -> str | None:
        match value:
            case InstanceOf(qualified=name) | ClassOf(qualified=name):
                is_own = name == _NAMESPACE or self._is_own(name)
                return name if is_own else None
        return None

    def _is_own(self, qualified: str) -> bool:
        """Whether instances of a class answer ``query`` by something of its own."""
        line = self._believing.classes.line(qualified)
        if not line or self._models.status(qualified) in {"mapped", "base"}:
            return False
        names = {member for each in line for member in each.attributes}
        if "query" in names or not _ANY & names:
            return "query" in names
        return bool(_CALLED & names) or not all(map(self._only_forwards, line))

    def _only_forwards(self, facts: ClassFacts) -> bool:
        """Whether a class asks another object for whatever it has not, and does nothing else."""
        if not _ANY & facts.attributes:
            return True
        module, node = self._believing.classes.node(facts.qualified) or (None, None)
        if module is None or node is None or "__getattribute__" in facts.members:
            return False
        named = (part for part in node.body if getattr(part, "name", "") == "__getattr__")
        match [statement.body for statement in named if isinstance(statement, Function)]:
            case [[*above, ast.Return(value=ast.Call(func=ast.Name(id="getattr"), args=asked))]]:
                says = (statement.value for statement in above if isinstance(statement, ast.Expr))
                is_plain = all(isinstance(part, ast.Attribute | ast.Name) for part in asked)
                is_short = all(isinstance(statement, ast.Expr) for statement in above)
                return is_plain and is_short and all(isinstance(x, ast.Constant) for x in says)
        return False

    # ------------------------------------------------------------------------- where it is given
    @recursive()
    def _passed_in(
        self, module: Module, node: ast.expr, name: str
    ) -> tuple[Module, ast.expr] | None:
        """Return the expression from which such an object comes to ``node``."""
        for home, given in self._sources(module, node):
            if name in map(self._own, self.doubting.values(home, given)):
                further = self._passed_in(home, given, name)
                return further or (home, given)
        return None

    def _sources(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        """Yield the expressions that a parameter, a variable or an attribute is given."""
        evaluator = self.doubting
        match node:
            case ast.Name():
                for binding in module.scopes.bindings_of(node):
                    parameter, function = binding.node, binding.scope.node
                    if isinstance(parameter, ast.arg) and isinstance(function, Function):
                        passed = evaluator.passed_to(module, function, parameter)
                        yield from ((each.module, each.node) for each in passed.given)
                    elif binding.kind == "assignment" and binding.value is not None:
                        yield module, binding.value
            case ast.Attribute(value=owner, attr=attribute):
                classes = evaluator.classes
                values = evaluator.values(module, owner)
                for name in [value.qualified for value in values if isinstance(value, InstanceOf)]:
                    for _, home, body in classes.bodies(name):
                        given = evaluator.members.given_to(home, body, attribute)
                        yield from ((home, part) for part, _ in given if part is not None)


def _makes_one(node: ast.AST) -> bool:
    """Whether ``node`` makes a namespace with a ``query``."""
    return isinstance(node, ast.Call) and any(keyword.arg == "query" for keyword in node.keywords)
