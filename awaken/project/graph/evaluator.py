"""The evaluator of a whole program: it asks the callers for the values of a parameter."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from awaken.contract import Place
from awaken.knowledge import Knowledge
from awaken.project.graph.callers import Callers, CallIndex, CallSite, Obstacle
from awaken.project.graph.passing import Passing
from awaken.project.names.classes import Classes
from awaken.project.names.import_origins import lacks
from awaken.project.names.resolution import Names
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Load, Module
from awaken.project.source.programs.undefined import is_undefined
from awaken.project.source.trees import Function
from awaken.project.source.words import FilesWith, Words
from awaken.project.values.attributes.attributes_by_name import AttributesByName
from awaken.project.values.domain import ClassOf, InstanceOf, Value
from awaken.project.values.evaluation import Evaluator
from awaken.project.values.questions import Passed


class ProgramEvaluator(Evaluator):
    """Answers what expressions are, following parameters to the calls of their functions."""

    def __init__(  # noqa: PLR0913  what a program has, each of it once
        self,
        names: Names,
        classes: Classes,
        load: Load,
        knowledge: Knowledge,
        words: Words,
        files_with: FilesWith,
        value_calls: Callable[[Obstacle], tuple[Place | None, ...]],
    ) -> None:
        super().__init__(names, classes, load, knowledge)
        self.callers = CallIndex(self, words)
        self.words = words
        self.files_with = files_with
        self.value_calls = value_calls
        self.attributes_by_name = AttributesByName(self, files_with)
        self._passing = Passing(self.callers_of, load, self.parameters.is_open, self)

    @cached_by(lambda module, function: module.key_of(function))
    def callers_of(self, module: Module, function: Function) -> Callers:
        """Return who calls a function or method of ``module``, over all files.

        Where tables and variables hold the function, the calls of what they hold are among them.
        """
        callers = self.callers.callers_of(module, function)
        owner = module.enclosing_class(function)
        is_made = owner is not None and function.name == "__init__"
        # Of a method the receiver is unknown.
        values = callers.obstacles if is_made or owner is None else ()
        followed = {obstacle: self.value_calls(obstacle) for obstacle in values}
        calls = (place for places in followed.values() for place in places if place is not None)
        sites = {*callers.sites, *(CallSite(place, int(is_made)) for place in calls)}
        if owner is not None and function.name == "__call__":
            sites.update(CallSite(place, 1) for place in self._calls_of_objects(module, owner))
        return Callers(
            tuple(sorted(sites, key=lambda site: (site.place.path, site.place.span))),
            tuple(item for item in callers.obstacles if None in followed.get(item, (None,))),
        )

    def _calls_of_objects(self, module: Module, owner: ast.ClassDef) -> Iterator[Place]:
        """Yield calls of objects of a class: in its files, and where variables hold them."""
        name = module.full_name(owner)
        for home in self.modules_at(self.words.files_with(owner.name)):
            for call in home.nodes_of(ast.Call):
                with self.without_callers():
                    values = self.values(home, call.func)
                kinds = {type(value) for value in values if self._is_of(name, value)}
                if ClassOf in kinds:
                    made = Obstacle("value", "it is made", home.place(call))
                    yield from (place for place in self.value_calls(made) if place is not None)
                if InstanceOf in kinds:
                    yield home.place(call)

    def _is_of(self, name: str, value: Value) -> bool:
        return isinstance(value, ClassOf | InstanceOf) and any(
            facts.qualified == name for facts in self.classes.line(value.qualified)
        )

    def modules_with(self, words: Sequence[bytes]) -> Iterator[Module]:
        """Yield the files that hold one of ``words`` and parse."""
        return self.modules_at(self.files_with(words))

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the full name that ``node`` means; None where it is not certain."""
        return self.names.qualified_name(module, node)

    def is_undefined(self, module: Module, node: ast.Name) -> bool:
        """Whether nothing gives a value to a name, which a class of the program has elsewhere.

        False where callers are not followed, since other files may set it.
        """
        written, paths = f"class {node.id}".encode(), self.files_naming(node.id) or ()
        is_class = any(written in self.text(path) for path in paths)
        return is_class and is_undefined(self, module, node)

    def lacks_name(self, module: Module, name: str) -> bool:
        """Whether a module has no attribute ``name``; False where callers are not followed."""
        # A package may lack a module that is generated.
        is_asked = self.follows_callers and not module.is_package
        return is_asked and lacks(self, self.names, module, name)

    def files_naming(self, word: str) -> list[str] | None:
        """Return the files that hold a word; None where callers are not followed."""
        return self.words.files_with(word) if self.follows_callers else None

    def text(self, path: str) -> bytes:
        """Return the text of a file of the program: often it says that no tree is needed."""
        return self.words.text(path)

    def passed_to(self, module: Module, function: Function, parameter: ast.arg) -> Passed:
        """Return what callers pass to ``parameter`` of ``function``."""
        return self._passing.arguments_for(module, function, parameter)

    def passed_values(
        self, module: Module, binding: Binding, *, declared: bool = False
    ) -> Passed | None:
        """Return what callers pass to a parameter; None if something else says what it is.

        An annotation or a default may, if it is not ``declared``.
        """
        parameter = binding.parameter
        if parameter is None or not (declared or self.parameters.is_open(module, binding)):
            return None
        return self.passed_to(module, *parameter)


class ProgramFacts:
    """Facts of one program, which ask its evaluator."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
