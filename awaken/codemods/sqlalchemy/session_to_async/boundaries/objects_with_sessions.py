"""Objects that keep a session: `Runner(session).run()` uses what the code around it passes.

That is so if each constructor keeps its own argument, and the code makes its objects by itself.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Literal

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.replacing import Put, puts_of
from awaken.project.source.test_files import is_of_program
from awaken.project.source.trees import Function, first_parameter, is_super, parameters_of
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

Origin = Literal["argument", "object", "unknown"]
"""An argument of the constructor, or an object of the program that the methods make."""


class ObjectsWithSessions:
    """Answers for the classes of one program."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def is_passed(self, module: Module, node: ast.expr) -> bool:
        """Whether ``self.session`` is a required argument of the constructor, in every object."""
        return self._origin(*_own_attribute(module, node)) == "argument"

    def is_made_outside(self, method: FunctionPlace, inside: Collection[FunctionPlace]) -> bool:
        """Whether functions ``inside`` may call a method on an object that they did not make."""
        passed, graph = self._project.calls.passed_functions(), self._project.calls.graph()
        waiting = Worklist([method])
        for function in waiting:
            if any(passed.components_of(function)):
                return True
            around = self._method_around(function)
            if around is not None:
                waiting += [around]
                continue
            for call in (each for each in graph.callers(function) if each.caller in inside):
                for module, node in self._project.calls_at(call.place):
                    receiver = node.func.value if isinstance(node.func, ast.Attribute) else node
                    if self._is_of_same_object(module, receiver):
                        waiting += [call.caller]
                    elif not self._is_made_here(module, receiver):
                        return True
        return False

    def _method_around(self, function: FunctionPlace) -> FunctionPlace | None:
        """Return the function that alone can name a nested one; None for others."""
        module, node = self._project.calls.definition_of(function) or (None, None)
        around = None if module is None or node is None else module.enclosing_def(node)
        graph = self._project.calls.graph()
        return None if module is None or around is None else graph.place_of(module, around)

    def _is_of_same_object(self, module: Module, receiver: ast.expr) -> bool:
        """Whether ``self`` is the receiver, or an object that ``self`` makes for an attribute."""
        if is_super(receiver) or _own_class(module, receiver) is not None:
            return True
        return self._origin(*_own_attribute(module, receiver)) == "object"

    def _is_made_here(self, module: Module, receiver: ast.expr) -> bool:
        """Whether a function makes the object itself, for this call or in a variable."""
        binding = module.scopes.only_binding(receiver, "assignment")
        is_local = binding is not None and isinstance(binding.scope.node, Function)
        return self._is_made(module, binding.value if binding and is_local else receiver)

    def _is_made(self, module: Module, node: ast.expr | None) -> bool:
        """Whether an expression calls a class of the program."""
        names = self._project.classes_of(module, node.func) if isinstance(node, ast.Call) else ()
        return bool(names) and all(self._project.class_facts(name) for name in names)

    @cached_method
    def _origin(self, owner: str, name: str) -> Origin:
        """Return what all objects of the class ``owner`` have in the attribute ``name``."""
        puts = [*self._puts(owner, name)] if name else []
        if puts and all(_is_argument(home, put) for home, put in puts):
            return "argument"
        is_made = bool(puts) and all(self._is_made(home, put.value) for home, put in puts)
        return "object" if is_made else "unknown"

    def _puts(self, owner: str, name: str) -> Iterator[tuple[Module, Put]]:
        """Yield what gives the attribute its value, in files that are no tests."""
        project = self._project
        classes = {facts.qualified for facts in project.class_line(owner)}
        classes |= {owner, *project.all_subclasses(owner)}
        paths = filter(is_of_program, project.files_with([name.encode()]))
        for home in project.modules_at(project.files_putting([name], paths)):
            for put in puts_of(home, [name]):
                if put.owner is not None and self._may_be_of(home, put, put.owner, classes):
                    yield home, put

    def _may_be_of(
        self, module: Module, put: Put, owner: ast.expr, classes: Collection[str]
    ) -> bool:
        """Whether it may be an object of these classes that gets an attribute of this name."""
        values = self._project.values.of(module, owner)
        if not values.is_known:
            # A computed name on an unknown object says nothing.
            return bool(put.name)
        return any(
            isinstance(value, InstanceOf) and value.qualified in classes
            for value in values.alternatives
        )


def _own_attribute(module: Module, node: ast.expr) -> tuple[str, str]:
    """Return the class around ``self.name`` and that name; empty ones for other expressions."""
    owner = _own_class(module, node.value) if isinstance(node, ast.Attribute) else None
    if owner is None or not isinstance(node, ast.Attribute):
        return "", ""
    return module.full_name(owner), node.attr


def _own_class(module: Module, node: ast.expr) -> ast.ClassDef | None:
    """Return the class in whose method ``node`` is the receiver, such as ``self``."""
    binding = module.scopes.parameter_of(node) if isinstance(node, ast.Name) else None
    method = None if binding is None else binding.scope.node
    owner = module.parent(method) if isinstance(method, Function) else None
    is_own = isinstance(method, Function) and binding and binding.name == first_parameter(method)
    return owner if is_own and isinstance(owner, ast.ClassDef) else None


def _is_argument(module: Module, put: Put) -> bool:
    """Whether ``self.name = value`` keeps a required argument of the constructor."""
    method = module.enclosing_def(put.node)
    value = put.value
    if method is None or method.name != "__init__" or not isinstance(value, ast.Name):
        return False
    if put.owner is None or _own_class(module, put.owner) is not module.parent(method):
        return False
    binding = module.scopes.parameter_of(value)
    return binding is not None and any(
        part is binding.node and default is None for part, default in parameters_of(method.args)
    )
