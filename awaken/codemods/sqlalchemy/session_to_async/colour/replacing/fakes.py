"""Classes with which tests replace classes of the program without inheriting from them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

from awaken.codemods.sqlalchemy.session_to_async.colour.replacing.overridden import (
    called_node,
    class_named,
    class_of_dependency,
    overrides_of,
)
from awaken.kit.rule import ProjectFacts
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.expressions.annotated import type_in
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, named_parameters
from awaken.project.values.domain import classes_in


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
                for name in self._line(declared):
                    result[name].add(fake)
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
        home, body = self._project.class_definition(facts.qualified) or (None, None)
        fields: list[tuple[str, str]] = []
        for statement in body.body if body is not None else ():
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=declared):
                    fields.append((name, "" if home is None else self._class(home, declared)))
        yield from _pairs(fields, node)

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

    def _line(self, qualified: str) -> Iterator[str]:
        """Yield a class, and the classes of the program that it inherits."""
        waiting = [qualified]
        for name in waiting:
            facts = self._project.class_facts(name)
            if facts is not None:
                yield name
                waiting += [one for one in facts.bases if one is not None and one not in waiting]


def _pairs(declared: Sequence[tuple[str, str]], node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments of a call for what is declared as a class, with the class."""
    classes = dict(declared)
    pairs = [*zip((name for name, _ in declared), node.args, strict=False)]
    pairs += [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg is not None]
    for name, value in pairs:
        if classes.get(name):
            yield classes[name], value
