"""Functions that code takes back from FastAPI: ``route.endpoint``, ``depends.dependency``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.web.endpoints import FRAMEWORKS
from awaken.project.frameworks.web.hint_readers import HINTS, HintReaders
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, keyword_of, last_name
from awaken.project.source.worklist import Worklist

_ENDPOINT = "endpoint"
_WORDS = [b"endpoint", b".dependant", b".dependency"]
_HOLDING = [b".endpoint", b'"endpoint"', b"'endpoint'", b"dependant", b".dependency"]
_ROUTES = (*FRAMEWORKS, b".routes", b"dependant")
# The text of a function changes with every rewrite.
_READING = library_names().reading_signatures - {"inspect.getsource", "inspect.getsourcelines"}
_SIGNATURES = {"__annotations__", "__defaults__", "__kwdefaults__", "__signature__"}
_READING_WORDS = [name.rpartition(".")[2].encode() for name in sorted(_READING | _SIGNATURES)]
_OVERRIDES = [f"{OVERRIDES}{end}".encode() for end in (")", ":", "]", ".")]
_ITEMS = {"copy", "items", "keys", "values"}
_LIBRARIES = ("fastapi.", "starlette.")


class Use(Struct, frozen=True):
    """A call of such a function, or a read of its parameters; ``reactions`` as of HintReaders."""

    place: Place
    text: str
    reactions: tuple[frozenset[str], ...]


class TakenBack(ProgramFacts):
    """Finds who may call what FastAPI calls, or read its parameters."""

    def uses_affecting(self, module: Module, markers: list[ast.Call]) -> Iterator[str]:
        """Yield the text of each use that may differ for a function with ``markers``."""
        for use in self.uses:
            if self._readers.reacts(use.reactions, module, markers):
                yield use.text

    @cached_property
    def _readers(self) -> HintReaders:
        return HintReaders(self._evaluator)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Where code does so; in source order of each file."""
        return tuple(
            Use(module.place(use), module.excerpt(use), self._reactions(module, use))
            for module in self._evaluator.modules_at(self._files)
            for node, is_called in self._functions_in(module)
            for use in self._uses(module, node, is_called=is_called)
        )

    @cached_property
    def _files(self) -> list[str]:
        """The files that may do so by their words: many others have an `endpoint`."""
        files_with = self._evaluator.files_with
        reading = set(files_with(_WORDS)).intersection(files_with(_READING_WORDS))
        calling = set(files_with(_HOLDING)).intersection(files_with(_ROUTES))
        looping = set(files_with(_OVERRIDES)).intersection(files_with([b"for "]))
        return sorted(reading | calling | looping)

    def _reactions(self, module: Module, use: ast.expr) -> tuple[frozenset[str], ...]:
        if isinstance(use, ast.Call) and self._evaluator.qualified_name(module, use.func) == HINTS:
            return self._readers.reactions(module, _reads_of(module, use))
        return (frozenset(),)

    def _functions_in(self, module: Module) -> Iterator[tuple[ast.expr, bool]]:
        """Yield what may be a function of FastAPI, and whether calling it counts."""
        names = _holding(module)
        is_called = any(word in module.source.text for word in _ROUTES)
        for node in module.nodes_of(ast.Attribute, ast.Subscript, ast.Call):
            match node:
                case ast.Attribute(attr=name, ctx=ast.Load()) if name in names:
                    yield node, is_called
                case ast.Subscript(slice=ast.Constant(value="endpoint"), ctx=ast.Load()):
                    yield node, is_called
                case (
                    ast.Call(func=func, args=[*_, ast.Constant(value="endpoint")])
                    | ast.Call(func=func, args=[*_, ast.Constant(value="endpoint"), _])
                ) if last_name(func) in {"get", "getattr"}:
                    yield node, is_called
        for loop in module.nodes_of(ast.For, ast.comprehension):
            if OVERRIDES.encode() in module.source.text and _are_overrides(module, loop.iter):
                yield from ((read, True) for read in _reads_of_targets(module, loop.target))
        for function in module.functions:
            yield from ((read, False) for read in self._given_to_routes(module, function))

    def _given_to_routes(self, module: Module, function: Function) -> Iterator[ast.expr]:
        """Yield the reads of an endpoint in a method that a class of FastAPI has as well."""
        scope = module.scopes.scope_made_by(function)
        owner = module.parent(function)
        if isinstance(owner, ast.ClassDef) and scope.bindings_of(_ENDPOINT):
            above = self._evaluator.classes.library_ancestors(module.full_name(owner))
            if any(name.startswith(_LIBRARIES) for name in above):
                yield from module.scopes.reads_in(scope, _ENDPOINT)

    def _uses(self, module: Module, node: ast.expr, *, is_called: bool) -> Iterator[ast.expr]:
        for read in _reads_of(module, node):
            above, taking = module.parent(read), module.call_taking(read)
            if taking is not None and self._reads_parameters(module, taking):
                yield taking
            elif (isinstance(above, ast.Attribute) and above.attr in _SIGNATURES) or (
                isinstance(above, ast.Call) and above.func is read and is_called
            ):
                yield above

    def _reads_parameters(self, module: Module, call: ast.Call) -> bool:
        """Whether a call gives the parameters of a function, and code reads more than names."""
        name = self._evaluator.names.qualified_name(module, call.func)
        if name == HINTS:
            # It gives the types alone, as they are without `Annotated`.
            return keyword_of(call, "include_extras") is not None
        return name in _READING and not all(
            _reads_names(module, read) for read in _reads_of(module, call)
        )


def _are_overrides(module: Module, node: ast.expr) -> bool:
    """Whether a loop goes over the overrides of dependencies, or over a copy of them."""
    waiting = Worklist[ast.expr]([node])
    for part in waiting:
        match part:
            case ast.Attribute(attr=name) | ast.Name(id=name) if name == OVERRIDES:
                return True
            case ast.Name():
                value = module.scopes.only_value(part)
                waiting += [] if value is None else [value]
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[]):
                waiting += [owner] if method in _ITEMS else []
            case ast.Call(func=ast.Name(), args=[copied]):
                waiting += [copied]
    return False


def _reads_of_targets(module: Module, target: ast.expr) -> Iterator[ast.Name]:
    for node in module.nodes_below(target, ast.Name):
        yield from module.scopes.reads_in(module.scopes.scope_of(node), node.id)


def _reads_of(module: Module, node: ast.expr) -> list[ast.expr]:
    """Return an expression, and the reads of the variable that it is assigned to."""
    variable = module.variable_of(node)
    if variable is None:
        return [node]
    return [*module.scopes.reads_in(module.scopes.scope_of(variable), variable.id)]


def _reads_names(module: Module, signature: ast.expr) -> bool:
    """Whether the result type is read of a signature, or whether it has a parameter."""
    above = module.parent(signature)
    match above:
        case ast.Attribute(attr="return_annotation"):
            return True
        case ast.Attribute(attr="parameters"):
            return isinstance(module.parent(above), ast.Compare)
    return False


def _holding(module: Module) -> set[str]:
    """Return the attributes that hold functions of the program, in a file."""
    text = module.source.text
    return {_ENDPOINT, "dependency"} | ({"call"} if b"dependant" in text else set())
