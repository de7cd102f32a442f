"""The evaluator: the values of an expression, followed backwards over files.

A local variable is what reaches the place at which it is read; what is read at another time, by a
function inside, and every name of a module is all that is ever assigned to it. A question in
progress has no values yet: an empty tuple never means absent.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager

from awaken.contract import Place
from awaken.knowledge import Knowledge
from awaken.project.names.classes import Classes
from awaken.project.names.functions.annotated_decorators import DeclaredDecorators
from awaken.project.names.functions.forwarding import Forwarding
from awaken.project.names.functions.injections import Injections
from awaken.project.names.module_tables import NameTarget, target_of
from awaken.project.names.resolution import Names
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.memo import RECORDER
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import Function, FunctionOrLambda, is_overload
from awaken.project.values.annotations import Annotations
from awaken.project.values.answers.circles import Answers, Kept, TooMuchError, both_kept
from awaken.project.values.attributes.members import Members
from awaken.project.values.attributes.values_elsewhere import ValuesElsewhere
from awaken.project.values.calls.library_calls import NOT_ITERABLE, of_role
from awaken.project.values.calls.parameter_values import Parameters
from awaken.project.values.calls.results import Results
from awaken.project.values.containers.additions import Additions
from awaken.project.values.containers.built_containers import Building, constant, operated_values
from awaken.project.values.containers.subscripts import Step, item_of, overrides_at, received_value
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    NEVER,
    ClassOf,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    NotRelevant,
    TooLarge,
    TupleOf,
    Unknown,
    Value,
    Values,
    placed_values,
    union,
    without_never,
)
from awaken.project.values.items import is_tuple, items_of, list_of, place_of
from awaken.project.values.library.lookup import Library
from awaken.project.values.library.of_requests import current_user
from awaken.project.values.library.promises import (
    classes_for,
    narrowed_annotations,
    narrowed_variable,
)
from awaken.project.values.local.flow import flow_of
from awaken.project.values.local.narrowing import Narrowing
from awaken.project.values.pytest_fixtures import modules_of_tests
from awaken.project.values.questions import GenericClass, Lasting, Mapping, NoMapping, Passed
from awaken.project.values.widening import widened_values
from awaken.project.values.wrapped import packed_item, packed_keyword


class Evaluator(ABC):
    """Answers what expressions of one project are; the parts know each other through it.

    The subclass in the call graph asks callers for their arguments.
    """

    def __init__(self, names: Names, classes: Classes, load: Load, knowledge: Knowledge) -> None:
        self.names = names
        self.classes = classes
        self.load = load
        self.knowledge = knowledge
        self.forwarding = Forwarding(names)
        self.declared_decorators = DeclaredDecorators(names)
        self.injections = Injections(names)
        self.annotations = Annotations(self)
        self.library = Library(self)
        # Given by the floor above, where there is one.
        self.mapping: Mapping = NoMapping()
        self.results = Results(self)
        self.other_code = ValuesElsewhere(self)
        self.members = Members(self)
        self.parameters = Parameters(self)
        self.building = Building(self)
        self.additions = Additions(self)
        self.narrowing = Narrowing(self)
        self._lasting = both_kept()
        self._answers = Answers()
        self._answers_aside = Answers()
        self._follows = True

    @property
    def follows_callers(self) -> bool:
        """Whether it may ask for callers; what asks this depends on it."""
        self._answers.note_callers()
        return self._follows

    def modules_at(self, paths: Iterable[str]) -> Iterator[Module]:
        """Yield those of the files at ``paths`` that parse."""
        return filter(None, map(self.load, paths))

    def calls_at(self, place: Place) -> list[tuple[Module, ast.Call]]:
        """Return the calls that take exactly a place, each with its file."""
        modules = self.modules_at([place.path])
        return [(module, call) for module in modules for call in module.calls_at(place.span)]

    def functions_at(self, places: Iterable[tuple[str, int]]) -> Iterator[tuple[Module, Function]]:
        """Yield the functions that begin at ``places``: the path of a file, and a byte of it."""
        for path, start in places:
            module = self.load(path)
            function = None if module is None else module.function_at(start)
            if module is not None and function is not None:
                yield module, function

    @abstractmethod
    def passed_to(self, module: Module, function: Function, parameter: ast.arg) -> Passed:
        """Return what callers pass to ``parameter`` of ``function``."""

    @abstractmethod
    def is_undefined(self, module: Module, node: ast.Name) -> bool:
        """Whether nothing gives a value to a name, which a class of the program has elsewhere."""

    @abstractmethod
    def lacks_name(self, module: Module, name: str) -> bool:
        """Whether a module has no attribute ``name``: to read it raises."""

    @abstractmethod
    def text(self, path: str) -> bytes:
        """Return the text of a file of the program."""

    @abstractmethod
    def files_naming(self, word: str) -> list[str] | None:
        """Return the files that hold a word; None where callers are not followed."""

    def declared_values(self, module: Module, annotation: ast.expr) -> Values:
        """Return what an annotation says that a value is."""
        return self.annotations.values(module, annotation)

    def says_nothing(self, module: Module, annotation: ast.expr) -> bool:
        """Whether an annotation leaves open what an object is."""
        return self.annotations.says_nothing(module, annotation)

    def declared_unsolved(self, module: Module, annotation: ast.expr) -> Values:
        """Return what an annotation says that a value is, with its type variables."""
        return self.annotations.values_with_variables(module, annotation)

    def generic_class(self, qualified: str) -> GenericClass | None:
        """Return the type variables of a class of the program, and what it gives its bases."""
        return self.annotations.generic_class(qualified)

    def injected_values(self, module: Module, arguments: list[ast.expr]) -> Values:
        """Return what ``Annotated[X, Depends(...)]`` with these arguments says."""
        return self.parameters.annotated_values(module, arguments)

    def attribute(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what ``name`` of a class or of its instance may be."""
        return self.members.attribute(owner, name, module, node)

    def lacks(self, owner: InstanceOf, name: str, module: Module, node: ast.AST) -> bool:
        """Whether an instance of a class of the program is proved to have no method ``name``."""
        return self.members.lacks(owner, name, module, node)

    def received_values(self, module: Module, function: Function, parameter: ast.arg) -> Values:
        """Return the values of a parameter from visible callers, or why they are unknown."""
        return self.parameters.received_values(module, function, parameter)

    def as_session(self, value: Value) -> Value:
        """Return ``value``, or the session that an instance of a project's subclass is."""
        return self.members.as_session(value)

    def with_later_additions(self, found: Values, module: Module, name: str) -> Values:
        """Return what a class of ``module`` gives to ``name``, with what is put into it later."""
        return self.additions.to_attribute(found, module, name)

    def results_of(self, function: FunctionOf) -> Values:
        """Return what a call of ``function`` gives."""
        return self.results.functions.results_of(function)

    def undecorated_results(self, module: Module, function: Function) -> Values:
        """Return the result of a function that a framework calls directly."""
        return self.results.functions.undecorated_results(FunctionOf(module, function), function)

    def values(self, module: Module, node: ast.expr, known: Environment = ()) -> Values:
        """Return what ``node`` may be, given what is ``known`` of the parameters around it."""
        return self.solve(
            # The node alone where it can be: there are more of these than of all other questions.
            ("expression", node, known) if known else node,
            module,
            node,
            lambda: self._limited_values(module, node, known),
            # Arguments hold their trees.
            "question" if known else "tree",
        )

    def solve(
        self,
        key: Hashable,
        module: Module,
        node: ast.AST,
        work: Callable[[], Values],
        lasting: Lasting = "question",
    ) -> Values:
        """Return what ``work`` answers to the question ``key``, which may lead back to itself.

        Questions inside of another get no values from what is still open. ``lasting`` says how long
        the answer is kept, if it holds no tree. One with a tree is dropped after the outermost
        question.
        """
        answers, kept = self._answers, self._answers_kept_for(module, lasting)
        if not answers.is_idle:
            return answers.answer_to(key, module.path, work, kept)
        answer = None if kept is None else kept.own.get(key)
        if answer is not None and answer.is_small and answer.values:
            RECORDER.add(answer.record)
            return placed_values(answer.values, module, node)
        try:
            result = answers.answer_to(key, module.path, work, kept)
        except TooMuchError as error:
            result = (TooLarge(str(error), module.place(node)),)
        finally:
            answers.forget()
        if result:
            return placed_values(result, module, node)
        text = module.excerpt(node) if isinstance(node, ast.expr) else "it"
        return (self.unknown(module, node, f"awaken sees no value of `{text}`"),)

    def _answers_kept_for(self, module: Module, lasting: Lasting) -> Kept | None:
        """Return where an answer is kept that lasts so long; None if nowhere."""
        match lasting:
            case "question":
                return None
            case "tree":
                return module.memoize("answers", both_kept)[self._follows]
            case "program":
                return self._lasting[self._follows]

    def _limited_values(self, module: Module, node: ast.expr, known: Environment) -> Values:
        result = self._values(module, node, known)
        if len(result) <= MOST_ALTERNATIVES:
            return result
        rows = tuple(value for value in result if self._is_row(value))
        wider = widened_values(self.classes, rows or result) or ()
        # Which row is read decides what is loaded; of other objects, what they inherit says enough.
        if not rows and 0 < len(wider) <= MOST_ALTERNATIVES:
            return wider
        known_rows = rows if len(rows) < MOST_ALTERNATIVES else wider
        unknown = self.unknown(module, node, "it may be too many things")
        return (*(known_rows if len(known_rows) < MOST_ALTERNATIVES else ()), unknown)

    def _is_row(self, value: Value) -> bool:
        return isinstance(value, InstanceOf) and self.mapping.is_mapped(value.qualified)

    def let_go(self) -> None:
        """Forget what leads to trees."""
        for answers in {self._answers, self._answers_aside}:
            answers.let_go()

    @contextmanager
    def without_callers(self) -> Iterator[None]:
        """Answer questions apart, as if nothing were known of what callers pass.

        Answers are remembered separately as well, so that none depends on the order of questions.
        """
        outer = self._answers, self._follows
        aside = self._answers_aside
        # Questions inside of a separate question begin again.
        self._answers = aside if aside.is_idle else Answers()
        self._follows = False
        try:
            yield
        finally:
            self._answers, self._follows = outer

    def unknown(self, module: Module, node: ast.AST, why: str) -> Unknown:
        """Return that ``node`` is unknown, and why."""
        return Unknown(why, module.place(node))

    def call_results(
        self, functions: Values, module: Module, node: ast.Call, known: Environment = ()
    ) -> Values:
        """Return what ``node``, a call of one of these functions, gives."""
        return self.results.call_results(functions, module, node, known)

    def iterated_values(self, values: Values, module: Module, node: ast.AST) -> Values:
        """Return what ``for`` gives of these values."""
        result: Values = ()
        # Iterating over one of these raises, so it adds nothing to the others.
        left = tuple(
            alternative
            for alternative in values
            if not isinstance(alternative, InstanceOf) or alternative.qualified not in NOT_ITERABLE
        )
        for value in left or values:
            items = items_of(value)
            if items is None:
                items = self.results.uses.results_of_use("generator", (value,), module, node)
            result = union(result, items)
        return result

    def _values(self, module: Module, node: ast.expr, known: Environment) -> Values:
        match node:
            case ast.Name():
                return self._name(module, node, known)
            case ast.Attribute():
                return self._attribute(module, node, known)
            case ast.Call():
                result = packed_keyword(self, module, node, known)
                if result is None:
                    result = self.building.call_results(module, node, known)
                return self.results.result(module, node, known) if result is None else result
            case ast.Await():
                return self.results.uses.awaited_values(module, node, known)
            case ast.Subscript():
                return self._item(module, node, known)
            case ast.Constant():
                return (constant(node.value),)
            case ast.Lambda():
                return (FunctionOf(module, node, known),)
        return self._choice(module, node, known)

    def _choice(self, module: Module, node: ast.expr, known: Environment) -> Values:
        parts = alternatives(node)
        match node:
            # Only a falsy left side is passed on: it is no session, so None represents it.
            case ast.BoolOp(op=ast.And()):
                return union(self.values(module, parts[-1], known), (NoneValue(),))
            case ast.BoolOp():
                *firsts, last = [self.values(module, part, known) for part in parts]
                # `or` gives on what is on its left only if that is not None.
                truthy = [tuple(item for item in first if item != NoneValue()) for first in firsts]
                return union(*truthy, last)
            case ast.Starred() | ast.Yield() | ast.YieldFrom():
                return (
                    self.unknown(module, node, "awaken does not follow sent or unpacked values"),
                )
        if parts:
            return union(*(self.values(module, part, known) for part in parts))
        return self.building.display(module, node, known)

    def _attribute(self, module: Module, node: ast.Attribute, known: Environment) -> Values:
        above = self.members.super_attribute(module, node) or overrides_at(self, module, node)
        if above or (above := modules_of_tests(self, module, node)) is not None:
            return above
        owners = self.values(module, node.value, known)
        # Where one of several owners lacks it, reading it raises there.
        members = without_never(*(self.members.values_of(owner, module, node) for owner in owners))
        is_unknown = any(isinstance(member, Unknown) for member in members)
        if not is_unknown or not isinstance(node.value, ast.Name):
            return members
        return self.narrowing.narrow(module, node, module.scopes.bindings_of(node.value), members)

    def _item(self, module: Module, node: ast.Subscript, known: Environment) -> Values:
        for of_parameter in (packed_item, packed_keyword):
            packed = of_parameter(self, module, node, known)
            if packed is not None:
                return packed
        owners = self.values(module, node.value, known)
        owners = tuple(self.library.variable(owner) or owner for owner in owners)
        if owners and all(isinstance(owner, ClassOf | External) for owner in owners):
            return owners  # a generic class: ``sessionmaker[AsyncSession]``
        items = union(*(item_of(self, owner, module, node) for owner in owners))
        if not isinstance(node.value, ast.Name) or not all(map(is_tuple, owners)):
            return items
        # Nothing changes the items of a tuple, so what a check says of one lasts.
        return self.narrowing.narrow(module, node, module.scopes.bindings_of(node.value), items)

    def _name(self, module: Module, node: ast.Name, known: Environment) -> Values:
        bindings = module.scopes.bindings_of(node)
        if not bindings:
            name = self.names.qualified_name(module, node)
            if name is not None:
                return self.values_of_name(name, module, node)
            why = f"awaken sees no definition of `{node.id}`"
            return (NEVER if self.is_undefined(module, node) else self.unknown(module, node, why),)
        # Names at the top of a file may be circular over files, and are remembered.
        if bindings == module.scopes.module.bindings.get(bindings[0].name):
            return self.global_values(module, bindings[0].name)
        reaching = self._reaching(module, node, bindings, known)
        scope = bindings[0].scope
        reaching = self.additions.to_variable(reaching, module, scope, bindings[0].name, known)
        return self.narrowing.narrow(module, node, bindings, reaching)

    def _reaching(
        self, module: Module, node: ast.Name, bindings: list[Binding], known: Environment
    ) -> Values:
        """Return what a name of a function may be where ``node`` reads it."""
        given = [binding for binding in bindings if binding.kind not in {"annotation", "delete"}]
        function = bindings[0].scope.node
        if len(given) > 1 and isinstance(function, FunctionOrLambda):
            reaching = flow_of(module, function).reaching(node)
            # Of code that runs at another time, or that is never reached, all of them are asked.
            if isinstance(reaching, tuple) and reaching:
                given = list(reaching)
        declared = [binding for binding in bindings if binding.kind == "annotation"]
        return self._joined_values(module, given or declared or bindings, known)

    def _joined_values(self, module: Module, bindings: list[Binding], known: Environment) -> Values:
        live = [item for item in bindings if item.kind != "delete" and not is_overload(item.node)]
        if not live:
            why = f"`{bindings[0].name}` is only deleted"
            return (self.unknown(module, bindings[0].node, why),)
        return union(*(self.binding(module, binding, known) for binding in live))

    def global_values(self, module: Module, name: str) -> Values:
        """Return what the module-level ``name`` of ``module`` may be."""
        return self.solve(
            ("global", module.path, name),
            module,
            module.tree,
            lambda: self._global(module, name),
            "program",
        )

    def _global(self, module: Module, name: str) -> Values:
        bindings = module.scopes.module.bindings.get(name, [])
        if bindings:
            return self.additions.to_global(self._joined_values(module, bindings, ()), module, name)
        return self._reexported_values(module, name)

    def _reexported_values(self, module: Module, name: str) -> Values:
        qualified = self.names.attribute(module.path, name)
        if qualified is None:
            why = f"awaken sees no `{name}` in `{module.name}`"
            return (self.unknown(module, module.tree, why),)
        return self.values_of_name(qualified, module, module.tree)

    def values_of_name(self, qualified: str, module: Module, node: ast.AST) -> Values:
        """Return what a qualified name is; ``module`` and ``node`` say where it was used."""
        located = self.names.locate(qualified)
        if located is None:
            role = self.knowledge.attributes.get(qualified)
            if role is not None:
                return (of_role(role, qualified, module.place(node)),)
            user = current_user(self, qualified, module, node)
            return (self._value_outside(qualified),) if user is None else user
        if not located.rest:
            return (ModuleOf(located.path),)
        if self.classes.facts(qualified) is not None:
            return (ClassOf(qualified),)
        defining = self.load(located.path)
        if defining is None or len(located.rest) != 1:
            return (self.unknown(module, node, f"awaken sees no definition of `{qualified}`"),)
        return self.global_values(defining, located.rest[0])

    def _value_outside(self, qualified: str) -> Value:
        made = self.knowledge.instance_attributes.get(qualified)
        if made is not None:
            return InstanceOf(self.names.defined_name(made))
        if qualified in self.knowledge.types or qualified in self.knowledge.mapped_classes:
            return ClassOf(qualified)
        # It may replace anything, so it proves nothing, and nothing contradicts it.
        if qualified.startswith("unittest.mock."):
            return NotRelevant("a mock", mock=True)
        return External(qualified)

    def binding(self, module: Module, binding: Binding, known: Environment) -> Values:
        """Return what one binding gives to its name."""
        node = binding.node
        match binding.kind:
            case "import":
                return self._imported_values(module, binding)
            case "parameter":
                return self.parameters.values_of(module, binding, known)
            case "function" if isinstance(node, Function):
                return (FunctionOf(module, node, known),)
            case "class" if isinstance(node, ast.ClassDef):
                return (ClassOf(module.full_name(node)),)
            case "assignment" | "walrus" | "annotation":
                result = self.assigned_values(
                    module, node, binding.value, binding.annotation, known
                )
                # Nothing else gives values to a local variable: its assignments may say more.
                if binding.annotation is None or not isinstance(binding.scope.node, Function):
                    return result
                return narrowed_variable(self, result, module, binding.value, known)
            case "with" | "for" if isinstance(node, ast.expr):
                return self._received_values(module, node, known)
            case "augmented" if isinstance(node, ast.Name):
                return self._augmented_values(module, node, known)
            case "except" if isinstance(node, ast.ExceptHandler):
                return self._caught_values(module, node, known)
            case _:
                why = f"awaken does not follow the match of `{binding.name}`"
                return (self.unknown(module, node, why),)

    def _received_values(self, module: Module, node: ast.expr, known: Environment) -> Values:
        """Return what a target of a loop, a ``with`` or an unpacking receives."""
        result = received_value(module, node)
        if result is None:
            return self._augmented_values(module, node, known)
        values = self.values(module, result.value, known)
        match result.how:
            case "iterated":
                values = self.iterated_values(values, module, node)
            case "entered":
                values = self.results.uses.enter(values, module, node)
            case "whole":
                pass
        for step in result.steps:
            values = self._taken_apart(values, step, module, node)
        return values

    def _taken_apart(self, values: Values, step: Step, module: Module, node: ast.expr) -> Values:
        found: Values = ()
        for value in values:
            if isinstance(value, TupleOf):
                # A tuple of another length raises, so it gives nothing.
                found = union(found, place_of(value, step.position, step.before, step.after) or ())
                continue
            items = self.iterated_values((value,), module, node)
            is_starred = step.position == step.before
            found = union(found, (list_of(items),) if is_starred else items)
        return found

    def _augmented_values(self, module: Module, node: ast.expr, known: Environment) -> Values:
        """Return what ``x += y`` leaves in its target."""
        statement = module.parent(node)
        if not isinstance(statement, ast.AugAssign):
            return (self.unknown(module, node, "awaken does not follow this assignment"),)
        right = self.values(module, statement.value, known)
        result = operated_values(self.values(module, node, known), statement.op, right)
        if result is not None:
            return result
        return (self.unknown(module, node, "the result of the operator is unknown"),)

    def _caught_values(self, module: Module, node: ast.ExceptHandler, known: Environment) -> Values:
        if isinstance(module.parent(node), ast.TryStar):
            return (InstanceOf("builtins.ExceptionGroup"),)
        if node.type is None:
            return (InstanceOf("builtins.BaseException"),)
        result: Values = ()
        for value in self.values(module, node.type, known):
            for kind in union(*value.items) if isinstance(value, TupleOf) else (value,):
                if isinstance(kind, ClassOf | External):
                    result = union(result, (InstanceOf(kind.qualified),))
                else:
                    result = union(result, (NotRelevant("an exception"),))
        return result

    def assigned_values(
        self,
        module: Module,
        node: ast.AST,
        value: ast.expr | None,
        annotation: ast.expr | None,
        known: Environment,
    ) -> Values:
        """Return what an assignment gives: its annotation, unless the value says otherwise."""
        given = () if value is None else self.values(module, value, known)
        if annotation is not None:
            declared = self.annotations.values(module, annotation)
            # A test may annotate a mock as the class that it replaces.
            mocked = any(isinstance(argument, NotRelevant) and argument.mock for argument in given)
            if not mocked and not any(isinstance(alternative, Unknown) for alternative in declared):
                return narrowed_annotations(classes_for(self, declared, given), given)
        if value is None and isinstance(node, ast.expr):
            return self._received_values(module, node, known)
        return given

    def _imported_values(self, module: Module, binding: Binding) -> Values:
        target = target_of(module, binding)
        if target.kind == "module":
            return self._module(module, binding, target.text)
        source = self.names.absolute(target, module.path)
        if source is None:
            return (self.unknown(module, binding.node, "the import leaves the project"),)
        result = self.names.layout.find(source, module.path)
        if result.path is None:
            return self._from_outside(module, binding, target)
        # A package may import its own submodule.
        hides = result.path != module.path
        return self.members.of_file(result.path, target.name, module, binding.node, hides=hides)

    def _from_outside(self, module: Module, binding: Binding, target: NameTarget) -> Values:
        name = self.names.imported_name(module.path, target)
        if name is None:
            return (self.unknown(module, binding.node, "the import could not be followed"),)
        return self.values_of_name(name, module, binding.node)

    def _module(self, module: Module, binding: Binding, dotted: str) -> Values:
        result = self.names.layout.find(dotted, module.path)
        if result.path is not None:
            return (ModuleOf(result.path),)
        if result.ambiguous:
            return (self.unknown(module, binding.node, f"two files may be `{dotted}`"),)
        return (External(dotted),)
