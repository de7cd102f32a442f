"""The overloads that a call may mean: those that its arguments fit."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from msgspec import Struct

from awaken.knowledge.declarations import Declaration, declaration
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import (
    ClassOf,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    TupleOf,
    TypeVariable,
    Unknown,
    Value,
    Values,
    as_instance,
)
from awaken.project.values.library_types.signatures import (
    Filled,
    Signature,
    filled_parameters,
    refuses_literal,
    signature,
)
from awaken.project.values.library_types.solving import Solution, has_variables, solved_values
from awaken.project.values.questions import EvaluatorPart, GenericClass, Questions, library_class

_NUMBERS = {("builtins.int", "builtins.float"), ("builtins.bool", "builtins.int")}
_LITERALS = {str: "str", int: "int", bool: "bool", float: "float", bytes: "bytes"}


class Call(Struct, frozen=True):
    """A call, and where its arguments are to be evaluated."""

    module: Module
    node: ast.Call
    known: Environment
    # Whether it is this call that makes or loads an object of a class that it is given.
    makes: bool = True


class Fitting:
    """Compares arguments with what stubs declare of parameters."""

    def __init__(self, evaluator: Questions, lines: Lines) -> None:
        self._evaluator = evaluator
        self._lines = lines

    def fitting_overloads(
        self, found: Member, own: Values, call: Call, *, is_method: bool
    ) -> list[tuple[Signature, list[Filled]]]:
        """Return the overloads that the call may mean: up to the first that surely fits."""
        fitting: list[tuple[Signature, list[Filled]]] = []
        for node in found.nodes:
            if not isinstance(node, Function):
                continue
            parameter = signature(found.module, node, is_method=is_method)
            arguments = filled_parameters(parameter, call.node)
            if arguments is not None:
                fitting.append((parameter, arguments))
        if len(fitting) <= 1:
            return fitting
        chosen: list[tuple[Signature, list[Filled]]] = []
        for parameter, arguments in fitting:
            fits = self._all_fit(parameter, own, arguments, call)
            if fits is not False:
                chosen.append((parameter, arguments))
            if fits:
                break
        return chosen

    def _all_fit(
        self, one: Signature, own: Values, arguments: list[Filled], call: Call
    ) -> bool | None:
        # The object first, say a result that has rows of one place: it is known already.
        of_own = () if one.first is None or not one.first.type else own
        wanted = () if one.first is None else one.first.type
        result = [self.fits(wanted, each, call) for each in of_own]
        for each in () if False in result else arguments:
            result.append(self._fits_parameter(each, call))
            if result[-1] is False:
                break
        if False in result:
            return False
        return None if None in result else True

    def _fits_parameter(self, one: Filled, call: Call) -> bool | None:
        if refuses_literal(one.parameter, one.argument):
            return False
        if one.unpacked or not one.parameter.type:
            return True
        given = self.argument(one.argument, call)
        result = [self.fits(one.parameter.type, each, call) for each in given]
        if result and all(each is False for each in result):
            return False
        return True if all(result) else None

    def fits(self, wanted: Values, given: Value, call: Call) -> bool | None:
        """Return whether a value fits the wanted type; None if unknown."""
        if isinstance(given, Unknown):
            return True if has_variables(wanted) else None
        result = [self._fits_type(value, given, call) for value in wanted]
        if True in result:
            return True
        return None if None in result else False

    def _fits_type(self, wanted: Value, given: Value, call: Call) -> bool | None:
        match wanted:
            case Unknown():
                return True
            case NoneValue():
                return given == NoneValue()
            case TypeVariable():
                return self._fits_variable(wanted, given, call)
            case _ if given == NoneValue():
                return False
            case Producer(how="callable") if self._is_callable(given):
                return True
            case Producer():
                return (
                    self._evaluator.library.results_of_use(
                        wanted.how, given, call.module, call.node
                    )
                    is not None
                )
            case InstanceOf():
                return self._fits_class(wanted, given, call)
            case TupleOf():
                return isinstance(given, TupleOf) and len(wanted.items) == len(given.items)
            case Session():
                return isinstance(given, Session) or (None if _is_open(given) else False)
        return wanted == given or (None if isinstance(given, ClassOf) else False)

    def _is_callable(self, value: Value) -> bool:
        """Whether ``value`` can be called, with whatever: ``attrgetter("name")`` takes one."""
        if isinstance(value, InstanceOf):
            return any(
                self._lines.member(item, "__call__") is not None for item in self._lines.line(value)
            )
        return isinstance(value, FunctionOf | ClassOf | External)

    def _fits_variable(self, wanted: TypeVariable, given: Value, call: Call) -> bool | None:
        if wanted.as_class:
            return isinstance(given, ClassOf)
        return self.fits(wanted.bound, given, call) if wanted.bound else True

    def _fits_class(self, wanted: InstanceOf, given: Value, call: Call) -> bool | None:
        if isinstance(given, TupleOf):
            given = as_instance(given)
        if not isinstance(given, InstanceOf):
            return None if _is_open(given) else False
        if (given.qualified, wanted.qualified) in _NUMBERS:
            return True
        held = self._lines.parameters_as(given, wanted.qualified)
        if held is not None:
            return self._hold_alike(wanted.parameters, held, call)
        shape = self._lines.shape(wanted.qualified)
        # A class may have the members of a protocol without inheriting from it.
        return None if shape is None or shape.is_protocol else False

    def _hold_alike(
        self, wanted: tuple[Values, ...], held: tuple[Values, ...], call: Call
    ) -> bool | None:
        """Whether the values of type parameters fit, as a row of one place in ``Select``."""
        pairs = list(zip(wanted, held, strict=False))
        result = [[self.fits(value, each, call) for each in given] for value, given in pairs]
        if any(each and all(fits is False for fits in each) for each in result):
            return False
        return True if all(all(each) for each in result) else None

    def argument(self, node: ast.expr, call: Call) -> Values:
        """Return what an argument is; of a literal its class."""
        match node:
            case ast.Slice():
                return (InstanceOf("builtins.slice"),)
            case ast.Constant(value=value) if type(value) in _LITERALS:
                return (InstanceOf(f"builtins.{_LITERALS[type(value)]}"),)
            case _:
                result = self._evaluator.values(call.module, node, call.known)
                return tuple(map(_as_class, result))


def _as_class(value: Value) -> Value:
    """Return a class of an unread library as one: by convention, its name says that."""
    match value:
        case External(qualified=qualified, receiver=None):
            package, _, rest = qualified.partition(".")
            name = rest.rpartition(".")[2]
            is_class = name[:1].isupper() and not name.isupper()
            # Forms of `typing` are written so as well.
            is_unseen = package not in sys.stdlib_module_names
            return ClassOf(qualified) if is_class and is_unseen else value
    return value


def _is_open(value: Value) -> bool:
    """Whether the class of ``value`` is open."""
    return isinstance(value, NotRelevant | External | InstanceOf)


class Member(Struct, frozen=True):
    """A member, its stub, and the arguments of its class's type variables."""

    module: str
    nodes: tuple[ast.AST, ...]
    solution: Solution


class Lines(EvaluatorPart):
    """Follows bases, from classes of the program on to those of libraries."""

    def declaration(self, qualified: str) -> Declaration | None:
        """Return what a stub declares by a name that the program does not have."""
        result = declaration(qualified)
        if result is None or self._evaluator.names.locate(qualified) is not None:
            return None  # the program has a module of this name, which comes first
        return result

    def shape(self, qualified: str) -> GenericClass | None:
        """Return the type variables of a class, and what it gives its bases."""
        if self._evaluator.classes.facts(qualified) is not None:
            return self._evaluator.generic_class(qualified)
        return library_class(qualified) if self.declaration(qualified) is not None else None

    def line(self, value: InstanceOf) -> Iterator[InstanceOf]:
        """Yield the class of ``value`` and all its bases, with the values of their variables."""
        waiting = Worklist([value], lambda instance: instance.qualified)
        for instance in waiting:
            yield instance
            shape = self.shape(instance.qualified)
            if shape is None:
                continue
            solution = dict(zip(shape.variables, instance.parameters, strict=False))
            for base in reversed(shape.bases):
                inner = tuple(solved_values(each, solution) for each in base.parameters)
                if instance.parameters and not shape.variables:
                    # Of a query of the program's own class the mapping says what it loads.
                    inner = inner or instance.parameters
                waiting += [InstanceOf(base.qualified, parameters=inner)]

    def member(self, owner: InstanceOf, name: str) -> Member | None:
        """Return the member of a class itself that its stub declares."""
        declared = self.declaration(owner.qualified)
        nodes = (declared.members or {}).get(name) if declared is not None else None
        if declared is None or not nodes:
            return None
        shape = library_class(owner.qualified)
        variables = () if shape is None else shape.variables
        return Member(declared.module, nodes, dict(zip(variables, owner.parameters, strict=False)))

    def outside_of(self, value: InstanceOf) -> str | None:
        """Return the first class of a library in the line of ``value``."""
        inside = self._evaluator.classes
        return next(
            (x.qualified for x in self.line(value) if inside.facts(x.qualified) is None), None
        )

    def parameters_as(self, value: InstanceOf, base: str) -> tuple[Values, ...] | None:
        """Return the values of the parameters of ``base`` in ``value``; None if it is no such."""
        for instance in self.line(value):
            if instance.qualified == base:
                return instance.parameters
        return None
