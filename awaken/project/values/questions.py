"""The questions that the parts of the evaluator ask of each other.

An expression leads to an annotation, that to a class, its attribute to a call, and that to an
expression again. Each part knows this protocol, and none knows another part.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct, field

from awaken.contract import Place
from awaken.knowledge import Knowledge
from awaken.knowledge.declarations import declaration
from awaken.project.names.classes import Classes
from awaken.project.names.functions.annotated_decorators import DeclaredDecorators
from awaken.project.names.functions.forwarding import Forwarding
from awaken.project.names.functions.injections import Injections
from awaken.project.names.resolution import Names
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import Function, items_in_brackets
from awaken.project.values.domain import (
    Argument,
    ClassOf,
    Environment,
    External,
    FunctionOf,
    How,
    InstanceOf,
    Session,
    Unknown,
    Value,
    Values,
)
from awaken.project.values.library_types.declared_types import named_declaration, read, variables_in
from awaken.project.values.library_types.solving import Solution

PARAMETRISED = {"typing.Generic", "typing.Protocol", "typing_extensions.Protocol"}
Lasting = Literal["question", "tree", "program"]
"""How long an answer is kept: for the outermost question, or as long as the tree of its file."""


class GenericClass(NamedTuple):
    """A class: the names of its type variables in order, and its bases with their arguments."""

    variables: tuple[str, ...]
    bases: tuple[InstanceOf, ...]
    is_protocol: bool = False


@cache
def library_class(qualified: str) -> GenericClass | None:
    """Return a class that a stub declares; None where there is none."""
    result = declaration(qualified)
    node = result.nodes[0] if result is not None and result.nodes else None
    if result is None or not isinstance(node, ast.ClassDef):
        return None
    bases: list[InstanceOf] = []
    listed: tuple[str, ...] | None = None
    is_protocol = False
    for base in node.bases:
        arguments = items_in_brackets(base) if isinstance(base, ast.Subscript) else []
        outer = base.value if isinstance(base, ast.Subscript) else base
        declared = named_declaration(result.module, outer)
        if declared is None:
            continue
        is_protocol = is_protocol or declared.public_name == "typing.Protocol"
        if declared.public_name in PARAMETRISED:
            if arguments:
                listed = variables_in(result.module, arguments)
            continue
        inner = tuple(read(result.module, argument) for argument in arguments)
        bases.append(InstanceOf(declared.public_name, parameters=inner))
    variables = variables_in(result.module, node.bases) if listed is None else listed
    return GenericClass(variables, tuple(bases), is_protocol)


class Given(Struct, frozen=True):
    """An expression that a caller passes, in its module."""

    module: Module
    node: ast.expr


class Passed(Struct):
    """All arguments that visible calls pass to a parameter.

    ``doubts`` are clauses, with their places, that say why other values may be passed as well;
    without one, ``given`` is all that there is. ``calls`` is how many visible calls agree.
    ``expected`` has the types that receivers of the function declare, by the doubt that they end.
    """

    given: list[Given] = field(default_factory=list)
    calls: int = 0
    doubts: dict[str, Place] = field(default_factory=dict)
    expected: dict[str, list[Given]] = field(default_factory=dict)


def given_by(evaluator: Questions, argument: Argument) -> Values:
    """Return what an argument is."""
    if not isinstance(argument.value, ast.expr):
        return () if argument.receiver is None else (argument.receiver,)
    return evaluator.values(argument.module, argument.value, argument.known)


class Mapping(Protocol):
    """Answers about the mapping of a program's classes, which a later layer provides."""

    def attribute(self, owner: InstanceOf | ClassOf, name: str) -> Values:
        """Return what reading an attribute gives; empty where no mapping says so."""

    def is_relationship(self, owner: InstanceOf, name: str) -> bool:
        """Whether an attribute leads to other mapped objects."""

    def is_mapped(self, qualified: str) -> bool:
        """Whether a class of the program is mapped."""

    def is_base(self, qualified: str) -> bool:
        """Whether a class of the program is a base of mapped classes, and not mapped itself."""


class NoMapping:
    """The mapping of a program in which nothing is mapped."""

    def attribute(self, _owner: InstanceOf | ClassOf, _name: str) -> Values:
        """Return nothing."""
        return ()

    def is_relationship(self, _owner: InstanceOf, _name: str) -> bool:
        """Return False."""
        return False

    def is_mapped(self, _qualified: str) -> bool:
        """Return False."""
        return False

    def is_base(self, _qualified: str) -> bool:
        """Return False."""
        return False


class OtherCode(Protocol):
    """Answers about other code, which gives values to the names of a class or a module."""

    def to_attribute(self, owner: InstanceOf | ClassOf, name: str, values: Values) -> Values:
        """Return the ``values`` of an attribute, with those of other code."""

    def instead_of(self, functions: Values, results: Values) -> Values:
        """Return what other code puts in the place of ``functions`` with these ``results``."""


class LibraryTypes(Protocol):
    """Answers of the stubs of libraries."""

    def attribute(
        self, owner: InstanceOf | ClassOf | Session, name: str, module: Module, node: ast.AST
    ) -> Values | None:
        """Return what an attribute of a library's class is; None where no stub says so."""

    def call_results(
        self, function: External, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what a library's function gives; None where no stub says so."""

    def variable(self, value: Value) -> InstanceOf | None:
        """Return what a variable of a library's module holds; else None."""

    def overridden(self, owner: ClassOf, name: str, place: int) -> Values:
        """Return what a library declares of a parameter of a method that ``owner`` overrides."""

    def instance_of(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what a call of a library's class makes; None where no stub declares it."""

    def results_of_use(
        self, how: How, value: Value, module: Module, node: ast.AST
    ) -> Values | None:
        """Return what a value gives when it is used in this way; None if nothing says so."""

    def knows(self, qualified: str) -> bool:
        """Whether a stub declares this name."""

    def parameters_as(self, value: InstanceOf, base: str) -> tuple[Values, ...] | None:
        """Return the values of the parameters of a base; None if it is no base."""

    def solution_of(self, owner: InstanceOf | ClassOf, base: str) -> Solution:
        """Return the values of the type variables of a base."""

    def solve(
        self,
        wanted: Values,
        given: Values,
        solution: dict[str, Values],
        module: Module,
        node: ast.expr,
    ) -> None:
        """Add the values of type variables where something is given."""


class Questions(Protocol):
    """Answers of the evaluator; ``follows_callers`` says whether it may ask for callers."""

    names: Names
    classes: Classes
    load: Load
    knowledge: Knowledge
    forwarding: Forwarding
    declared_decorators: DeclaredDecorators
    injections: Injections
    mapping: Mapping

    @property
    def other_code(self) -> OtherCode:
        """Return the answers of other code."""

    @property
    def follows_callers(self) -> bool:
        """Whether it may ask for callers."""

    def modules_at(self, paths: Iterable[str]) -> Iterator[Module]:
        """Yield those of the files at ``paths`` that parse."""

    @property
    def library(self) -> LibraryTypes:
        """What libraries give."""

    def values(self, module: Module, node: ast.expr, known: Environment = ()) -> Values:
        """Return what an expression may be."""

    def declared_values(self, module: Module, annotation: ast.expr) -> Values:
        """Return what an annotation says that a value is."""

    def says_nothing(self, module: Module, annotation: ast.expr) -> bool:
        """Whether an annotation leaves open what an object is."""

    def binding(self, module: Module, binding: Binding, known: Environment) -> Values:
        """Return what one binding gives to its name."""

    def assigned_values(
        self,
        module: Module,
        node: ast.AST,
        value: ast.expr | None,
        annotation: ast.expr | None,
        known: Environment,
    ) -> Values:
        """Return what an assignment gives."""

    def call_results(
        self, functions: Values, module: Module, node: ast.Call, known: Environment = ()
    ) -> Values:
        """Return what ``node``, a call of one of these functions, gives."""

    def iterated_values(self, values: Values, module: Module, node: ast.AST) -> Values:
        """Return what ``for`` gives of these values."""

    def with_later_additions(self, found: Values, module: Module, name: str) -> Values:
        """Return what a class of ``module`` gives to ``name``, with what is put into it later."""

    def declared_unsolved(self, module: Module, annotation: ast.expr) -> Values:
        """Return what an annotation says that a value is, with its type variables."""

    def generic_class(self, qualified: str) -> GenericClass | None:
        """Return the type variables of a class of the program, and what it gives its bases."""

    def values_of_name(self, qualified: str, module: Module, node: ast.AST) -> Values:
        """Return what a qualified name is."""

    def global_values(self, module: Module, name: str) -> Values:
        """Return what a name of a module's own scope may be."""

    def attribute(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what an attribute of a class, or of its instance, may be."""

    def lacks(self, owner: InstanceOf, name: str, module: Module, node: ast.AST) -> bool:
        """Whether an instance of a class of the program is proved to have no method ``name``."""

    def lacks_name(self, module: Module, name: str) -> bool:
        """Whether a module has no attribute ``name``: to read it raises."""

    def as_session(self, value: Value) -> Value:
        """Return the session that an instance is, or the value itself."""

    def results_of(self, function: FunctionOf) -> Values:
        """Return what a call of a function gives."""

    def undecorated_results(self, module: Module, function: Function) -> Values:
        """Return the result of a function that a framework calls directly."""

    def injected_values(self, module: Module, arguments: list[ast.expr]) -> Values:
        """Return what ``Annotated`` with these arguments says that FastAPI passes."""

    def text(self, path: str) -> bytes:
        """Return the text of a file of the program."""

    def files_naming(self, word: str) -> list[str] | None:
        """Return the files that hold a word; None if callers are not to be followed."""

    def passed_to(self, module: Module, function: Function, parameter: ast.arg) -> Passed:
        """Return what callers pass to a parameter."""

    def received_values(self, module: Module, function: Function, parameter: ast.arg) -> Values:
        """Return the values of a parameter from visible callers, or why they are unknown."""

    def solve(
        self,
        key: Hashable,
        module: Module,
        node: ast.AST,
        work: Callable[[], Values],
        lasting: Lasting = "question",
    ) -> Values:
        """Return the answer to a question that may lead back to itself, kept so long."""

    def unknown(self, module: Module, node: ast.AST, why: str) -> Unknown:
        """Return that a node is unknown, and why."""


class EvaluatorPart:
    """A part of the evaluator, which asks the other parts."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator
