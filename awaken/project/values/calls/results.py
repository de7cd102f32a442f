"""The results of calls."""

from __future__ import annotations

import ast
from dataclasses import replace
from weakref import WeakValueDictionary

from awaken.contract import Place
from awaken.project.names.classes import PROTOCOLS
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import (
    Function,
    last_name,
    positional_parameters,
    without_arguments,
)
from awaken.project.values.calls.bound_arguments import arguments_of, receiver_of, solve
from awaken.project.values.calls.decorator_effects import decorator_effects, registered_function
from awaken.project.values.calls.library_calls import LibraryCalls, Uses
from awaken.project.values.calls.new_instances import Making, are_told_apart
from awaken.project.values.calls.parameter_values import passed_on_by
from awaken.project.values.domain import (
    NEVER,
    Argument,
    ClassOf,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    SessionKind,
    Unknown,
    Value,
    Values,
    holds_tree,
    union,
)
from awaken.project.values.library.origins import Origins, origins_in, parameters_in, passed_on
from awaken.project.values.library.promises import holds_own, is_bare, narrower, with_items
from awaken.project.values.library_types.solving import (
    SELF,
    has_variables,
    solved_values,
    without_variables,
)
from awaken.project.values.pytest_fixtures import fixtures_asked_for, is_asking
from awaken.project.values.questions import Questions, given_by

_INITIALISERS = {"__init__", "__init_subclass__"}


class Results:
    """Follows calls; ``functions`` those of the program, ``uses`` other ways to use a value."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator
        self.uses = Uses(evaluator)
        self.functions = _Functions(evaluator, self.uses)
        self._making = Making(evaluator)
        self._libraries = LibraryCalls(evaluator, self._making, self.uses)

    def result(self, module: Module, node: ast.Call, known: Environment) -> Values:
        """Return what the call ``node`` returns."""
        # It may return nothing else, whatever class it is of.
        if isinstance(node.func, ast.Attribute) and node.func.attr in _INITIALISERS:
            return (NoneValue(),)
        if is_asking(node) and _asks_pytest(module, node):
            asked = fixtures_asked_for(self._evaluator, module, node)
            if asked:
                return union(*(passed_on_by(self._evaluator.results_of(value)) for value in asked))
        given = registered_function(self._evaluator, module, node, known)
        if given is not None:
            return self._evaluator.values(module, given, known)
        functions = self._evaluator.values(module, node.func, known)
        return self.call_results(functions, module, node, known)

    def call_results(
        self, functions: Values, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        """Return what ``node``, a call of one of ``functions``, returns."""
        result = union(*(self._results_of(each, module, node, known) for each in functions))
        others = self._evaluator.other_code.instead_of(functions, result)
        return union(result, *(self._results_of(each, module, node, known) for each in others))

    def _results_of(
        self, function: Value, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        match function:
            case ClassOf():
                return self._making.instance_of(function.qualified, module, node, known)
            case FunctionOf():
                arguments = arguments_of(function, module, node, known)
                result = self.functions.results_of(function, arguments)
                receiver = receiver_of(function, module, node, known)
                return self._with_origins(result, function, (*receiver, *arguments))
            case External():
                return self._libraries.external(function, module, node, known)
            case Producer(how="callable" | "factory"):
                return function.inner
            case Session(kind="session" | "scoped" | "async-scoped"):
                # A "session" may be a registry that is annotated as its session.
                kind: SessionKind = "async" if function.kind == "async-scoped" else "session"
                return (replace(function, kind=kind),)
            case InstanceOf():
                through = self.uses.method_results
                return (
                    (NEVER,) if function == NEVER else through(function, "__call__", module, node)
                )
            case Unknown():
                return (*self._libraries.as_of_session(module, node, known), function)
            case NotRelevant(mock=True):
                return (function,)
            case NoneValue():
                return ()
            case _:
                text = module.excerpt(node.func)
                why = f"the return value of `{text}` is unknown"
                return (self._evaluator.unknown(module, node, why),)

    def _with_origins(self, found: Values, function: FunctionOf, arguments: Environment) -> Values:
        """Return the result of a call; values from its arguments keep their origins."""
        asked = parameters_in(found)
        given: dict[Place, Origins] = {}
        for argument in arguments if asked else ():
            place = function.module.place(argument.parameter)
            if place in asked:
                values = given_by(self._evaluator, argument)
                origins = origins_in(values, self._evaluator.mapping.is_mapped)
                given |= {} if origins is None else {place: origins}
        return passed_on(found, given) if given else found


def _asks_pytest(module: Module, call: ast.Call) -> bool:
    """Whether a call asks what pytest passes to a test or a fixture as ``request``."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="request") as name):
            return module.scopes.parameter_of(name) is not None
    return False


def _only_declares(node: Function) -> bool:
    """Whether the body of a function does nothing, or refuses to be called."""
    return all(
        isinstance(statement, ast.Pass | ast.Raise)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in node.body
    )


def _given_by_overriding(evaluator: Questions, function: FunctionOf) -> Values:
    """Return what the methods give that override ``function``.

    Empty where others may override it: code outside of the project, and any class with the methods
    of a protocol.
    """
    module, node, owner = function.module, function.node, function.bound
    is_hidden = evaluator.names.layout.published and not is_test_file(module.path)
    if not isinstance(owner, InstanceOf) or not isinstance(node, Function) or is_hidden:
        return ()
    ancestors = evaluator.classes.ancestors(owner.qualified)
    is_protocol = ancestors is None or bool(PROTOCOLS & set(ancestors.outside))
    # Else too many files would be read.
    if is_protocol or not evaluator.follows_callers:
        return ()
    result: Values = ()
    for below in evaluator.classes.all_subclasses(owner.qualified):
        facts = evaluator.classes.facts(below)
        if facts is None or node.name not in facts.attributes:
            continue
        for method in evaluator.attribute(InstanceOf(below), node.name, module, node):
            if not isinstance(method, FunctionOf):
                return ()
            result = union(result, evaluator.results_of(method))
    is_abstract = any(last_name(decorator) == "abstractmethod" for decorator in node.decorator_list)
    if result and not is_abstract and not any(isinstance(part, ast.Raise) for part in node.body):
        nothing: Values = (NoneValue(),)
        is_lazy = isinstance(node, ast.AsyncFunctionDef)
        result = union(result, (Producer("coroutine", nothing),) if is_lazy else nothing)
    return result


class _Functions:
    """Follows calls of functions."""

    def __init__(self, evaluator: Questions, uses: Uses) -> None:
        self._evaluator = evaluator
        self._uses = uses
        self._arguments = WeakValueDictionary[int, Argument]()

    def _first_equal(self, argument: Argument) -> Argument:
        """Return the first argument that is equal to ``argument``.

        Each holds those around its call. Equal ones that are one object compare at once.
        """
        first = self._arguments.setdefault(hash(argument), argument)
        return first if first == argument else argument

    def _receiver(self, function: FunctionOf, node: Function) -> Environment:
        """Return the object of a method, where it says more than the method's class.

        A class method gets the subclass by whose name it is called. A query of a class of the
        program knows its class.
        """
        module, bound, owner = function.module, function.bound, function.module.parent(node)
        first = next(iter(positional_parameters(node)), None)
        if first is None or not isinstance(owner, ast.ClassDef):
            return ()
        match bound:
            case InstanceOf(parameters=[_, *_]):
                pass
            case ClassOf(qualified=name) | InstanceOf(qualified=name) if name != module.full_name(
                owner
            ):
                pass
            case _:
                return ()
        return (Argument(first, module, first, (), bound),)

    def results_of(self, function: FunctionOf, arguments: Environment = ()) -> Values:
        """Return what calling ``function`` with ``arguments`` gives."""
        module, node = function.module, function.node
        # The arguments of this call first: the first that fits counts.
        known = (*arguments, *function.known)
        if isinstance(node, ast.Lambda):
            return self._evaluator.values(module, node.body, known)
        known = tuple(map(self._first_equal, (*self._receiver(function, node), *known)))
        holds = bool(known) or (function.bound is not None and holds_tree((function.bound,)))
        return self._evaluator.solve(
            ("call", node, known, function.bound),
            module,
            node,
            lambda: self._decorated_values(function, node, known),
            "question" if holds else "tree",
        )

    def _decorated_values(self, function: FunctionOf, node: Function, known: Environment) -> Values:
        module, managed, wrapped = function.module, False, False
        is_lazy = isinstance(node, ast.AsyncFunctionDef) and not module.is_generator(node)
        for decorator in node.decorator_list:
            effects = decorator_effects(self._evaluator, module, decorator)
            if "manager" in effects:
                managed = True
            elif "returns" in effects:
                continue
            elif "coroutine" in effects or (is_lazy and "coroutines" in effects):
                wrapped = True
            else:
                plain = without_arguments(decorator)
                why = f"`{node.name}` is decorated by `{module.excerpt(plain)}`"
                return (self._evaluator.unknown(module, plain, why),)
        if wrapped and not managed:
            why = f"`{node.name}` is decorated, so it may return something else"
            return (Producer("coroutine", (self._evaluator.unknown(module, node, why),)),)
        result = self.undecorated_results(function, node, known)
        if not managed:
            return result
        return (Producer("manager", self._uses.results_of_use("generator", result, module, node)),)

    def undecorated_results(
        self, function: FunctionOf, node: Function, known: Environment = ()
    ) -> Values:
        """Return the result of a function that is called directly, without its decorators."""
        result = self._as_written(function, node, known)
        if _only_declares(node) and any(map(_is_open, result)):
            return _given_by_overriding(self._evaluator, function) or result
        return result

    def _as_written(self, function: FunctionOf, node: Function, known: Environment) -> Values:
        """Return what a function gives, as its own body and its annotation say it."""
        evaluator, module = self._evaluator, function.module
        yielded, returns = module.yields_of(node), module.returned_by(node)
        declared: Values = ()
        if node.returns is not None:
            declared = self._declared_annotations(function, node, node.returns, known)
            # A pure declaration, such as a method of a protocol, returns the declared type.
            if (returns or yielded) and any(isinstance(value, Unknown) for value in declared):
                declared = ()
        generates = any(isinstance(item, Producer) and item.how == "generator" for item in declared)
        if declared and (generates or not yielded):
            # The annotation says what awaiting gives; the call itself gives a coroutine.
            lazy = isinstance(node, ast.AsyncFunctionDef) and not yielded
            if self._is_narrowed(declared):
                found = union(*(evaluator.values(module, part, known) for part in returns))
                if yielded:
                    inner = union(*(self._yielded_values(module, part, known) for part in yielded))
                    found = (Producer("generator", inner),)
                declared = tuple(
                    with_items(value, found) for value in narrower(self._evaluator, declared, found)
                )
            return (Producer("coroutine", declared),) if lazy else declared
        if yielded:
            # An annotation of a generator that names none says at best what is yielded.
            inner = union(*(self._yielded_values(module, part, known) for part in yielded))
            unknown = any(isinstance(value, Unknown) for value in inner)
            return (Producer("generator", declared if unknown and declared else inner),)
        found = union(*(evaluator.values(module, part, known) for part in returns))
        if not returns and _only_declares(node):
            why = f"`{node.name}` is left to those that override it"
            found = (evaluator.unknown(module, node, why),)
        elif not returns:
            found = (NoneValue(),)
        return (Producer("coroutine", found),) if isinstance(node, ast.AsyncFunctionDef) else found

    def _declared_annotations(
        self, function: FunctionOf, node: Function, annotation: ast.expr, known: Environment
    ) -> Values:
        """Return the annotation of what is returned, its type variables solved by this call."""
        module, library = function.module, self._evaluator.library
        declared = self._evaluator.declared_unsolved(module, annotation)
        if not has_variables(declared):
            return declared
        solution: dict[str, Values] = {}
        bound = function.bound
        if isinstance(bound, InstanceOf | ClassOf):
            owner = module.parent(node)
            if isinstance(owner, ast.ClassDef):
                home = module.full_name(owner)
                solution |= library.solution_of(bound, home)
            own = bound if isinstance(bound, InstanceOf) else InstanceOf(bound.qualified)
            solution[SELF] = (own,)
        solve(self._evaluator, function, known, solution)
        return without_variables(solved_values(declared, solution), module.place(annotation))

    def _is_narrowed(self, declared: Values) -> bool:
        """Whether what a function returns may say more than its annotation ``declared``."""
        is_told = are_told_apart(declared) or any(map(is_bare, declared))
        return is_told or holds_own(self._evaluator, declared)

    def _yielded_values(
        self, module: Module, node: ast.Yield | ast.YieldFrom, known: Environment
    ) -> Values:
        if node.value is None:
            return (NoneValue(),)
        given = self._evaluator.values(module, node.value, known)
        if isinstance(node, ast.Yield):
            return given
        return self._uses.results_of_use("generator", given, module, node)


def _is_open(value: Value) -> bool:
    """Whether nothing is known of a value, or of what awaiting it gives."""
    if isinstance(value, Producer) and value.how == "coroutine":
        return any(isinstance(alternative, Unknown) for alternative in value.inner)
    return isinstance(value, Unknown)
