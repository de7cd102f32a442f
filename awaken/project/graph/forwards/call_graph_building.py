"""The making of a call graph: each file is parsed once, and nothing of its tree is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator

from awaken.contract import Place
from awaken.knowledge.decorators import known_methods
from awaken.project.graph.classes.override_sets import MAKING
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace, Resolved
from awaken.project.graph.forwards.in_place import called_in_place
from awaken.project.graph.forwards.override_definitions import OverrideSet, OverrideSets
from awaken.project.graph.forwards.resolving import (
    Referent,
    Referents,
    function_around,
    is_use,
    is_worth_resolving,
)
from awaken.project.names.file_facts import FactsIndex, WrittenDecorator, WrittenFunction
from awaken.project.names.functions.definitions import FoundFunctions, Functions
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.calls.decorator_effects import (
    effects_of_name,
    effects_of_names,
    names_of_method,
)
from awaken.project.values.evaluation import Evaluator

_GIVEN_NAMES = re.compile(
    rb"\b(?:def|class)\s+(\w+)"
    rb"|\.(\w+)\s*[\])]*\s*(?:=(?!=)|:|,|\bin\b)"  # an attribute that is set, or may be
    rb"|^[ \t]*(\w+)\s*(?::[^=\n]*)?=(?!=)",
    re.MULTILINE,
)
"""The names under which a program may keep a function of its own. Too many do no harm."""


def given_names(texts: Iterable[bytes]) -> frozenset[str]:
    """Return the names that ``texts`` may give to functions, classes, attributes."""
    result: set[bytes] = set()
    for text in texts:
        for names in _GIVEN_NAMES.findall(text):
            result.update(names)
    return frozenset(name.decode(errors="replace") for name in result if name)


class CallGraphBuilder:
    """Makes the call graph of the files at ``paths``, which are Python.

    ``override_sets`` are asked for when all files are read.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        functions: Functions,
        override_sets: Callable[[], OverrideSets],
        paths: list[str],
        names: frozenset[str],
    ) -> None:
        self._evaluator = evaluator
        self._facts: FactsIndex = evaluator.names.facts
        self._override_sets_of = override_sets
        self._paths = paths
        self._names = names
        self._graph = CallGraph(self._resolved_again)
        self._referents = Referents(evaluator, functions)
        self._decorated = _Decorated(evaluator)
        self._words: dict[str, int] = {}
        self._whats: dict[tuple[Referent, ...], int] = {}
        self._written: dict[tuple[str, int], WrittenFunction] = {}

    def build(self) -> CallGraph:
        """Read every file, then say what its calls reach."""
        # Else following a receiver would ask for the callers, which the graph is to answer.
        with self._evaluator.without_callers():
            for module in self._evaluator.modules_at(self._paths):
                self._read(module)
            override_sets = self._override_sets_of()
            resolved = [self._resolve(override_sets, whats) for whats in self._whats]
        self._graph.finish(list(self._words), resolved)
        return self._graph

    def _read(self, module: Module) -> None:
        graph, path = self._graph, module.path
        top = graph.add_function(FunctionPlace.of(module, None))
        functions = self._facts.functions(path)
        defined = sorted(
            (item.start, qualname, item) for qualname, found in functions.items() for item in found
        )
        for start, qualname, written in defined:
            graph.add_function(FunctionPlace(path, start, qualname))
            self._written[path, start] = written
        has_lambdas = b"lambda" in module.source.text
        used = (
            word
            for word in self._names & module.words()
            if any(is_use(module, part) for part in module.mentions(word))
        )
        graph.note_uses(path, sorted(used))
        for node in module.nodes(ast.Call):
            if is_worth_resolving(module, node, self._names):
                around = function_around(module, node)
                start = -1 if around is None else module.span(around).start
                caller = graph.number_of(path, start)
                whats = self._referents.referents_of(module, node.func)
                graph.add_call(
                    top if caller is None else caller,
                    module.span(node),
                    self._words.setdefault(last_name(node.func), len(self._words)),
                    self._whats.setdefault(whats, len(self._whats)),
                )
                inner = _lambda_around(module, node) if has_lambdas else None
                if inner is not None:
                    graph.note_lambda(path, module.span(node), module.span(inner))

    # -------------------------------------------------------------------------- after all files
    def _resolved_again(self, place: Place) -> Resolved:
        """Return what a call reaches, of which what callers pass may tell more."""
        for module, call in self._evaluator.calls_at(place)[:1]:
            return self._resolve(
                self._override_sets_of(), self._referents.referents_of(module, call.func)
            )
        return Resolved("unknown", (), "its file cannot be parsed")

    def _resolve(self, override_sets: OverrideSets, referents: tuple[Referent, ...]) -> Resolved:
        functions: dict[int, None] = {}
        declared: set[int] = set()
        makes, why = False, ""
        for referent in referents:
            if referent.kind == "unknown":
                why = why or referent.text
                continue
            makes = makes or referent.kind in {"class", "below"}
            for override_set in self._override_sets(override_sets, referent):
                why = why or override_set.why
                declared.update(self._numbers(override_set.declared))
                for path, start in _starts(override_set.functions):
                    why = why or self._hidden_text(path, start)
                functions.update(dict.fromkeys(self._numbers(override_set.functions)))
        result, by = tuple(sorted(functions)), tuple(sorted(declared))
        if why:
            return Resolved("unknown", result, why, by)
        if makes:
            return Resolved("class", result, "", by)
        if not result:
            return Resolved("library")
        return Resolved("one" if len(result) == 1 else "several", result, "", by)

    def _override_sets(self, override_sets: OverrideSets, referent: Referent) -> list[OverrideSet]:
        match referent.kind:
            case "function":
                written = self._written.get((referent.text, referent.start))
                functions = () if written is None else (FoundFunctions(referent.text, (written,)),)
                return [OverrideSet(functions)]
            case "method":
                return [override_sets.override_set(referent.text, referent.name)]
            case "exact":
                return [override_sets.exact(referent.text, referent.name)]
            case "above":
                return [override_sets.super_override_set(referent.text, referent.name)]
            case "class":
                return override_sets.initializer_sets(referent.text)
            case "below":
                return [override_sets.override_set(referent.text, name) for name in MAKING]
        return []

    def _numbers(self, functions: Iterable[FoundFunctions]) -> Iterator[int]:
        numbers = (self._graph.number_of(*place) for place in _starts(functions))
        return (number for number in numbers if number is not None)

    def _hidden_text(self, path: str, start: int) -> str:
        written = self._written.get((path, start))
        hiding = None if written is None else self._decorated.hiding(path, written)
        return "" if hiding is None else f"it is decorated by `{hiding}`"


def _starts(functions: Iterable[FoundFunctions]) -> Iterator[tuple[str, int]]:
    return ((result.path, function.start) for result in functions for function in result.functions)


def _lambda_around(module: Module, node: ast.AST) -> ast.Lambda | None:
    """Return the lambda in which ``node`` runs later; none that is called at once."""
    inner = module.enclosing_function(node)
    while isinstance(inner, ast.Lambda) and called_in_place(module, inner) is not None:
        inner = module.enclosing_function(inner)
    return inner if isinstance(inner, ast.Lambda) else None


class _Decorated:
    """Answers which wrappers are between a name and its function."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def hiding(self, path: str, function: WrittenFunction) -> str | None:
        """Return the decorator of ``function``, as written, that may run other code instead.

        None if a call of the name calls the function, maybe with other arguments.
        """
        for decorator in function.decorators:
            if not self._is_transparent(path, decorator):
                return decorator.name.text
        return None

    @cached_method
    def _is_transparent(self, path: str, decorator: WrittenDecorator) -> bool:
        evaluator = self._evaluator
        qualified = evaluator.names.qualified_written_name(path, decorator.name) or ""
        effects = effects_of_name(evaluator, qualified, called=decorator.called)
        located = evaluator.names.locate(qualified)
        if not effects and located is not None and len(located.rest) == len(("app", "get")):
            variable, method = located.rest
            for module in evaluator.modules_at([located.path] if method in known_methods() else []):
                owners = evaluator.global_values(module, variable)
                effects = effects_of_names(names_of_method(evaluator, owners, method))
        return "calls" in effects
