"""Functions and classes of tests that replace those of the program: they are coloured with them.

``app.dependency_overrides[get_db] = ...`` replaces a dependency.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import modules_with
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.names.functions.injections import OVERRIDES, overrides_in
from awaken.project.source.expressions.alternatives import type_in
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_of_program
from awaken.project.source.trees import Function, named_parameters, values_by_name
from awaken.project.values.domain import classes_in, functions_in

if TYPE_CHECKING:
    from awaken.project import Project


class Fakes(ProjectFacts):
    """The values that tests pass to a parameter that is declared as a class of the program."""

    def methods_of_fakes(self, function: FunctionPlace) -> Iterator[FunctionPlace]:
        """Yield the methods of fakes that are called where ``function`` may be."""
        owner, _, method = function.qualname.rpartition(".")
        home = self._project.layout.name_of(function.path)
        for fake in sorted(self._values_of.get(f"{home}.{owner}", ())) if owner else ():
            yield from self._project.calls.override_sets().methods(fake, method)

    def originals(self, function: FunctionPlace) -> Iterator[FunctionPlace]:
        """Yield the methods in whose place ``function``, the method of a fake, is called."""
        owner, _, method = function.qualname.rpartition(".")
        fake = f"{self._project.layout.name_of(function.path)}.{owner}"
        for name in sorted(self._classes_of.get(fake, ())) if owner else ():
            yield from self._project.calls.override_sets().methods(name, method)

    @cached_property
    def _classes_of(self) -> dict[str, set[str]]:
        classes: defaultdict[str, set[str]] = defaultdict(set)
        for name, fakes in self._values_of.items():
            for fake in fakes:
                classes[fake].add(name)
        return classes

    @cached_property
    def _values_of(self) -> dict[str, set[str]]:
        """The fakes of a class and of all that it inherits, by its name."""
        result: defaultdict[str, set[str]] = defaultdict(set)
        for module, declared, value in (*self._passed_items(), *self._overridden()):
            for fake in self._fakes(module, value) if declared else ():
                for facts in self._project.class_line(declared):
                    result[facts.qualified].add(fake)
        return result

    def _passed_items(self) -> Iterator[tuple[Module, str, ast.expr]]:
        """Yield what tests pass to a parameter or a field that is declared as a class."""
        for call in self._project.calls.graph().calls():
            if not is_around_tests(call.place.path):
                continue
            for module, node in self._project.calls_at(call.place)[:1]:
                given = (
                    self._parameter_arguments(call, node)
                    if call.functions
                    else self._field_arguments(module, node)
                )
                yield from ((module, *argument) for argument in given)

    def _overridden(self) -> Iterator[tuple[Module, str, ast.expr]]:
        """Yield what tests inject for a dependency that gives objects of a class."""
        for module, key, value in overrides_of(self._project):
            yield module, class_of_dependency(self._project, module, key), called_node(value)

    def _field_arguments(self, module: Module, node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """Yield the arguments for fields of a dataclass that are declared as classes."""
        qualified = self._project.qualified_name(module, node.func)
        facts = None if qualified is None else self._project.class_facts(qualified)
        if (
            facts is None
            or is_around_tests(facts.path)
            or "dataclasses.dataclass" not in (facts.decorators)
        ):
            return
        fields = self._project.class_fields(facts.qualified).items()
        classes = [(name, self._class(home, field.annotation)) for name, (home, field) in fields]
        yield from _pairs(classes, node)

    def _parameter_arguments(self, call: Call, node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """Yield the arguments for parameters that are declared as classes, with the class."""
        for function in call.functions:
            declared = self._declared_parameters(function)
            is_bound = "." in function.qualname
            yield from _pairs(declared[1 if is_bound else 0 :], node)

    @cached_method
    def _declared_parameters(self, function: FunctionPlace) -> list[tuple[str, str]]:
        """Return the parameters of a function, each with the class of the program that it takes."""
        home = self._project.calls.definition_of(function)
        is_known = home is not None and not is_around_tests(function.path)
        return [*self._classes(*home)] if is_known and home else []

    def _classes(self, module: Module, node: Function) -> Iterator[tuple[str, str]]:
        for argument in named_parameters(node):
            yield argument.arg, self._class(module, argument.annotation)

    def _class(self, module: Module, annotation: ast.expr | None) -> str:
        """Return the class of the program that an annotation names, with None or without."""
        named = type_in(module, annotation)
        is_name = isinstance(named, ast.Name | ast.Attribute)
        return class_named(self._project, module, named) if named is not None and is_name else ""

    def _fakes(self, module: Module, node: ast.expr) -> Iterator[str]:
        """Yield the classes of tests of which ``node`` may be an instance, that inherit nothing."""
        for name in classes_in(self._project.values.of(module, node).alternatives):
            facts = self._project.class_facts(name)
            # A fake that inherits from a class of the program overrides its methods.
            if facts is not None and is_around_tests(facts.path) and not any(facts.bases):
                yield facts.qualified


def _pairs(declared: Sequence[tuple[str, str]], node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments of a call for what is declared as a class, with the class."""
    classes = dict(declared)
    for name, value in values_by_name(node, classes):
        if classes.get(name):
            yield classes[name], value


def overrides_of(project: Project) -> Iterator[tuple[Module, ast.expr, ast.expr]]:
    """Yield what tests put in the place of dependencies: the key, and what is called for it."""
    for module in modules_with(project, (OVERRIDES.encode(),), is_of_program):
        yield from ((module, key, given) for key, given in overrides_in(module))


def called_node(function: ast.expr) -> ast.expr:
    """Return what a call of ``function`` gives: the body of a lambda, or the call itself."""
    if isinstance(function, ast.Lambda):
        return function.body
    call = ast.Call(func=function, args=[], keywords=[])
    return ast.fix_missing_locations(ast.copy_location(call, function))


def given_by(
    project: Project, module: Module, function: ast.expr
) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what a dependency gives, as it is written: by a lambda, or by a function."""
    if isinstance(function, ast.Lambda):
        yield module, function.body
        return
    for home, node in functions_in(project.values.of(module, function).alternatives):
        yield from ((home, part) for part in home.outputs_of(node))


def class_named(project: Project, module: Module, node: ast.expr) -> str:
    """Return the class of the program that ``node`` names; empty if it names none."""
    name = project.qualified_name(module, node)
    return name if name is not None and project.class_facts(name) is not None else ""


def class_of_dependency(project: Project, module: Module, key: ast.expr) -> str:
    """Return the class of the program of which a dependency gives an object."""
    named = class_named(project, module, key)
    if named:
        return named
    for home, function in functions_in(project.values.of(module, key).alternatives):
        if isinstance(function.returns, ast.Name | ast.Attribute):
            return class_named(project, home, function.returns)
    return ""


_WORDS = (b"patch", b"setattr", b"test", b"Mock")


class StandIns:
    """Which functions are replaced in tests, and by what; keeps places and no trees."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._of: defaultdict[FunctionPlace, set[FunctionPlace]] = defaultdict(set)
        self._replaced: defaultdict[FunctionPlace, set[FunctionPlace]] = defaultdict(set)
        self._mixed: set[FunctionPlace] = set()
        self._put: defaultdict[Place, set[FunctionPlace]] = defaultdict(set)
        self._returned: defaultdict[Place, set[FunctionPlace]] = defaultdict(set)
        self._of_sessions: set[Place] = set()
        self.paths = [path for path in project.files_with(_WORDS) if is_around_tests(path)]
        for module in project.modules_at(self.paths):
            for replacement in project.replacements.in_module(module):
                self._add(module, replacement)

    def _add(self, module: Module, replacement: Replacement) -> None:
        for node in effects_of(module, replacement):
            self._put[module.place(node)] |= set(replacement.functions)
            above = module.parent(node)
            if isinstance(above, ast.Assign):
                # The mock is the only one that gets the stored value.
                self._put[module.place(above.targets[0])] |= set(replacement.functions)
        given = replacement.given
        self._add_returned(module, replacement)
        if given is None:
            return
        self._put[module.place(given)] |= set(replacement.functions)
        if replacement.session and replacement.name in twins().awaited["session"]:
            self._of_sessions.add(module.place(given))
        if replacement.cls:
            self._add_class(replacement.cls, self._project.replacements.classes_of(module, given))
        for item in self._project.replacements.functions_of(module, given):
            if item.qualname.endswith("__call__") or not is_around_tests(item.path):
                continue
            if not replacement.functions:
                self._mixed.add(item)
            for function in replacement.functions:
                self._of[function].add(item)
                self._replaced[item].add(function)

    def _add_returned(self, module: Module, replacement: Replacement) -> None:
        """Add what a lambda returns that replaces something, or a mock that a patch makes."""
        match replacement:
            case Replacement(given=ast.Lambda(body=body)):
                nodes = [body]
            case Replacement(given=None, node=ast.Call(keywords=keywords)):
                nodes = [item.value for item in keywords if item.arg == "return_value"]
            case _:
                return
        for node in nodes:
            self._returned[module.place(node)] |= set(replacement.functions)

    def _add_class(self, replaced: str, fakes: tuple[str, ...]) -> None:
        """Add the methods of a test class that replaces one of the program."""
        replacements = self._project.replacements
        for fake in fakes:
            facts = self._project.class_facts(fake)
            if facts is None or not is_around_tests(facts.path):
                continue
            for name in sorted(facts.members):
                for function in replacements.methods(replaced, name):
                    for method in replacements.methods(fake, name):
                        self._of[function].add(method)
                        self._replaced[method].add(function)

    def stand_ins_for(
        self, function: FunctionPlace, waiting: Collection[FunctionPlace]
    ) -> Iterator[FunctionPlace]:
        """Yield the functions that tests put in the place of ``function`` and others that wait.

        A replacement of other functions too, which do not wait, stays as it is.
        """
        for item in sorted(self._of.get(function, ())):
            if item not in self._mixed and all(each in waiting for each in self._replaced[item]):
                yield item

    def replaced_by(self, function: FunctionPlace) -> Iterable[FunctionPlace]:
        """Return the functions in whose place tests put ``function``, and nothing else."""
        return () if function in self._mixed else sorted(self._replaced.get(function, ()))

    def replaced_at(self, place: Place) -> set[FunctionPlace]:
        """Return the functions in whose place the expression at ``place`` is put."""
        return self._put.get(place, set())

    def returned_for(self, place: Place) -> set[FunctionPlace]:
        """Return the functions in whose place something returns the expression at ``place``."""
        return self._returned.get(place, set())

    def is_of_session(self, place: Place) -> bool:
        """Whether the expression at ``place`` is put in the place of a method that waits."""
        return place in self._of_sessions


def effects_of(module: Module, replacement: Replacement) -> Iterator[ast.expr]:
    """Yield what a mock that a patch makes calls by itself: its ``side_effect``, or ``wraps``."""
    node = replacement.node
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg in {"side_effect", "wraps"}:
            yield keyword.value
    # The node of a function includes its decorators.
    around = module.enclosing_def(node)
    if not replacement.bound:
        return
    for part in module.walk(around) if around is not None else ():
        match part:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=name), attr="side_effect")], value=value
            ) if name == replacement.bound:
                yield value
