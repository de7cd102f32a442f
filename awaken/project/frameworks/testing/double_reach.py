"""The uses of ``query`` in the program that a test double answers.

A double is followed through arguments, variables and attributes of ``self``, not through what a
query gives. Calls are followed as far as they can be resolved. Calls without the mock are followed
only where a name was patched, because every function of a file may use that name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from operator import attrgetter

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.f_strings import is_literal
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import (
    Function,
    children,
    methods_named,
    parameter_names,
    positional_parameters,
)
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue
from awaken.project.values.domain import ClassOf, FunctionOf

_Key = tuple[str, int, frozenset[str]]
_OWN = {"cls", "self"}
_RESULTS = library_names().executing_methods | library_names().by_key | {"query"}
"""What a session is asked by: the answer is no session."""


class PatchedName(Struct, frozen=True):
    """A patched name.

    With ``path`` it is the variable ``name`` of that file alone; else ``qualified`` is an object
    whose attribute ``name`` is patched wherever the object is used. ``home`` is the file that a
    test names to find it, if it does.
    """

    qualified: str
    path: str = ""
    name: str = ""
    home: str = ""

    @property
    def last(self) -> str:
        """The word by which the program names it."""
        return self.name if self.path else self.qualified.rpartition(".")[2]


class QueryUse(Struct, frozen=True):
    """A call of the program on a mock: each ``text`` in a ``function`` of the file ``path``.

    It says no place, so that it holds while other parts of the file are rewritten.
    """

    path: str
    function: str
    text: str


def use_of(module: Module, query: ast.expr) -> QueryUse:
    """Return ``query``, as in ``session.query``, as a use."""
    around = module.outermost_def(query)
    function = "" if around is None else module.qualname(around)
    return QueryUse(module.path, function, ast.unparse(query))


class EntryPoint(Struct, frozen=True):
    """A function of the program that a test calls, and its parameters that are given a double."""

    module: Module
    function: Function
    given: frozenset[str] = frozenset()

    @property
    def key(self) -> _Key:
        """A key that identifies this entry."""
        return self.module.path, self.module.span(self.function).start, self.given


class Reach:
    """Follows doubles through the program.

    Functions that a test ``replaces`` are not followed: their own code does not run.
    """

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self.replaces: frozenset[PatchedName] = frozenset()
        self._evaluator = evaluator

    def uses(
        self, entries: Iterable[EntryPoint], targets: frozenset[PatchedName]
    ) -> tuple[list[QueryUse], bool]:
        """Return every ``query`` of the program that is asked of a double; False if not all."""
        result: dict[QueryUse, None] = {}
        waiting = Queue(entries, attrgetter("key"), MOST_FUNCTIONS)
        for entry in waiting:
            uses, called = self._pair_within(entry, targets, self.replaces)
            result.update(dict.fromkeys(uses))
            waiting += called
        return list(result), waiting.is_done

    def named_at_home(self, target: PatchedName, words: AbstractSet[str]) -> list[QueryUse]:
        """Return what functions with one of the names ``words`` ask of a patched name.

        They are those of the file in which it is patched; a property is not called, for example.
        """
        query_uses = self.of_file(target)
        return [use for use in query_uses if use.function.rpartition(".")[2] in words]

    @cached_method
    def of_file(self, target: PatchedName) -> list[QueryUse]:
        """Return all that the file in which a name is patched asks of it."""
        module = self._evaluator.load(target.home)
        if module is None:
            return []
        functions = [EntryPoint(module, node) for node in module.functions]
        bodies = [self._body(function, frozenset({target})) for function in functions]
        return list(dict.fromkeys(use for body in bodies for use in body.uses()))

    # The replacements of a test decide the callees, so they are a part of the question.
    @cached_by(lambda entry, *targets_and_replaced: (entry.key, *targets_and_replaced))
    def _pair_within(
        self, entry: EntryPoint, targets: frozenset[PatchedName], _replaced: frozenset[PatchedName]
    ) -> tuple[list[QueryUse], list[EntryPoint]]:
        """Return what a function asks of the double itself, and what it calls."""
        body = self._body(entry, targets)
        called = dict.fromkeys(self._called_entry_points(body, follow_all=bool(targets)))
        return list(body.uses()), list(called)

    def _body(self, entry: EntryPoint, targets: frozenset[PatchedName]) -> _Body:
        return _Body(self._evaluator, entry, targets, self._nodes(entry))

    # Kept apart from `_Body`, for one function is looked at for many doubles.
    @cached_by(attrgetter("function"))
    def _nodes(self, entry: EntryPoint) -> _Nodes:
        return _Nodes(entry)

    def named_function(self, module: Module, call: ast.Call) -> EntryPoint | None:
        """Return the function that a call names: by itself, in a module or class, of ``self``."""
        evaluator, function = self._evaluator, call.func
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in _OWN:
            owner = module.full_name(module.enclosing_class(call))
            return self.method(owner, function.attr)
        name = evaluator.names.qualified_name(module, function)
        located = None if name is None else evaluator.names.locate(name)
        if name is None or located is None or not located.rest:
            return None
        owner, _, last = name.rpartition(".")
        if evaluator.classes.facts(owner) is not None:
            return self.method(owner, last)
        if evaluator.classes.facts(name) is not None:
            return self.method(name, "__init__")
        defining = evaluator.load(located.path)
        bindings = defining.scopes.module.bindings.get(located.rest[0], []) if defining else []
        # The last definition is called, also by what a decorator makes of it: `task.run()`.
        node = bindings[-1].node if bindings else None
        return EntryPoint(defining, node) if defining and isinstance(node, Function) else None

    @cached_method
    def method(self, qualified: str, name: str) -> EntryPoint | None:
        """Return a method that a class of the project defines or inherits."""
        # Nearest first, so that what overrides a method counts.
        for _, home, body in self._evaluator.classes.bodies(qualified):
            for node in methods_named(body, name):
                return EntryPoint(home, node)
        return None

    @cached_by(lambda _module, call: call)
    def entries(self, module: Module, call: ast.Call) -> list[EntryPoint]:
        """Return the functions of the project that ``call`` may call, whatever it takes."""
        named = self.named_function(module, call)
        return [named] if named else list(self._evaluated_functions(module, call))

    def _evaluated_functions(self, module: Module, call: ast.Call) -> Iterator[EntryPoint]:
        with self._evaluator.without_callers():
            values = self._evaluator.values(module, call.func)
        for value in values:
            match value:
                case FunctionOf(node=ast.FunctionDef() | ast.AsyncFunctionDef() as function):
                    yield EntryPoint(value.module, function)
                case ClassOf():
                    made = self.method(value.qualified, "__init__")
                    if made is not None:
                        yield made

    def _called_entry_points(self, body: _Body, *, follow_all: bool) -> Iterator[EntryPoint]:
        for call in body.calls:
            given = body.holding_arguments(call)
            if given:
                entry_points = self.entries(body.module, call)
            else:
                named = self.named_function(body.module, call) if follow_all else None
                entry_points = [] if named is None else [named]
            for entry in entry_points:
                # Code of the tests is a part of the unit, and was looked at there.
                if not is_around_tests(entry.module.path) and not self._is_replaced(
                    body, call, entry
                ):
                    yield with_arguments(entry, given)

    def _is_replaced(self, body: _Body, call: ast.Call, entry: EntryPoint) -> bool:
        """Whether the test puts something else in the place of what is called."""
        function = entry.module.full_name(entry.function)
        for replace in self.replaces:
            if not replace.path and function == f"{replace.qualified}.{replace.name}":
                return True
            named = isinstance(call.func, ast.Name | ast.Attribute) and replace.path
            if named and body.means(call.func, replace):
                return True
        return False


def with_arguments(entry: EntryPoint, given: set[str | int]) -> EntryPoint:
    """Return ``entry`` with the parameters that get a double.

    ``given`` are positions and keywords of a call, and ``self`` for its receiver.
    """
    positional = [parameter.arg for parameter in positional_parameters(entry.function)]
    names = parameter_names(entry.function.args)
    # `self` in `given` is no keyword: it is the receiver.
    result: set[str] = {one for one in given if isinstance(one, str) and one in names - {"self"}}
    bound = int(takes_receiver(entry.module, entry.function))
    result |= {
        positional[argument + bound]
        for argument in given
        if isinstance(argument, int) and argument + bound < len(positional)
    }
    if "self" in given and bound and positional:
        result.add(positional[0])
    return EntryPoint(entry.module, entry.function, frozenset(result))


class _Nodes:
    """The parts of a function that matter, and the words in it."""

    def __init__(self, entry: EntryPoint) -> None:
        self.flows: list[ast.AST] = []
        self.calls: list[ast.Call] = []
        self.queries: list[ast.Attribute] = []
        self.words: set[str] = set()
        for node in entry.module.walk(entry.function):
            match node:
                case ast.Name():
                    self.words.add(node.id)
                case ast.Attribute():
                    self.words.add(node.attr)
                    if node.attr == "query":
                        self.queries.append(node)
                case ast.Call():
                    self.calls.append(node)
                case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() | ast.withitem() | ast.For():
                    self.flows.append(node)


class _Body:
    """One function, and which of its variables are the double or hold it."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        entry: EntryPoint,
        targets: frozenset[PatchedName],
        nodes: _Nodes,
    ) -> None:
        self._names = evaluator.names
        self.module = entry.module
        around = entry.module.enclosing_class(entry.function)
        in_class = around is not None and not nodes.words.isdisjoint({"cls", "self"})
        self._targets = [target for target in targets if target.last in nodes.words or in_class]
        self._known = set(entry.given)
        self._nodes = nodes
        if self._known or self._targets:
            self._spread()

    def _spread(self) -> None:
        """Follow assignments until nothing new holds the double."""
        before = -1
        while before < len(self._known):
            before = len(self._known)
            for node in self._nodes.flows:
                match node:
                    case ast.Assign(targets=targets, value=value) if self._holds(value):
                        for target in targets:
                            self._take(target)
                    case ast.AnnAssign(value=ast.expr() as value) if self._holds(value):
                        self._take(node.target)
                    case ast.NamedExpr(value=value) if self._holds(value):
                        self._take(node.target)
                    case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                        if self._holds(value):
                            self._take(target)
                    case ast.For() if self._holds(node.iter):
                        self._take(node.target)

    def _take(self, target: ast.expr) -> None:
        """Note a target of an assignment; of tuples all parts, of attributes the whole object."""
        match target:
            case ast.Name():
                self._known.add(target.id)
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self._take(element)
            case ast.Attribute() | ast.Subscript() | ast.Starred():
                self._take(target.value)

    def _holds(self, node: ast.AST) -> bool:
        """Whether an expression is the double, or something that was given it."""
        match node:
            case ast.Name():
                return node.id in self._known or self._is_target(node)
            case ast.Attribute():
                if node.attr in _RESULTS:
                    return False
                return self._is_target(node) or self._holds(node.value)
            # Made of the double, but no double.
            case _ if is_literal(node) or isinstance(node, ast.Compare):
                return False
        return any(self._holds(child) for child in children(node))

    def _is_target(self, node: ast.Name | ast.Attribute) -> bool:
        return any(self.means(node, target) for target in self._targets)

    def means(self, node: ast.expr, target: PatchedName) -> bool:
        """Whether a name means a patched one."""
        scopes = self.module.scopes
        last = target.last
        if isinstance(node, ast.Name) and node.id in {"cls", "self"} and not target.path:
            around = self.module.enclosing_class(node)
            return around is not None and target.qualified == (self.module.full_name(around))
        if isinstance(node, ast.Attribute):
            qualified = self._names.qualified_name(self.module, node) if node.attr == last else None
            return qualified == target.qualified
        if not isinstance(node, ast.Name):
            return False
        if not target.path:
            return (
                node.id == last
                and self._names.qualified_name(self.module, node) == target.qualified
            )
        if self.module.path == target.path and not scopes.is_shadowed(node.id, node):
            return node.id == target.name
        # An import inside a function is carried out while the name is patched.
        local = scopes.is_shadowed(node.id, node)
        return local and self._names.qualified_name(self.module, node) == target.qualified

    def uses(self) -> Iterator[QueryUse]:
        """Yield every ``query`` that is asked of the double."""
        for node in self._nodes.queries:
            if self._holds(node.value):
                yield use_of(self.module, node)

    @property
    def calls(self) -> list[ast.Call]:
        """The calls of the function, also of functions inside it."""
        return self._nodes.calls

    def holding_arguments(self, call: ast.Call) -> set[str | int]:
        """Return which arguments of ``call`` hold the double, and ``self`` if its receiver does."""
        if not self._known and not self._targets:
            return set()
        result: set[str | int] = {at for at, node in enumerate(call.args) if self._holds(node)}
        result |= {node.arg for node in call.keywords if node.arg and self._holds(node.value)}
        if isinstance(call.func, ast.Attribute) and self._holds(call.func.value):
            result.add("self")
        return result
