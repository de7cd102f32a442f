"""Replacements of the program's functions in tests: mocks, lambdas, functions of the tests.

By ``patch``, ``patch.object`` and ``monkeypatch.setattr``, of text and of objects, and by
assignments to attributes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from awaken.knowledge import knowledge
from awaken.project.frameworks.testing.passed_mocks import Patch, patch_of
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.functions.definitions import Functions
from awaken.project.source.modules import Module
from awaken.project.source.replacing import UNTOLD
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, keyword_of, last_name, root_of
from awaken.project.values.domain import (
    ClassOf,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    Producer,
    Session,
    Unknown,
    Value,
    Values,
)

WORDS = (b"patch", b"setattr", b"Mock", b"spy")
"""What a file with a replacement holds, unless it assigns to an attribute of a module."""


class Replacement(Struct, frozen=True):
    """One place ``node`` that puts ``given`` in the place of something of the program.

    ``given`` is None where ``node``, a patch, makes a mock by itself: by ``new_callable``, if that
    is not None. It is bound to the variable ``bound`` of the function around, if that is not empty.
    ``functions`` are those that the name meant; ``cls`` is the class that it meant (``is_class``),
    or whose instance, and ``module`` the file; ``home`` is the file that contains the name.
    ``session`` says that it is a method of a session, ``factory`` that it makes sessions,
    ``library`` which class of a library it is.
    ``name`` is its last word; if it ``is_untold``, nothing else is visible.
    """

    node: ast.Call | ast.Assign
    name: str
    shown: str
    given: ast.expr | None = None
    new_callable: ast.expr | None = None
    bound: str = ""
    functions: tuple[FunctionPlace, ...] = ()
    cls: str = ""
    is_class: bool = False
    module: str = ""
    home: str = ""
    session: bool = False
    factory: bool = False
    library: str = ""
    is_untold: bool = False

    @property
    def makes_objects(self) -> bool:
        """Whether calling what it replaces makes an object: it is a class, or makes sessions."""
        return self.is_class or self.factory


class Replacements:
    """Finds them, one file after the other."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._functions = Functions(evaluator.names, evaluator.names.facts)

    def in_module(self, module: Module) -> tuple[Replacement, ...]:
        """Return the replacements of a file, in the order of their places."""
        return module.memoize(Replacements, lambda: tuple(self._found_replacements(module)))

    def functions_of(self, module: Module, node: ast.expr) -> tuple[FunctionPlace, ...]:
        """Return the visible functions that run when the object ``node`` is called."""
        result: dict[FunctionPlace, None] = {}
        for value in self._evaluator.values(module, node):
            if isinstance(value, FunctionOf) and isinstance(value.node, Function):
                result[FunctionPlace.of(value.module, value.node)] = None
            elif isinstance(value, InstanceOf):
                result |= dict.fromkeys(self.methods(value.qualified, "__call__"))
        return tuple(result)

    def classes_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes of the program that an object is, or is an instance of."""
        values = self._evaluator.values(module, node)
        names = [value.qualified for value in values if isinstance(value, ClassOf | InstanceOf)]
        known = [name for name in names if self._evaluator.classes.facts(name) is not None]
        return tuple(known) if len(known) == len(values) else ()

    def makes(self, module: Module, node: ast.expr, qualified: str) -> bool:
        """Whether calling the object ``node`` gives instances of one class, and nothing else."""
        values = self._evaluator.values(module, node)
        functions = [value for value in values if isinstance(value, FunctionOf)]
        made = [result for each in functions for result in self._evaluator.results_of(each)]
        kinds = (isinstance(value, InstanceOf) and value.qualified == qualified for value in made)
        return bool(made) and len(functions) == len(values) and all(kinds)

    def methods(self, qualified: str, name: str) -> tuple[FunctionPlace, ...]:
        """Return the definitions of the method that instances of a class have, its own first."""
        for facts in self._evaluator.classes.line(qualified):
            if name in facts.members:
                return self._named_functions(f"{facts.qualified}.{name}")
        return ()

    # -------------------------------------------------------------------------------------- places
    def _found_replacements(self, module: Module) -> Iterator[Replacement]:
        in_tests = is_around_tests(module.path)
        for node in module.nodes_of(ast.Call, ast.Assign):
            match node:
                case ast.Call():
                    yield from self._patched_replacements(module, node)
                case ast.Assign(targets=[ast.Attribute() as target]) if in_tests:
                    yield from self._assigned_replacements(module, node, target)

    def _patched_replacements(self, module: Module, call: ast.Call) -> Iterator[Replacement]:
        patch = patch_of(module, call)
        if patch is None:
            return
        given = _given_node(call, 1 if patch.owner is None else 2)
        if last_name(call.func) == "setattr" and given is None:
            return
        made = keyword_of(call, "new_callable")
        if patch.owner is None:
            replacement = self._named_target(module, call, patch.name)
        else:
            replacement = self._of_object(module, call, patch.owner, patch.name)
        if replacement is not None:
            yield replace(
                replacement, given=given, new_callable=made, bound=bound_variable(module, patch)
            )

    def _assigned_replacements(
        self, module: Module, node: ast.Assign, target: ast.Attribute
    ) -> Iterator[Replacement]:
        replacement = self._of_object(module, node, target.value, target.attr)
        if replacement is None:
            return
        cls, home = replacement.cls, replacement.home
        for owner in () if replacement.functions else self._evaluator.values(module, target.value):
            if isinstance(owner, InstanceOf):
                cls, home = self._class_of_attribute(owner, module, target) or (cls, home)
        if replacement.functions or replacement.session or cls:
            yield replace(replacement, given=node.value, cls=cls, home=home)

    def _class_of_attribute(
        self, owner: InstanceOf, module: Module, target: ast.Attribute
    ) -> tuple[str, str] | None:
        """Return the class of what an attribute has, and the file of the class with it."""
        facts = self._evaluator.classes.facts(owner.qualified)
        for value in self._evaluator.attribute(owner, target.attr, module, target):
            if isinstance(value, InstanceOf) and self._evaluator.classes.facts(value.qualified):
                return None if facts is None else (value.qualified, facts.path)
        return None

    # ------------------------------------------------------------------------------------- targets
    def _named_target(self, module: Module, node: ast.Call, dotted: str) -> Replacement | None:
        """Return the object of a dotted name, as ``patch`` takes it apart."""
        if dotted.partition(".")[0] == UNTOLD:
            shown = module.excerpt(node.args[0])
            return Replacement(node, dotted.rpartition(".")[2], shown, is_untold=True)
        names = self._evaluator.names
        path, (first, *rest) = names.layout.file_and_rest(dotted, module.path)
        if path is None:
            return None
        if not rest:
            return self._of_name(node, names.attribute(path, first), first, dotted, path)
        home = self._evaluator.load(path)
        values = () if home is None else self._evaluator.global_values(home, first)
        for one in rest[:-1]:
            values = tuple(
                found for value in values for found in self._attribute(value, one, module, node)
            )
        return self._of_values(node, values, rest[-1], dotted)

    def _attribute(self, value: Value, name: str, module: Module, node: ast.AST) -> Values:
        match value:
            case ModuleOf(path=path):
                home = self._evaluator.load(path)
                return () if home is None else self._evaluator.global_values(home, name)
            case ClassOf() | InstanceOf():
                return self._evaluator.attribute(value, name, module, node)
        return ()

    def _of_object(
        self, module: Module, node: ast.Call | ast.Assign, owner: ast.expr, name: str
    ) -> Replacement | None:
        shown = f"{module.excerpt(owner)}.{name}"
        return self._of_values(node, self._evaluator.values(module, owner), name, shown)

    def _of_values(
        self, node: ast.Call | ast.Assign, values: Values, name: str, shown: str
    ) -> Replacement | None:
        """Return the values of the attribute ``name`` of an object."""
        functions: dict[FunctionPlace, None] = {}
        for value in values:
            match value:
                case ModuleOf(path=path):
                    qualified = self._evaluator.names.attribute(path, name)
                    return self._of_name(node, qualified, name, shown, path)
                case Session():
                    return Replacement(node, name, shown, session=True)
                case ClassOf(qualified=qualified) | InstanceOf(qualified=qualified):
                    functions |= dict.fromkeys(self.methods(qualified, name))
                case Unknown():
                    return Replacement(node, name, shown)
        return Replacement(node, name, shown, functions=tuple(functions))

    def _of_name(
        self, node: ast.Call | ast.Assign, qualified: str | None, name: str, shown: str, path: str
    ) -> Replacement:
        """Return the value of a name at the top of the file ``path``."""
        if qualified is not None:
            home = self._evaluator.names.layout.path_of(qualified)
            if home is not None:
                return Replacement(node, name, shown, module=home, home=path)
            functions = self._named_functions(qualified)
            if functions:
                return Replacement(node, name, shown, functions=functions, home=path)
            if self._evaluator.classes.facts(qualified) is not None:
                return Replacement(node, name, shown, cls=qualified, is_class=True, home=path)
        module = self._evaluator.load(path)
        values = () if module is None else self._evaluator.global_values(module, name)
        classes = {value.qualified for value in values if isinstance(value, InstanceOf)}
        if len(classes) == len(values) == 1:
            return Replacement(node, name, shown, cls=classes.pop(), home=path)
        library = qualified if qualified in knowledge().types else ""
        makes = _make_sessions(values)
        return Replacement(node, name, shown, home=path, factory=makes, library=library or "")

    def make_sessions(self, module: Module, node: ast.expr) -> bool:
        """Whether an object is a factory of sessions, or a function that returns one."""
        values = self._evaluator.values(module, node)
        if not values or not all(isinstance(value, FunctionOf) for value in values):
            return _make_sessions(values)
        call = ast.copy_location(ast.Call(node, [], []), node)
        given = self._evaluator.call_results(values, module, call)
        return bool(given) and all(isinstance(each, Session) for each in given)

    def _named_functions(self, qualified: str) -> tuple[FunctionPlace, ...]:
        named = self._functions.functions_called(qualified)
        if named is None:
            return ()
        located = self._evaluator.names.locate(qualified)
        qualname = "" if located is None else ".".join(located.rest)
        return tuple(FunctionPlace(named.path, item.start, qualname) for item in named.functions)


def _make_sessions(values: Values) -> bool:
    return bool(values) and all(
        isinstance(value, Producer)
        and value.how == "factory"
        and all(isinstance(each, Session) for each in value.inner)
        for value in values
    )


def assigned_attributes(
    module: Module, around: ast.AST, variable: str
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the values that are assigned to attributes of a variable, and to their attributes."""
    for node in module.nodes_below(around, ast.Assign):
        for target in node.targets:
            is_part = isinstance(target, ast.Attribute) and last_name(root_of(target)) == variable
            if is_part and variable:
                yield ast.unparse(target).removeprefix(f"{variable}."), node.value


def bound_variable(module: Module, patch: Patch) -> str:
    """Return the variable or parameter that gets what a patch puts there."""
    child: ast.AST = patch.call
    for above in module.ancestors(patch.call):
        match above:
            case ast.withitem(optional_vars=ast.Name(id=name)) if above.context_expr is child:
                return name
            case ast.Assign(targets=[ast.Name(id=name)]):
                return name
            case ast.Attribute(attr="start") | ast.Call(func=ast.Attribute(attr="start")):
                child = above
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                filled = patched_parameters(module, above)
                return next((name for call, name in filled if call is patch.call), "")
            case _:
                return ""
    return ""


def patched_parameters(module: Module, function: Function) -> Iterator[tuple[ast.Call, str]]:
    """Yield the patches that decorate a test, or its class, with the parameters that they fill."""
    around = module.enclosing_class(function)
    # They fill the parameters from the lowest decorator up, those of the class last.
    decorators = [*reversed(function.decorator_list)]
    decorators += reversed(around.decorator_list if around is not None else [])
    parameters = [argument.arg for argument in function.args.args][int(around is not None) :]
    for decorator in decorators:
        patch = patch_of(module, decorator) if isinstance(decorator, ast.Call) else None
        if patch is not None and patch.passes_argument and parameters:
            yield patch.call, parameters.pop(0)


def _given_node(call: ast.Call, at: int) -> ast.expr | None:
    """Return what a patch puts there."""
    if len(call.args) > at:
        return call.args[at]
    return next((node.value for node in call.keywords if node.arg in {"new", "value"}), None)
