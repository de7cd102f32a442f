"""Solutions of type variables from arguments."""

from __future__ import annotations

from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    How,
    InstanceOf,
    NoneValue,
    Producer,
    TupleOf,
    TypeVariable,
    Unknown,
    Value,
    Values,
    as_instance,
    union,
    without_none,
    without_origins,
)
from awaken.project.values.library.calls.library_results import Uses
from awaken.project.values.library.calls.overloads import Call, Fitting
from awaken.project.values.library.calls.type_variables import Lines, Member
from awaken.project.values.library_types.generic_classes import library_class
from awaken.project.values.library_types.signatures import Filled, Signature, signature
from awaken.project.values.library_types.solving import SELF, Solution, has_variables, solved_values

_SEQUENCE = "collections.abc.Sequence"


class Solutions:
    """Solves type variables by what a call passes."""

    def __init__(self, fitting: Fitting, lines: Lines, uses: Uses) -> None:
        self._fitting = fitting
        self._lines = lines
        self._uses = uses

    def solve(
        self, found: Member, one: Signature, arguments: list[Filled], own: Values, call: Call
    ) -> Solution:
        """Return the values of a member's type variables in a call of it."""
        solution: dict[str, Values] = {**found.solution}
        if own:
            solution[SELF] = own
            if one.first is not None and has_variables(one.first.type):
                self.unify(one.first.type, own, solution, call)
        if not has_variables(one.returns) and one.first is None:
            return solution
        for parameter, argument, unpacked in arguments:
            if has_variables(parameter.type):
                given = self._fitting.argument(argument, call)
                if unpacked:
                    given = self._results_of_use("generator", given, call)
                wanted = solved_values(parameter.type, {SELF: own} if own else {})
                self.unify(wanted, given, solution, call)
        return solution

    def unify(self, wanted: Values, given: Values, solution: dict[str, Values], call: Call) -> None:
        """Add to ``solution`` the values of the variables in ``wanted``, where it is ``given``."""
        if NoneValue() in wanted:
            given = without_none(given)
        for value in wanted:
            match value:
                case TypeVariable():
                    others = tuple(x for x in wanted if not isinstance(x, TypeVariable))
                    rest = self._of_class(given, call) if value.as_class else given
                    rest = tuple(
                        x for x in rest if not others or not self._fitting.fits(others, x, call)
                    )
                    if rest:
                        solution[value.name] = union(solution.get(value.name, ()), rest)
                case Producer():
                    self.unify(
                        value.inner, self._results_of_use(value.how, given, call), solution, call
                    )
                case InstanceOf() if value.parameters:
                    for each in given:
                        self._unify_instance(value, each, solution, call)
                case TupleOf():
                    self._unify_places(value, given, solution, call)

    def _unify_places(
        self, wanted: TupleOf, given: Values, solution: dict[str, Values], call: Call
    ) -> None:
        for each in given:
            if isinstance(each, TupleOf) and len(each.items) == len(wanted.items):
                for inner, value in zip(wanted.items, each.items, strict=True):
                    self.unify(inner, value, solution, call)

    def _unify_instance(
        self, wanted: InstanceOf, given: Value, solution: dict[str, Values], call: Call
    ) -> None:
        held: tuple[Values, ...] | None = None
        match given:
            case InstanceOf():
                held = self._lines.parameters_as(given, wanted.qualified)
                if held is None:
                    self._unify_protocol(wanted, given, solution, call)
            case TupleOf():
                instance = as_instance(given)
                held = self._lines.parameters_as(instance, wanted.qualified)
                if held is None:
                    self._unify_protocol(wanted, instance, solution, call)
            case Producer(how="generator"):
                self._unify_protocol(wanted, given, solution, call)
            case Unknown():
                held = tuple((given,) for _ in wanted.parameters)
        for inner, value in zip(wanted.parameters, held or (), strict=False):
            self.unify(inner, value, solution, call)

    def _unify_protocol(
        self, wanted: InstanceOf, given: Value, solution: dict[str, Values], call: Call
    ) -> None:
        """Solve what the methods of a protocol say of their results, as ``SupportsNext[T]``."""
        declared = self._lines.declaration(wanted.qualified)
        shape = library_class(wanted.qualified)
        if declared is None or shape is None or not shape.is_protocol:
            return
        for name, nodes in (declared.members or {}).items():
            if not isinstance(nodes[0], Function):
                continue
            returns = signature(declared.module, nodes[0], is_method=True).returns
            variables = dict(zip(shape.variables, wanted.parameters, strict=False))
            if name == "__getitem__":
                result = self._item(given)
            else:
                result = self._uses.method(given, name, call.module, call.node)
            if result is not None:
                self.unify(solved_values(returns, variables), result, solution, call)

    def _item(self, given: Value) -> Values | None:
        """Return what a sequence has at an index; None for what may be indexed by other things."""
        held = self._lines.parameters_as(given, _SEQUENCE) if isinstance(given, InstanceOf) else ()
        return held[0] if held else None

    def _of_class(self, given: Values, call: Call) -> Values:
        made = union(*(self._uses.when_called(x, call.module, call.node) or () for x in given))
        return made if call.makes else tuple(map(without_origins, made))

    def _results_of_use(self, how: How, given: Values, call: Call) -> Values:
        """Return what ``given`` gives when it is used; what cannot be used so adds nothing."""
        return union(
            *(self._uses.results_of_use(how, item, call.module, call.node) or () for item in given)
        )
