"""The evaluator: the values of an expression, followed backwards over files.

Flow is not followed: a variable is everything that is ever assigned to it. That makes a proof
hold on every path, at the price of calling a name unknown that is used for two things.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from awaken.knowledge import Knowledge
from awaken.project.names.classes import Classes
from awaken.project.names.resolution import Names
from awaken.project.names.tables import NameTarget, target_of
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.annotations import Annotations
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    ClassOf,
    DeclarativeBase,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.library.classes import GenericClass
from awaken.project.values.library.lookup import Library
from awaken.project.values.members import Members
from awaken.project.values.narrowing import checked_class
from awaken.project.values.parameters import Parameters
from awaken.project.values.questions import Passed
from awaken.project.values.results import Results, is_made, of_role

_DEEPEST = 60  # keeps Python's own stack well below its limit
_MOST_STEPS = 3000  # of one question; half of it loses no finding (benchmarks/limits.md)

Key = tuple[str, str]


class Evaluator(ABC):
    """Answers what expressions of one project are; the parts know each other through it.

    What callers pass is asked of the floor above, which extends this class.
    """

    def __init__(
        self,
        names: Names,
        classes: Classes,
        load: Callable[[str], Module | None],
        knowledge: Knowledge,
    ) -> None:
        self.names = names
        self.classes = classes
        self.load = load
        self.knowledge = knowledge
        self.annotations = Annotations(self)
        self.library = Library(self)
        # What a mapping says of an attribute is told by the floor above, where there is one.
        self.mapped_attribute: Callable[[InstanceOf | ClassOf, str], Values] = lambda _, __: ()
        self.results = Results(self)
        self.members = Members(self)
        self.parameters = Parameters(self)
        self._globals: dict[tuple[str, str], Values] = {}
        self._active: set[tuple[object, ...]] = set()
        self._answers: dict[tuple[ast.expr, Environment], Values] = {}
        self._steps = 0
        self._cuts = 0
        self.follows_callers = True
        self._aside: dict[Key, Values] = {}

    @abstractmethod
    def passed_to(self, module: Module, function: Function, parameter: ast.arg) -> Passed:
        """Return what callers pass to ``parameter`` of ``function``."""

    def declared(self, module: Module, annotation: ast.expr) -> Values:
        """Return what an annotation says that a value is."""
        return self.annotations.values(module, annotation)

    def declared_open(self, module: Module, annotation: ast.expr) -> Values:
        """Return what an annotation says that a value is, with its type variables."""
        return self.annotations.open(module, annotation)

    def generic_class(self, qualified: str) -> GenericClass | None:
        """Return the type variables of a class of the program, and what it gives its bases."""
        return self.annotations.generic_class(qualified)

    def injected(self, module: Module, arguments: list[ast.expr]) -> Values:
        """Return what ``Annotated[X, Depends(...)]`` with these arguments says."""
        return self.parameters.annotated(module, arguments)

    def attribute(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what ``name`` of a class or of its instance may be."""
        return self.members.attribute(owner, name, module, node)

    def as_session(self, value: Value) -> Value:
        """Return ``value``, or the session that an instance of a project's subclass is."""
        return self.members.as_session(value)

    def returned(self, function: FunctionOf) -> Values:
        """Return what a call of ``function`` gives."""
        return self.results.returned(function)

    def values(self, module: Module, node: ast.expr, known: Environment = ()) -> Values:
        """Return what ``node`` may be, given what is ``known`` of the parameters around it."""
        key = (node, known)
        kept = self._answers.get(key)
        if kept is not None:
            return kept
        with self.entered("expression", *key) as fresh:
            if not fresh:
                return (self.unknown(module, node, "too much has to be followed to tell"),)
            found = self._values(module, node, known)
        if len(found) > MOST_ALTERNATIVES:
            found = (self.unknown(module, node, "it may be too many things"),)
        if self._active:
            # The outermost question has just dropped what was worked out for it.
            self._answers[key] = found
        return found

    @contextmanager
    def entered(self, *key: object) -> Iterator[bool]:
        """Guard a recursion: True if this very question is not already being answered.

        What was worked out for one question is dropped after it, or trees would be kept.
        """
        if key in self._active or len(self._active) > _DEEPEST or self._steps > _MOST_STEPS:
            # Counted for `remembered`, which must not keep what was cut short.
            self._cuts += 1
            yield False
            return
        self._active.add(key)
        self._steps += 1
        try:
            yield True
        finally:
            self._active.discard(key)
            if not self._active:
                self._answers.clear()
                self._steps = 0

    @contextmanager
    def without_callers(self) -> Iterator[None]:
        """Answer questions apart, as if nothing were known of what callers pass.

        What is found is remembered apart as well, so that no answer depends on which question was
        asked first.
        """
        outer = self._active, self._answers, self._steps, self.follows_callers
        self._active, self._answers, self._steps, self.follows_callers = set(), {}, 0, False
        if outer[-1]:
            # Inside of another `without_callers` they are swapped already.
            self._swap_memories()
        try:
            yield
        finally:
            self._active, self._answers, self._steps, self.follows_callers = outer
            if outer[-1]:
                self._swap_memories()

    def _swap_memories(self) -> None:
        self._globals, self._aside = self._aside, self._globals
        self.members.swap_memory()

    @contextmanager
    def remembered(self, kept: dict[Key, Values], key: Key) -> Iterator[list[Values]]:
        """Keep the answer put into the list, if no cycle cut it short and it holds no tree."""
        answer: list[Values] = []
        cuts = self._cuts
        yield answer
        lasting = answer and not any(isinstance(one, FunctionOf | Producer) for one in answer[0])
        if lasting and cuts == self._cuts:
            kept[key] = answer[0]

    def unknown(self, module: Module, node: ast.AST, why: str) -> Unknown:
        """Return that ``node`` is unknown, and why."""
        return Unknown(why, module.place(node))

    def _values(self, module: Module, node: ast.expr, known: Environment) -> Values:
        match node:
            case ast.Name():
                return self._name(module, node, known)
            case ast.Attribute():
                owners = self.values(module, node.value, known)
                return union(*(self.members.of(owner, module, node) for owner in owners))
            case ast.Call():
                return self.results.result(module, node, known)
            case ast.Await():
                return self.results.awaited(module, node, known)
            case ast.Subscript():
                return self._item(module, node, known)
            case ast.Constant():
                return (NoneValue(),) if node.value is None else (NotRelevant("a constant"),)
            case ast.Lambda():
                return (FunctionOf(module, node, known),)
            case _:
                return self._choice(module, node, known)

    def _choice(self, module: Module, node: ast.expr, known: Environment) -> Values:
        match node:
            case ast.IfExp():
                return union(*(self.values(module, x, known) for x in (node.body, node.orelse)))
            case ast.NamedExpr():
                return self.values(module, node.value, known)
            # On the left only what is falsy is given on: no session, so None stands for it.
            case ast.BoolOp(op=ast.And()):
                return union(self.values(module, node.values[-1], known), (NoneValue(),))
            case ast.BoolOp():
                *firsts, last = [self.values(module, part, known) for part in node.values]
                # `or` gives on what is on its left only if that is not None.
                truthy = [tuple(one for one in first if one != NoneValue()) for first in firsts]
                return union(*truthy, last)
            case ast.Starred() | ast.Yield() | ast.YieldFrom():
                return (
                    self.unknown(module, node, "what is sent or unpacked here is not followed"),
                )
            case _:
                return (NotRelevant("a value built in place"),)

    def _item(self, module: Module, node: ast.Subscript, known: Environment) -> Values:
        owners = self.values(module, node.value, known)
        if all(isinstance(owner, ClassOf | External) for owner in owners):
            return owners  # a generic class: ``sessionmaker[AsyncSession]``
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(key, str) and all(self._is_typed_dict(owner) for owner in owners):
            return union(
                *(
                    self.members.attribute(owner, key, module, node)
                    for owner in owners
                    if isinstance(owner, InstanceOf)
                )
            )
        return (self.unknown(module, node, "an item of a container is not followed"),)

    def _is_typed_dict(self, value: Value) -> bool:
        if not isinstance(value, InstanceOf):
            return False
        ancestors = self.classes.ancestors(value.qualified)
        typed = {"typing.TypedDict", "typing_extensions.TypedDict"}
        return ancestors is not None and bool(typed & set(ancestors.outside))

    def _name(self, module: Module, node: ast.Name, known: Environment) -> Values:
        bindings = module.scopes.bindings_of(node)
        if not bindings:
            name = self.names.qualified(module, node)
            if name is None:
                return (self.unknown(module, node, f"`{node.id}` is not defined in sight"),)
            return self.named(name, module, node)
        # Names at the top of a file may be circular over files, and are remembered.
        if bindings == module.scopes.module.bindings.get(bindings[0].name):
            return self.global_values(module, bindings[0].name)
        found = self._joined(module, bindings, known)
        if any(isinstance(one, Unknown) for one in found):
            checked = checked_class(module, node, bindings)
            if checked is not None:
                return self.annotations.values(module, checked)
        return found

    def _joined(self, module: Module, bindings: list[Binding], known: Environment) -> Values:
        live = [binding for binding in bindings if binding.kind != "delete"]
        return union(*(self.binding(module, binding, known) for binding in live)) or (
            self.unknown(module, bindings[0].node, f"`{bindings[0].name}` is only deleted"),
        )

    def global_values(self, module: Module, name: str) -> Values:
        """Return what the module-level ``name`` of ``module`` may be."""
        key = (module.path, name)
        if key in self._globals:
            return self._globals[key]
        with self.remembered(self._globals, key) as answer:
            answer.append(self._global(module, name))
        return answer[0]

    def _global(self, module: Module, name: str) -> Values:
        with self.entered("global", module.path, name) as fresh:
            if not fresh:
                return (self.unknown(module, module.tree, f"`{name}` depends on itself"),)
            bindings = module.scopes.module.bindings.get(name, [])
            if bindings:
                return self._joined(module, bindings, ())
            return self._reexported(module, name)

    def _reexported(self, module: Module, name: str) -> Values:
        qualified = self.names.attribute(module.path, name)
        if qualified is None:
            why = f"`{module.name}` does not define `{name}` in sight"
            return (self.unknown(module, module.tree, why),)
        return self.named(qualified, module, module.tree)

    def named(self, qualified: str, module: Module, node: ast.AST) -> Values:
        """Return what a qualified name is; ``module`` and ``node`` say where it was used."""
        located = self.names.locate(qualified)
        if located is None:
            role = self.knowledge.attributes.get(qualified)
            if role is not None:
                return (of_role(role, qualified, module.place(node)),)
            return (self._outside(qualified),)
        if not located.rest:
            return (ModuleOf(located.path),)
        if self.classes.facts(qualified) is not None:
            return (ClassOf(qualified),)
        defining = self.load(located.path)
        if defining is None or len(located.rest) != 1:
            return (self.unknown(module, node, f"`{qualified}` is not defined in sight"),)
        return self.global_values(defining, located.rest[0])

    def _outside(self, qualified: str) -> Value:
        if qualified in self.knowledge.types or qualified in self.knowledge.mapped_classes:
            return ClassOf(qualified)
        # It stands in for anything, so it proves nothing, and nothing stands against it.
        if qualified.startswith("unittest.mock."):
            return NotRelevant("a mock", mock=True)
        return External(qualified)

    def binding(self, module: Module, binding: Binding, known: Environment) -> Values:
        """Return what one binding gives to its name."""
        node = binding.node
        match binding.kind:
            case "import":
                return self._imported(module, binding)
            case "parameter":
                return self.parameters.of(module, binding, known)
            case "function" if isinstance(node, Function):
                return (FunctionOf(module, node, known),)
            case "class" if isinstance(node, ast.ClassDef):
                return (ClassOf(f"{module.name}.{module.qualname(node)}"),)
            case "assignment" | "walrus" | "annotation":
                # Else a variable would be unknown for depending on itself.
                value = _without_itself(binding.value, node)
                return self.assigned(module, node, value, binding.annotation, known)
            case "with" if binding.value is not None:
                return self.results.enter(self.values(module, binding.value, known), module, node)
            case "for" if binding.value is not None:
                return self._iterated(module, binding.value, known)
            case "except":
                return (NotRelevant("an exception"),)
            case _:
                return (self.unknown(module, node, f"`{binding.name}` is bound by unpacking"),)

    def assigned(
        self,
        module: Module,
        node: ast.AST,
        value: ast.expr | None,
        annotation: ast.expr | None,
        known: Environment,
    ) -> Values:
        """Return what an assignment gives: its annotation, unless the value says otherwise."""
        given: Values = () if value is None else self.values(module, value, known)
        if annotation is not None:
            declared = self.annotations.values(module, annotation)
            # A test may annotate a mock as what it stands for.
            mocked = any(isinstance(one, NotRelevant) and one.mock for one in given)
            if not mocked and not any(isinstance(one, Unknown) for one in declared):
                return _narrowed(declared, given)
        return given or (self.unknown(module, node, "it is bound by unpacking"),)

    def _iterated(self, module: Module, node: ast.expr, known: Environment) -> Values:
        # A literal gives its elements; of other containers nothing is known.
        if isinstance(node, ast.List | ast.Tuple | ast.Set) and node.elts:
            return union(*(self.values(module, part, known) for part in node.elts))
        return self.results.given("generator", self.values(module, node, known), module, node)

    def _imported(self, module: Module, binding: Binding) -> Values:
        target = target_of(module, binding)
        if target.kind == "module":
            return self._module(module, binding, target.text)
        source = self.names.absolute(target, module.path)
        if source is None:
            return (self.unknown(module, binding.node, "the import leaves the project"),)
        found = self.names.layout.find(source, module.path)
        if found.path is None:
            return self._from_outside(module, binding, target)
        defining = self.load(found.path)
        if defining is None:
            return (self.unknown(module, binding.node, f"{found.path} cannot be parsed"),)
        # What a package binds hides its submodule, except while the package itself imports that.
        if target.name not in defining.scopes.module.bindings or defining.path == module.path:
            submodule = self.names.layout.submodule(found.path, target.name)
            if submodule is not None:
                return (ModuleOf(submodule),)
        return self.global_values(defining, target.name)

    def _from_outside(self, module: Module, binding: Binding, target: NameTarget) -> Values:
        name = self.names.imported(module.path, target)
        if name is None:
            return (self.unknown(module, binding.node, "the import could not be followed"),)
        return self.named(name, module, binding.node)

    def _module(self, module: Module, binding: Binding, dotted: str) -> Values:
        found = self.names.layout.find(dotted, module.path)
        if found.path is not None:
            return (ModuleOf(found.path),)
        if found.ambiguous:
            return (self.unknown(module, binding.node, f"two files may be `{dotted}`"),)
        return (External(dotted),)


def _without_itself(value: ast.expr | None, node: ast.AST) -> ast.expr | None:
    """Return ``value`` without the variable itself: ``s = s or make()`` adds only ``make()``."""
    name = node.id if isinstance(node, ast.Name) else None

    def is_itself(part: ast.expr) -> bool:
        return isinstance(part, ast.Name) and part.id == name

    match value:
        case ast.BoolOp(op=ast.Or()) if not is_itself(value.values[-1]):
            others = [part for part in value.values if not is_itself(part)]
            return others[0] if len(others) == 1 else value
        case ast.IfExp() if is_itself(value.body) and not is_itself(value.orelse):
            return value.orelse
        case ast.IfExp() if is_itself(value.orelse) and not is_itself(value.body):
            return value.body
        case _:
            return value


def _narrowed(declared: Values, given: Values) -> Values:
    """Return the annotation; where the value says more, as of a session or a base, the value."""
    if given and all(isinstance(one, Session | DeclarativeBase) for one in given):
        return given
    if is_made(given):
        # An annotation names the class, the value also which instance it is.
        return given
    return declared
