"""Members of library classes and the results of library calls.

A member is looked up over generic bases, from classes of the program on: what its class is given
for the type variables is put into what the stub says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from awaken.knowledge.declarations import Declaration, declaration
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    ClassOf,
    Environment,
    External,
    FunctionOf,
    How,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Origin,
    Producer,
    Session,
    TupleOf,
    TypeVariable,
    Unknown,
    Value,
    Values,
    as_instance,
    union,
    without_origins,
)
from awaken.project.values.library.classes import GenericClass, library_class
from awaken.project.values.library.declared_types import of_class, of_variable, read
from awaken.project.values.library.forms import TYPING
from awaken.project.values.library.origins import loaded
from awaken.project.values.library.signatures import (
    Filled,
    Signature,
    filled,
    is_property,
    refuses_literal,
    signature,
)
from awaken.project.values.library.solving import (
    SELF,
    Solution,
    closed,
    growing,
    has_variables,
    solved,
    without_none,
)
from awaken.project.values.questions import Questions

_CLASSES = {
    "session": "sqlalchemy.orm.Session",
    "scoped": "sqlalchemy.orm.scoped_session",
    "async": "sqlalchemy.ext.asyncio.AsyncSession",
    "async-scoped": "sqlalchemy.ext.asyncio.async_scoped_session",
}
_ENTERED = {"generator": ("__iter__", "__aiter__"), "manager": ("__enter__", "__aenter__")}
_NUMBERS = {("builtins.int", "builtins.float"), ("builtins.bool", "builtins.int")}
_LITERALS = {str: "str", int: "int", bool: "bool", float: "float", bytes: "bytes"}
Receiver = InstanceOf | ClassOf | Session


@dataclass(frozen=True, slots=True)
class _Call:
    """A call, and where its arguments are to be evaluated."""

    module: Module
    node: ast.Call
    known: Environment
    # Whether it is this call that makes or loads an object of a class that it is given.
    makes: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """A member, the stub that it stands in, and what the variables of its class stand for."""

    module: str
    nodes: tuple[ast.AST, ...]
    solution: Solution


class Library:
    """What libraries give, asked by the evaluator."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator

    def knows(self, qualified: str) -> bool:
        """Whether this is a name of a library that a stub declares, and not of the program."""
        return self._declaration(qualified) is not None

    def attribute(self, owner: Receiver, name: str, module: Module, node: ast.AST) -> Values | None:
        """Return what ``name`` of an object or class is, by the library's classes it inherits.

        None where no stub says so.
        """
        instance = _instance(owner)
        if instance is None:
            return None
        for one in self._line(instance):
            found = self._member(one, name)
            if found is None:
                continue
            # By the class that it was read from: that is the name which programs write.
            full = f"{self._outside_of(instance) or one.qualified}.{name}"
            other = _alias_of(found.nodes[0], name)
            if other is not None:
                return self.attribute(owner, other, module, node)
            given = _read(found, full, owner)
            solution = {**found.solution, SELF: (instance,)}
            why = f"nothing says what `{full}` is"
            return given and closed(solved(given, solution), module.place(node), why)
        return None

    def called(
        self, function: External, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what a library's function or method gives; None where no stub says so."""
        call, name = _Call(module, node, known), function.qualified
        instance = None if function.receiver is None else _instance(function.receiver)
        if instance is not None:
            simple = name.rpartition(".")[2]
            members = (self._member(one, simple) for one in self._line(instance))
            found = next((one for one in members if one is not None), None)
            result = None if found is None else self._result(name, found, (instance,), call)
            return None if result is None else loaded(result, function, module, node)
        declared = self._declaration(name)
        if declared is None:
            return self._called_on_variable(function, call)
        owner = self._declaration(name.rpartition(".")[0])
        of_method = owner is not None and owner.members is not None
        own: Values = of_class(name.rpartition(".")[0]) if of_method else ()
        found = _Found(declared.module, declared.nodes, {})
        return self._result(name, found, own, call)

    def variable(self, value: Value) -> InstanceOf | None:
        """Return what a variable of a library's module holds, as ``os.environ``; else None."""
        if not isinstance(value, External) or value.receiver is not None:
            return None
        declared = self._declaration(value.qualified)
        node = declared.nodes[0] if declared is not None and declared.nodes else None
        home = value.qualified.rpartition(".")[0]
        is_form = home in TYPING or not isinstance(node, ast.AnnAssign)
        if declared is None or is_form or self._declaration(home) is not None:
            return None
        match of_variable(declared):
            case [InstanceOf() as held]:
                return held
            case _:
                return None

    def _called_on_variable(self, function: External, call: _Call) -> Values | None:
        """Return what a method of a library's variable gives, as ``os.environ.get``."""
        home, _, name = function.qualified.rpartition(".")
        held = self.variable(External(home))
        if held is None:
            return None
        found = self.attribute(held, name, call.module, call.node)
        match found:
            case [External(receiver=InstanceOf()) as method]:
                return self.called(method, call.module, call.node, call.known)
            case _:
                return None

    def made(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what calling a library's class makes; None where no stub declares it."""
        declared = self._declaration(qualified)
        if declared is None or declared.members is None:
            return None
        shape = library_class(qualified)
        plain: Values = (InstanceOf(qualified),)
        if shape is None or not shape.variables:
            return plain
        variables: Values = (
            InstanceOf(qualified, parameters=tuple((TypeVariable(x),) for x in shape.variables)),
        )
        call = _Call(module, node, known)
        return self._constructed(InstanceOf(qualified), variables, call) or plain

    def used(self, how: How, value: Value, module: Module, node: ast.AST) -> Values | None:
        """Return what ``value`` gives when it is used in the way ``how`` (see ``Producer``).

        None where it cannot be used so, or nothing says what it gives.
        """
        match value:
            case Producer() if value.is_used(how):
                return value.inner
            case Unknown() | NotRelevant(mock=True):
                return (value,)
            case External() if how in _ENTERED:
                variable = self.variable(value)
                return None if variable is None else self.used(how, variable, module, node)
            case TupleOf() if how == "generator":
                return union(*value.items)
            case TypeVariable():
                return None
            case _ if how == "callable":
                return self._when_called(value, module, node)
            case InstanceOf() if how in {"awaitable", "coroutine"}:
                held = self.parameters_as(value, "collections.abc.Awaitable")
                return held[0] if held else None
            case InstanceOf() if how in _ENTERED:
                return self._entered(how, value, module, node)
            case _:
                return None

    def parameters_as(self, value: InstanceOf, base: str) -> tuple[Values, ...] | None:
        """Return what the parameters of ``base`` stand for in ``value``; None if it is no such."""
        for one in self._line(value):
            if one.qualified == base:
                return one.parameters
        return None

    def solve(
        self,
        wanted: Values,
        given: Values,
        solution: dict[str, Values],
        module: Module,
        node: ast.expr,
    ) -> None:
        """Add to ``solution`` what the variables in ``wanted`` stand for, where it is ``given``."""
        call = ast.copy_location(ast.Call(node, [], []), node)
        self._unify(wanted, given, solution, _Call(module, call, (), makes=False))

    def solution_of(self, owner: InstanceOf | ClassOf, base: str) -> Solution:
        """Return what the type variables of the class ``base`` stand for in ``owner``."""
        instance = _instance(owner)
        found = None if instance is None else self.parameters_as(instance, base)
        shape = self._class(base) if found else None
        return {} if shape is None or not found else dict(zip(shape.variables, found, strict=False))

    # ------------------------------------------------------------------------------- the classes
    def _declaration(self, qualified: str) -> Declaration | None:
        found = declaration(qualified)
        if found is None or self._evaluator.names.locate(qualified) is not None:
            return None  # the program has a module of this name, which comes first
        return found

    def _class(self, qualified: str) -> GenericClass | None:
        if self._evaluator.classes.facts(qualified) is not None:
            return self._evaluator.generic_class(qualified)
        return library_class(qualified) if self._declaration(qualified) is not None else None

    def _line(self, value: InstanceOf) -> Iterator[InstanceOf]:
        """Yield the class of ``value`` and all its bases, with what their variables stand for."""
        waiting, seen = [value], set[str]()
        while waiting:
            one = waiting.pop()
            if one.qualified in seen:
                continue
            seen.add(one.qualified)
            yield one
            shape = self._class(one.qualified)
            if shape is None:
                continue
            solution = dict(zip(shape.variables, one.parameters, strict=False))
            for base in reversed(shape.bases):
                inner = tuple(solved(each, solution) for each in base.parameters)
                if one.parameters and not shape.variables:
                    # Of a query of the program's own class the mapping says what it loads.
                    inner = inner or one.parameters
                waiting.append(InstanceOf(base.qualified, parameters=inner))

    def _member(self, owner: InstanceOf, name: str) -> _Found | None:
        declared = self._declaration(owner.qualified)
        nodes = (declared.members or {}).get(name) if declared is not None else None
        if declared is None or not nodes:
            return None
        shape = library_class(owner.qualified)
        variables = () if shape is None else shape.variables
        return _Found(declared.module, nodes, dict(zip(variables, owner.parameters, strict=False)))

    def _outside_of(self, value: InstanceOf) -> str | None:
        """Return the first class of a library in the line of ``value``."""
        inside = self._evaluator.classes
        return next(
            (x.qualified for x in self._line(value) if inside.facts(x.qualified) is None), None
        )

    # --------------------------------------------------------------------------------- the calls
    def _result(self, name: str, found: _Found, own: Values, call: _Call) -> Values | None:
        chosen = self._chosen(found, own, call, is_method=bool(own))
        results: Values = ()
        for one, arguments in chosen:
            solution = self._solution(found, one, arguments, own, call)
            results = union(results, solved(growing(one.returns), solution))
        if not results:
            return None
        why = f"nothing says what `{name}` gives"
        return closed(results, call.module.place(call.node), why)

    def _constructed(self, plain: InstanceOf, made: Values, call: _Call) -> Values:
        """Return the object that ``__new__`` or ``__init__`` make; empty if they tell nothing."""
        new, init = self._member(plain, "__new__"), self._member(plain, "__init__")
        results: Values = ()
        if new is not None:
            for one, arguments in self._chosen(new, (), call, is_method=True):
                if one.returns != (TypeVariable(SELF),):
                    solution = self._solution(new, one, arguments, (), call)
                    results = union(results, solved(growing(one.returns), solution))
        found = init or new
        if found is not None and not results:
            for one, arguments in self._chosen(found, (), call, is_method=True):
                declared = one.first.type if one.first is not None and init is not None else ()
                solution = self._solution(found, one, arguments, (), call)
                results = union(results, solved(growing(declared or made), solution))
        if all(one in growing(made) for one in results):
            return ()
        return closed(results, call.module.place(call.node), "nothing says what it holds")

    def _solution(
        self,
        found: _Found,
        one: Signature,
        arguments: list[Filled],
        own: Values,
        call: _Call,
    ) -> Solution:
        solution: dict[str, Values] = {**found.solution}
        if own:
            solution[SELF] = own
            if one.first is not None and has_variables(one.first.type):
                self._unify(one.first.type, own, solution, call)
        if not has_variables(one.returns) and one.first is None:
            return solution
        for parameter, argument, unpacked in arguments:
            if has_variables(parameter.type):
                given = self._argument(argument, call)
                if unpacked:
                    given = self._given("generator", given, call)
                wanted = solved(parameter.type, {SELF: own} if own else {})
                self._unify(wanted, given, solution, call)
        return solution

    def _chosen(
        self, found: _Found, own: Values, call: _Call, *, is_method: bool
    ) -> list[tuple[Signature, list[Filled]]]:
        """Return the overloads that the call may mean: up to the first that surely fits."""
        fitting: list[tuple[Signature, list[Filled]]] = []
        for node in found.nodes:
            if not isinstance(node, Function):
                continue
            one = signature(found.module, node, is_method=is_method)
            arguments = filled(one, call.node)
            if arguments is not None:
                fitting.append((one, arguments))
        if len(fitting) <= 1:
            return fitting
        chosen: list[tuple[Signature, list[Filled]]] = []
        for one, arguments in fitting:
            fits = self._all_fit(one, own, arguments, call)
            if fits is not False:
                chosen.append((one, arguments))
            if fits:
                break
        return chosen

    def _all_fit(
        self, one: Signature, own: Values, arguments: list[Filled], call: _Call
    ) -> bool | None:
        found = [self._fits_parameter(each, call) for each in arguments]
        if one.first is not None and one.first.type:
            # Of a result, say, that has rows of one place.
            found += [self._fits(one.first.type, each, call) for each in own]
        if False in found:
            return False
        return None if None in found else True

    def _fits_parameter(self, one: Filled, call: _Call) -> bool | None:
        if refuses_literal(one.parameter, one.argument):
            return False
        if one.unpacked or not one.parameter.type:
            return True
        given = self._argument(one.argument, call)
        found = [self._fits(one.parameter.type, each, call) for each in given]
        if found and all(each is False for each in found):
            return False
        return True if all(found) else None

    def _fits(self, wanted: Values, given: Value, call: _Call) -> bool | None:
        if isinstance(given, Unknown):
            return True if has_variables(wanted) else None
        found = [self._fits_type(one, given, call) for one in wanted]
        if True in found:
            return True
        return None if None in found else False

    def _fits_type(self, wanted: Value, given: Value, call: _Call) -> bool | None:
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
                return self.used(wanted.how, given, call.module, call.node) is not None
            case InstanceOf():
                return self._fits_class(wanted, given, call)
            case TupleOf():
                return isinstance(given, TupleOf) and len(wanted.items) == len(given.items)
            case Session():
                return isinstance(given, Session) or (None if _is_open(given) else False)
            case _:
                return wanted == given or (None if isinstance(given, ClassOf) else False)

    def _is_callable(self, value: Value) -> bool:
        """Whether ``value`` can be called, with whatever: ``attrgetter("name")`` takes one."""
        if isinstance(value, InstanceOf):
            return any(self._member(one, "__call__") is not None for one in self._line(value))
        return isinstance(value, FunctionOf | ClassOf | External)

    def _fits_variable(self, wanted: TypeVariable, given: Value, call: _Call) -> bool | None:
        if wanted.as_class:
            return isinstance(given, ClassOf)
        return self._fits(wanted.bound, given, call) if wanted.bound else True

    def _fits_class(self, wanted: InstanceOf, given: Value, call: _Call) -> bool | None:
        if isinstance(given, TupleOf):
            given = as_instance(given)
        if not isinstance(given, InstanceOf):
            return None if _is_open(given) else False
        if (given.qualified, wanted.qualified) in _NUMBERS:
            return True
        held = self.parameters_as(given, wanted.qualified)
        if held is not None:
            return self._hold_alike(wanted.parameters, held, call)
        shape = self._class(wanted.qualified)
        # What a protocol asks for, a class may have without inheriting from it.
        return None if shape is None or shape.is_protocol else False

    def _hold_alike(
        self, wanted: tuple[Values, ...], held: tuple[Values, ...], call: _Call
    ) -> bool | None:
        """Whether what type parameters stand for fits, as a row of one place in ``Select``."""
        pairs = list(zip(wanted, held, strict=False))
        found = [[self._fits(one, each, call) for each in given] for one, given in pairs]
        if any(each and all(fits is False for fits in each) for each in found):
            return False
        return True if all(all(each) for each in found) else None

    def _argument(self, node: ast.expr, call: _Call) -> Values:
        match node:
            case ast.Slice():
                return (InstanceOf("builtins.slice"),)
            case ast.Constant(value=value) if type(value) in _LITERALS:
                return (InstanceOf(f"builtins.{_LITERALS[type(value)]}"),)
            case ast.JoinedStr():
                return (InstanceOf("builtins.str"),)
            case _:
                return self._evaluator.values(call.module, node, call.known)

    def _unify(
        self, wanted: Values, given: Values, solution: dict[str, Values], call: _Call
    ) -> None:
        """Add to ``solution`` what the variables in ``wanted`` stand for, where it is ``given``."""
        if NoneValue() in wanted:
            given = without_none(given)
        for one in wanted:
            match one:
                case TypeVariable():
                    others = tuple(x for x in wanted if not isinstance(x, TypeVariable))
                    rest = self._of_class(given, call) if one.as_class else given
                    rest = tuple(x for x in rest if not others or not self._fits(others, x, call))
                    if rest:
                        solution[one.name] = union(solution.get(one.name, ()), rest)
                case Producer():
                    self._unify(one.inner, self._given(one.how, given, call), solution, call)
                case InstanceOf() if one.parameters:
                    for each in given:
                        self._unify_instance(one, each, solution, call)
                case TupleOf():
                    self._unify_places(one, given, solution, call)
                case _:
                    pass

    def _unify_places(
        self, wanted: TupleOf, given: Values, solution: dict[str, Values], call: _Call
    ) -> None:
        for each in given:
            if isinstance(each, TupleOf) and len(each.items) == len(wanted.items):
                for inner, value in zip(wanted.items, each.items, strict=True):
                    self._unify(inner, value, solution, call)

    def _unify_instance(
        self, wanted: InstanceOf, given: Value, solution: dict[str, Values], call: _Call
    ) -> None:
        held: tuple[Values, ...] | None = None
        match given:
            case InstanceOf():
                held = self.parameters_as(given, wanted.qualified)
                if held is None:
                    self._unify_protocol(wanted, given, solution, call)
            case TupleOf():
                held = self.parameters_as(as_instance(given), wanted.qualified)
            case Producer(how="generator"):
                self._unify_protocol(wanted, given, solution, call)
            case Unknown():
                held = tuple((given,) for _ in wanted.parameters)
            case _:
                pass
        for inner, value in zip(wanted.parameters, held or (), strict=False):
            self._unify(inner, value, solution, call)

    def _unify_protocol(
        self, wanted: InstanceOf, given: Value, solution: dict[str, Values], call: _Call
    ) -> None:
        """Solve what a protocol of one method says of its result, as ``SupportsNext[T]``."""
        declared = self._declaration(wanted.qualified)
        shape = library_class(wanted.qualified)
        if declared is None or shape is None or not shape.is_protocol:
            return
        for name, nodes in (declared.members or {}).items():
            if not isinstance(nodes[0], Function):
                continue
            returns = signature(declared.module, nodes[0], is_method=True).returns
            variables = dict(zip(shape.variables, wanted.parameters, strict=False))
            result = self._method(given, name, call.module, call.node)
            if result is not None:
                self._unify(solved(returns, variables), result, solution, call)

    def _of_class(self, given: Values, call: _Call) -> Values:
        made = union(*(self._when_called(x, call.module, call.node) or () for x in given))
        return made if call.makes else tuple(map(without_origins, made))

    def _given(self, how: How, given: Values, call: _Call) -> Values:
        """Return what ``given`` gives when it is used; what cannot be used so adds nothing."""
        return union(*(self.used(how, one, call.module, call.node) or () for one in given))

    def _when_called(self, value: Value, module: Module, node: ast.AST) -> Values | None:
        match value:
            case ClassOf():
                made = of_class(value.qualified)
                origin = (Origin(module.place(node)),)
                return tuple(
                    replace(one, origins=origin) if isinstance(one, InstanceOf) else one
                    for one in made
                )
            case FunctionOf():
                return self._evaluator.returned(value)
            case Producer(how="callable" | "factory"):
                return value.inner
            case External():
                return self._external(value, module, node)
            case InstanceOf():
                return self._method(value, "__call__", module, node)
            case Unknown():
                return (value,)
            case _:
                return None

    def _external(self, function: External, module: Module, node: ast.AST) -> Values | None:
        """Return what a function gives that is called elsewhere, with arguments out of sight."""
        call = ast.copy_location(ast.Call(ast.Name("_"), [], []), node)
        if function.receiver is None:
            made = self.made(function.qualified, module, call, ())
            if made is not None:
                return made
        found = self.called(function, module, call, ())
        declared = self._declaration(function.qualified)
        if found is not None or declared is None or function.receiver is not None:
            return found
        functions = [one for one in declared.nodes if isinstance(one, Function)]
        results = union(
            *(signature(declared.module, one, is_method=False).returns for one in functions)
        )
        why = f"nothing says what `{function.qualified}` gives"
        return closed(results, module.place(node), why) or None

    def _entered(self, how: How, value: InstanceOf, module: Module, node: ast.AST) -> Values | None:
        plain, waiting = _ENTERED[how]
        found = self._method(value, plain, module, node)
        is_async = found is None
        if found is None:
            found = self._method(value, waiting, module, node)
        if found is None:
            return None
        if how == "manager":
            return self._awaited(found, module, node) if is_async else found
        given: Values = ()
        for one in found:
            match one:
                case Producer(how="generator"):
                    given = union(given, one.inner)
                case InstanceOf():
                    item = self._method(one, "__anext__" if is_async else "__next__", module, node)
                    if item is None:
                        return None
                    given = union(given, self._awaited(item, module, node) if is_async else item)
                case Unknown():
                    given = union(given, (one,))
                case _:
                    return None
        return given or None

    def _awaited(self, values: Values, module: Module, node: ast.AST) -> Values:
        return union(*(self.used("coroutine", one, module, node) or () for one in values))

    def _method(self, value: Value, name: str, module: Module, node: ast.AST) -> Values | None:
        """Return what calling a method without arguments gives; None where there is none."""
        if isinstance(value, Producer) and value.how == "generator":
            own = name in {"__iter__", "__aiter__"}
            return (value,) if own else value.inner if name == "__next__" else None
        if isinstance(value, TupleOf):
            value = as_instance(value)
        if not isinstance(value, InstanceOf):
            return None
        found: Values = ()
        for one in self._evaluator.attribute(value, name, module, node):
            result = None if isinstance(one, Unknown) else self._when_called(one, module, node)
            if result is None:
                return None
            found = union(found, result)
        return found or None


def _alias_of(node: ast.AST, name: str) -> str | None:
    """Return the other member that this one is, as in ``__radd__ = __add__``."""
    match node:
        case ast.Assign(value=ast.Name(id=other)) if other != name:
            return other
        case _:
            return None


def _read(found: _Found, full: str, owner: Receiver) -> Values | None:
    """Return what a member is, with the type variables of its class."""
    match found.nodes[0]:
        case ast.AnnAssign(annotation=annotation):
            return read(found.module, annotation)
        case ast.FunctionDef() | ast.AsyncFunctionDef() as function:
            if not is_property(function):
                return (External(full, owner),)
            is_read = not isinstance(owner, ClassOf)
            return signature(found.module, function, is_method=True).returns if is_read else None
        case _:
            return None


def _is_open(value: Value) -> bool:
    """Whether what is known of ``value`` leaves open of which class it is."""
    return isinstance(value, NotRelevant | External | InstanceOf)


def _instance(owner: Receiver) -> InstanceOf | None:
    match owner:
        case Session():
            return InstanceOf(_CLASSES[owner.kind])
        case ClassOf():
            return InstanceOf(owner.qualified)
        case _:
            return owner
