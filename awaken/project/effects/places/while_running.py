"""The functions that may run while a piece of code runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from awaken.knowledge.library_names import library_names
from awaken.knowledge.running import running
from awaken.project.effects.callees import Callees
from awaken.project.effects.construction import Constructions
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.dispatch import Called, functions_run
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.names.functions.decorators import TRANSPARENT, decorator_names
from awaken.project.source.memo import cached_items, cached_method, cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, receivers
from awaken.project.source.worklist import MOST_FUNCTIONS, Worklist
from awaken.project.values.calls.decorator_effects import effects_of_name
from awaken.project.values.domain import MOST_ALTERNATIVES, Unknown, functions_in
from awaken.project.values.pytest_fixtures import fixture_for
from awaken.project.values.wrapped import decorated_by

Place = tuple[str, int]
"""A function: its file, and the byte of its ``def``."""

_TABLE = running()


class WhileRunning:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._constructions = Constructions(evaluator)
        self._callees = Callees(evaluator)
        self._by_name = ByName(evaluator)

    def functions(self, module: Module, parts: Iterable[ast.AST]) -> frozenset[Place] | None:
        """Return the functions that may run while ``parts`` of a file do; None if any may.

        Functions that are called are followed, and what is passed on counts as called. Python's own
        calls (of operators, ``with`` and loops) are not looked at, but properties are. Listeners to
        sessions are not among them, nor what runs while the parts wait at a ``yield`` of their own.
        """
        own = ((module, node) for part in parts for node in module.walk(part))
        nodes = ((home, node) for home, node in own if not isinstance(node, ast.Yield))
        waiting = Worklist[Called]([], _place_of, MOST_FUNCTIONS + 1)
        for home, node in chain(nodes, _nodes_of(waiting)):
            run = self._run_by(home, node)
            if run is None:
                return None
            waiting += run
        return _all_seen(waiting)

    def functions_from(self, called: Iterable[Called]) -> frozenset[Place] | None:
        """Return the functions that may run while these run, themselves too; None if any may.

        A method of an unknown object may be each that the program has of its name. External
        functions that these call do not count.
        """
        waiting = Worklist[Called](called, _place_of, MOST_FUNCTIONS + 1)
        named_alike: list[Called] = []
        for home, node in _nodes_of(waiting):
            run = self._run_by(home, node)
            more = [] if run is not None else self._named_alike(home, node)
            if more is None:
                return None
            waiting += run or ()
            named_alike += more
        result, others = _all_seen(waiting), self._seen_from(named_alike)
        return None if result is None or others is None else result | others

    def _seen_from(self, called: Iterable[Called]) -> frozenset[Place] | None:
        """Return these functions and all that they call; external ones do not count."""
        waiting = Worklist(called, _place_of, MOST_FUNCTIONS + 1)
        for home, node in _nodes_of(waiting):
            waiting += self._run_by(home, node) or ()
        return _all_seen(waiting)

    @cached_property
    def listening(self) -> frozenset[Place] | None:
        """The functions that listen to sessions and models, and what they call; None if too many.

        Nearly all code calls what they listen to, so they may run while anything does. External
        functions that they call do not count.
        """
        nodes = nodes_in(self._evaluator.modules_with(_TABLE.listening_words), ast.AST)
        return self._seen_from(
            called for module, node in nodes for called in self._listeners(module, node)
        )

    def _listeners(self, module: Module, node: ast.AST) -> Iterator[Called]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if any(
                _registers(decorator) for decorator in node.decorator_list
            ):
                yield Called(module, node, 0)
            case ast.Call(func=ast.Attribute(attr="listen")):
                for argument in node.args:
                    if isinstance(argument, ast.Name | ast.Attribute):
                        yield from self._escaping_functions(module, argument)

    def _run_by(self, module: Module, node: ast.AST) -> list[Called] | None:
        """Return the functions that a node may run, its parts aside; None if any may be."""
        match node:
            case ast.Call():
                return self.called(module, node)
            case ast.Await() | ast.Yield() | ast.YieldFrom() | ast.AsyncFor() | ast.AsyncWith():
                return None  # others go on meanwhile
            case ast.Attribute(ctx=ast.Load()):
                return [*self._escaping_functions(module, node), *self._properties(node.attr)]
            case ast.Name(ctx=ast.Load()):
                return list(self._escaping_functions(module, node))
        return []

    def called(self, module: Module, call: ast.Call) -> list[Called] | None:
        """Return the functions that a call may run; None if any may be."""
        if self._is_of_fixture(module, call.func) or self._is_decorated(module, call.func):
            return []
        names = self._callees.library_names(module, call.func)
        if isinstance(names, Unknown):
            return None
        if names == ("builtins.getattr",) and len(call.args) > 1:
            # It reads an attribute by its name.
            name = call.args[1].value if isinstance(call.args[1], ast.Constant) else None
            escaping = self._escaping_functions(module, call)
            return [*escaping, *self._properties(name)] if isinstance(name, str) else None
        if names:
            return [] if all(map(_TABLE.runs_only_what_it_is_handed, names)) else None
        called = functions_run(self._evaluator, module, call)
        if not isinstance(called, Unknown):
            if any(is_stub(self._evaluator, callee.module, callee.function) for callee in called):
                return None
            return list(called)
        made = self._constructions.at_call(module, call)
        if (
            made is None
            or made.why
            or not all(map(_TABLE.runs_only_what_it_is_handed, made.outside))
        ):
            return None
        return list(made.runs)

    def _named_alike(self, module: Module, node: ast.AST) -> list[Called] | None:
        """Return what a method of an unknown object may be; None for all other nodes."""
        match node:
            case ast.Call(func=ast.Attribute(attr=name) as func) if isinstance(
                self._callees.library_names(module, func), Unknown
            ):
                functions = self._by_name.functions(name)
                return None if functions is None else [Called(*pair, 1) for pair in functions]
        return None

    def _is_of_fixture(self, module: Module, func: ast.expr) -> bool:
        """Whether it is a method of a fixture of pytest that runs only what it is passed."""
        # A variable may be made of itself: `text = text.strip()`.
        waiting = Worklist([func])
        for part in waiting:
            *_, root = receivers(part)
            for binding in module.scopes.bindings_of(root) if root is not part else ():
                function = binding.scope.node
                if isinstance(binding.node, ast.arg) and isinstance(function, Function):
                    own = fixture_for(self._evaluator, module, function, binding.name)
                    return binding.name in _TABLE.quiet_fixtures and own is None
                # ``with monkeypatch.context() as patches``
                if isinstance(binding.value, ast.Call):
                    waiting += [binding.value.func]
                    break
        return False

    def _is_decorated(self, module: Module, func: ast.expr) -> bool:
        """Whether ``func`` is the parameter of a decorator: what it decorates counts by itself."""
        binding = module.scopes.parameter_of(func)
        decorator, maker = binding and binding.scope.node, module.outermost_def(func)
        if maker is None or not isinstance(decorator, Function):
            return False
        name, is_called = module.full_name(maker), decorator is not maker
        if "calls" not in effects_of_name(self._evaluator, name, called=is_called):
            return False
        return decorated_by(self._evaluator, name) is not None

    def _escaping_functions(self, module: Module, node: ast.expr) -> Iterator[Called]:
        """Yield the functions that a name means, where it is not called at once."""
        if isinstance(module.parent(node), ast.Attribute) or module.call_of(node) is not None:
            return
        for pair in functions_in(self._evaluator.values(module, node)):
            yield Called(*pair, 0)

    def _properties(self, name: str) -> Iterator[Called]:
        """Yield the decorated methods of this name: one may be a property that is read."""
        for module, function in self._evaluator.functions_at(self._decorated_places(name)):
            if not decorator_names(self._evaluator.names, module, function) <= TRANSPARENT:
                yield Called(module, function, 1)

    @cached_items
    def _decorated_places(self, name: str) -> Iterator[Place]:
        words = self._evaluator.callers.words
        # The end of a decorator, perhaps comments, and the function.
        defined = rb"^[ \t]*(?:@.*|\).*)\n(?:[ \t]*#.*\n)*[ \t]*(?:async[ \t]+)?def[ \t]+%b\b"
        pattern = re.compile(defined % name.encode(), re.MULTILINE)
        # Most files only call it, which takes less than that to see.
        plain = re.compile(rb"def[ \t]+%b\b" % name.encode())
        for path in words.files_with(name):
            text = words.text(path)
            is_decorated = plain.search(text) and pattern.search(text)
            for module in self._evaluator.modules_at([path] if is_decorated else []):
                for node in module.functions:
                    is_method = isinstance(module.parent(node), ast.ClassDef)
                    if node.name == name and is_method and node.decorator_list:
                        yield path, module.span(node).start


def _registers(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _TABLE.listening_decorators
    return False


def _nodes_of(functions: Iterable[Called]) -> Iterator[tuple[Module, ast.AST]]:
    for called in functions:
        yield from ((called.module, node) for node in called.module.walk(called.function))


def _all_seen(functions: Worklist[Called]) -> frozenset[Place] | None:
    """Return the places of the functions; None if there are too many."""
    seen = frozenset(map(_place_of, functions.seen.values()))
    return seen if len(seen) <= MOST_FUNCTIONS else None


def _place_of(called: Called) -> Place:
    return called.module.key_of(called.function)


# Names of methods that frameworks call for a request.
_HANDLERS = library_names().http_methods


class ByName(ProgramFacts):
    """Answers for one project; keeps the places of functions by their names."""

    def functions(self, name: str) -> list[tuple[Module, Function]] | None:
        """Return all functions and methods of the program that are called ``name``.

        None where there are too many, or where something else may be stored under the name.
        """
        places = self._search(name)
        return None if places is None else [*self._evaluator.functions_at(places)]

    @cached_method
    def _search(self, name: str) -> tuple[tuple[str, int], ...] | None:
        words = self._evaluator.callers.words
        encoded = name.encode()
        # ``self.run = f``, and ``run = f`` in a class, make it the name of anything.
        stored = re.compile(rb"\.\s*" + encoded + rb"\s*(?::[^=\n]*)?=[^=]")
        bound = re.compile(rb"(?m)^[ \t]+" + encoded + rb"\s*(?::[^=\n]*)?=[^=]")
        defined = re.compile(rb"\bdef\s+" + encoded + rb"\b")
        result: list[tuple[str, int]] = []
        for path in words.files_with(name):
            text = words.text(path)
            if stored.search(text):
                return None
            is_bound = bound.search(text) is not None
            module = self._evaluator.load(path) if is_bound or defined.search(text) else None
            if module is None:
                continue
            if is_bound and _is_stored(module, name):
                return None
            nodes = [
                node
                for node in _functions_called(module, name)
                if not self._is_handler(module, node)
            ]
            result += [(path, module.span(node).start) for node in nodes]
            if len(result) > MOST_ALTERNATIVES:
                return None
        return tuple(result)

    def _is_handler(self, module: Module, function: Function) -> bool:
        """Whether a method handles requests: a framework calls it, not a call in the program."""
        owner = module.parent(function)
        if function.name not in _HANDLERS or not isinstance(owner, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(module.full_name(owner))
        return ancestors is not None and bool(ancestors.outside or ancestors.unresolved)


def _functions_called(module: Module, name: str) -> list[Function]:
    nodes = (scope.node for scope in module.scopes.scopes)
    return [node for node in nodes if isinstance(node, Function) and node.name == name]


def _is_stored(module: Module, name: str) -> bool:
    """Whether the body of a class gives the name to something that is no function."""
    return any(
        not isinstance(binding.node, Function) and binding.value is not None
        for scope in module.scopes.scopes
        if scope.kind == "class"
        for binding in scope.bindings.get(name, ())
    )
