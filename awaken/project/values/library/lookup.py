"""Members of library classes and the results of library calls.

A member is looked up over generic bases, beginning with classes of the program: the type arguments
of its class are substituted in the stub.
"""

from __future__ import annotations

import ast

from awaken.knowledge.declarations import Declaration, imported_module
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    ClassOf,
    Environment,
    External,
    How,
    InstanceOf,
    NoneValue,
    Producer,
    Session,
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
from awaken.project.values.library.calls.overloads import Call, Fitting, Lines, Member
from awaken.project.values.library.origins import loaded_results
from awaken.project.values.library_types.declared_types import TYPING, of_class, of_variable, read
from awaken.project.values.library_types.signatures import Filled, Signature, is_property, signature
from awaken.project.values.library_types.solving import (
    SELF,
    Solution,
    growing,
    has_variables,
    solved_values,
    without_variables,
)
from awaken.project.values.questions import Questions, library_class

Receiver = InstanceOf | ClassOf | Session
_SEQUENCE = "collections.abc.Sequence"


class Library:
    """Results of libraries, for the evaluator and its own parts."""

    def __init__(self, evaluator: Questions) -> None:
        self._lines = Lines(evaluator)
        self._uses = Uses(evaluator, self._lines, self)
        self._fitting = Fitting(evaluator, self._lines)
        self._solutions = _Solutions(self._fitting, self._lines, self._uses)
        self.results_of_use = self._uses.results_of_use
        self.parameters_as = self._lines.parameters_as

    def knows(self, qualified: str) -> bool:
        """Whether this is a name of a library that a stub declares, and not of the program."""
        return self._lines.declaration(qualified) is not None

    def attribute(self, owner: Receiver, name: str, module: Module, node: ast.AST) -> Values | None:
        """Return what ``name`` of an object or class is, by the library's classes it inherits.

        None where no stub says so.
        """
        instance = _instance(owner)
        if instance is None:
            return None
        value, member = self._nearest_declaration(instance, name) or (None, None)
        if value is None or member is None:
            return None
        # By the class that it was read from: that is the name which programs write.
        full = f"{self._lines.outside_of(instance) or value.qualified}.{name}"
        other = _alias_of(member.nodes[0], name)
        if other is not None:
            return self.attribute(owner, other, module, node)
        given = _read(member, full, owner)
        solution = {**member.solution, SELF: (instance,)}
        why = f"the type of `{full}` is unknown"
        return given and without_variables(solved_values(given, solution), module.place(node), why)

    def _nearest_declaration(
        self, instance: InstanceOf, name: str
    ) -> tuple[InstanceOf, Member] | None:
        """Return the nearest class of ``instance`` of which a stub declares ``name``, and that."""
        for value in self._lines.line(instance):
            member = self._lines.member(value, name)
            if member is not None:
                return value, member
        return None

    def overridden(self, owner: ClassOf, name: str, place: int) -> Values:
        """Return what a library declares of a parameter of a method that ``owner`` overrides.

        The receiver does not count for ``place``. Empty where no stub says so.
        """
        _, member = self._nearest_declaration(InstanceOf(owner.qualified), name) or (None, None)
        match member.nodes if member is not None else ():
            case [ast.FunctionDef() | ast.AsyncFunctionDef() as node] if member is not None:
                places = signature(member.module, node, is_method=True).positional
                return places[place].type if 0 <= place < len(places) else ()
        return ()

    def call_results(
        self, function: External, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what a library's function or method gives; None where no stub says so."""
        call, name = Call(module, node, known), function.qualified
        instance = None if function.receiver is None else _instance(function.receiver)
        if instance is not None:
            _, member = self._nearest_declaration(instance, name.rpartition(".")[2]) or (None, None)
            result = None if member is None else self._result(name, member, (instance,), call)
            return None if result is None else loaded_results(result, function, module, node)
        declared = self._lines.declaration(name)
        if declared is None:
            return self._called_on_variable(function, call)
        method = _bound_method(declared)
        if method is not None:
            return self._called_on_variable(External(method), call)
        owner = self._lines.declaration(name.rpartition(".")[0])
        of_method = owner is not None and owner.members is not None
        own: Values = of_class(name.rpartition(".")[0]) if of_method else ()
        found = Member(declared.module, declared.nodes, {})
        return self._result(name, found, own, call)

    def variable(self, value: Value) -> InstanceOf | None:
        """Return what a variable of a library's module holds, as ``os.environ``; else None.

        The same of an attribute of what it holds, as ``flask.request.args``.
        """
        if not isinstance(value, External) or value.receiver is not None:
            return None
        declared = self._lines.declaration(value.qualified)
        home, _, name = value.qualified.rpartition(".")
        if declared is None:
            owner = self.variable(External(home)) if home else None
            _, member = (None if owner is None else self._nearest_declaration(owner, name)) or (
                None,
                None,
            )
            if owner is None or member is None:
                return None
            values = solved_values(_read(member, name, owner) or (), member.solution)
        else:
            node = declared.nodes[0] if declared.nodes else None
            is_form = home in TYPING or not isinstance(node, ast.AnnAssign)
            if is_form or self._lines.declaration(home) is not None:
                return None
            values = of_variable(declared)
        match values:
            case [InstanceOf() as held]:
                return held
        return None

    def _called_on_variable(self, function: External, call: Call) -> Values | None:
        """Return what a method of a library's variable gives, as ``os.environ.get``."""
        home, _, name = function.qualified.rpartition(".")
        held = self.variable(External(home))
        if held is None:
            return None
        attribute = self.attribute(held, name, call.module, call.node)
        match attribute:
            case [External(receiver=InstanceOf()) as method]:
                return self.call_results(method, call.module, call.node, call.known)
        return None

    def instance_of(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what calling a library's class makes; None where no stub declares it."""
        declared = self._lines.declaration(qualified)
        if declared is None or declared.members is None:
            return None
        shape = library_class(qualified)
        plain: Values = (InstanceOf(qualified),)
        if shape is None or not shape.variables:
            return plain
        variables: Values = (
            InstanceOf(qualified, parameters=tuple((TypeVariable(x),) for x in shape.variables)),
        )
        call = Call(module, node, known)
        return self._constructed_objects(InstanceOf(qualified), variables, call) or plain

    def solve(
        self,
        wanted: Values,
        given: Values,
        solution: dict[str, Values],
        module: Module,
        node: ast.expr,
    ) -> None:
        """Add to ``solution`` the values of the variables in ``wanted``, where it is ``given``."""
        call = ast.copy_location(ast.Call(node, [], []), node)
        self._solutions.unify(wanted, given, solution, Call(module, call, (), makes=False))

    def solution_of(self, owner: InstanceOf | ClassOf, base: str) -> Solution:
        """Return the values of the type variables of the class ``base`` in ``owner``."""
        instance = _instance(owner)
        found = None if instance is None else self._lines.parameters_as(instance, base)
        shape = self._lines.shape(base) if found else None
        return {} if shape is None or not found else dict(zip(shape.variables, found, strict=False))

    def _result(self, name: str, found: Member, own: Values, call: Call) -> Values | None:
        chosen = self._fitting.fitting_overloads(found, own, call, is_method=bool(own))
        results: Values = ()
        for parameter, arguments in chosen:
            solution = self._solutions.solve(found, parameter, arguments, own, call)
            results = union(results, solved_values(growing(parameter.returns), solution))
        if not results:
            return None
        why = f"the return type of `{name}` is unknown"
        return without_variables(results, call.module.place(call.node), why)

    def _constructed_objects(self, plain: InstanceOf, made: Values, call: Call) -> Values:
        """Return the object that ``__new__`` or ``__init__`` make; empty if they tell nothing."""
        new, init = self._lines.member(plain, "__new__"), self._lines.member(plain, "__init__")
        results: Values = ()
        if new is not None:
            for value, arguments in self._fitting.fitting_overloads(new, (), call, is_method=True):
                if value.returns != (TypeVariable(SELF),):
                    solution = self._solutions.solve(new, value, arguments, (), call)
                    results = union(results, solved_values(growing(value.returns), solution))
        member = init or new
        if member is not None and not results:
            for value, arguments in self._fitting.fitting_overloads(
                member, (), call, is_method=True
            ):
                declared = value.first.type if value.first is not None and init is not None else ()
                solution = self._solutions.solve(member, value, arguments, (), call)
                results = union(results, solved_values(growing(declared or made), solution))
        if all(result in growing(made) for result in results):
            return ()
        return without_variables(results, call.module.place(call.node), "its content is unknown")


def _alias_of(node: ast.AST, name: str) -> str | None:
    """Return the other member that this one is, as in ``__radd__ = __add__``."""
    match node:
        case ast.Assign(value=ast.Name(id=other)) if other != name:
            return other
    return None


def _read(found: Member, full: str, owner: Receiver) -> Values | None:
    """Return what a member is, with the type variables of its class."""
    match found.nodes[0]:
        case ast.AnnAssign(annotation=annotation):
            return read(found.module, annotation)
        case ast.FunctionDef() | ast.AsyncFunctionDef() as function:
            if not is_property(function):
                return (External(full, owner),)
            is_read = not isinstance(owner, ClassOf)
            return signature(found.module, function, is_method=True).returns if is_read else None
    return None


def _instance(owner: Receiver) -> InstanceOf | None:
    match owner:
        case Session():
            return InstanceOf(library_names().session_classes[owner.kind])
        case ClassOf():
            return InstanceOf(owner.qualified)
    return owner


def _bound_method(declared: Declaration) -> str | None:
    """Return the method that a stub declares by ``choice = _inst.choice``, by its dotted name."""
    match declared.nodes:
        case [ast.Assign(value=ast.Attribute(value=held, attr=name))]:
            pass
        case _:
            return None
    match held:
        case ast.Name(id=variable):
            return f"{declared.module}.{variable}.{name}"
        case ast.Attribute(value=ast.Name(id=package), attr=variable):
            home = imported_module(declared.module, package)
            return None if home is None else f"{home}.{variable}.{name}"
    return None


class _Solutions:
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
