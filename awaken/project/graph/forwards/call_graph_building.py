"""The making of a call graph: each file is parsed once, and nothing of its tree is kept.

An override set holds the methods that a call on an instance of a class may run: the one that the
class defines or inherits, all overrides in subclasses, and those of its sibling bases. That of a
protocol has the methods of the classes that fulfill it. It follows from the facts of files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.decorators import known_methods
from awaken.project.graph.classes.override_sets import MAKING, Overrides
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace, Resolved
from awaken.project.graph.forwards.in_place import called_in_place
from awaken.project.graph.forwards.resolving import (
    Referent,
    Referents,
    function_around,
    is_use,
    is_worth_resolving,
)
from awaken.project.names.classes import Classes, ClassFacts
from awaken.project.names.file_facts import FactsIndex, WrittenDecorator, WrittenFunction
from awaken.project.names.functions.definitions import FoundFunctions, Functions
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.source.worklist import MOST_FUNCTIONS, multimap, reachable
from awaken.project.values.calls.decorator_effects import (
    effects_of_name,
    effects_of_names,
    names_of_method,
)
from awaken.project.values.evaluation import Evaluator

_MOST_METHODS = 1000
"""Methods of an override set: homeassistant's largest has fewer, and a chain of n classes has n
sets of up to n methods each."""
_GIVEN_NAMES = re.compile(
    rb"\b(?:def|class)\s+(\w+)"
    rb"|\.(\w+)\s*[\])]*\s*(?:=(?!=)|:|,|\bin\b)"  # an attribute that is set, or may be
    rb"|^[ \t]*(\w+)\s*(?::[^=\n]*)?=(?!=)",
    re.MULTILINE,
)
"""The names under which a program may keep a function of its own. Too many do no harm."""


class OverrideSet(Struct, frozen=True):
    """The definitions that may run; ``why`` is empty, or says why some are not visible.

    ``declared`` are those of protocols, in whose place one of ``functions`` runs.
    """

    functions: tuple[FoundFunctions, ...]
    why: str = ""
    declared: tuple[FoundFunctions, ...] = ()


class OverrideSets:
    """Finds the override sets of all methods of a program; ``paths`` are its files."""

    def __init__(
        self, classes: Classes, functions: Functions, overrides: Overrides, paths: Iterable[str]
    ) -> None:
        self._classes = classes
        self._functions = functions
        self._overrides = overrides
        self._line = overrides.line
        own = [facts for path in paths for facts in classes.in_file(path)]
        self._defining = multimap((name, item.qualified) for item in own for name in item.members)
        self._below = multimap(
            (name, item.qualified) for item in own for name in self._ancestors(item)
        )
        lines = ((item, self._line(item.qualified)) for item in own)
        joining = ((i, line) for i, line in lines if sum(base in line for base in i.bases) > 1)
        self._joining = multimap((name, i.qualified) for i, line in joining for name in line)

    def _ancestors(self, facts: ClassFacts) -> Iterator[str]:
        outside = self._classes.library_ancestors(facts.qualified)
        return (
            name for name in (*self._line(facts.qualified), *outside) if name != facts.qualified
        )

    @cached_method
    def override_set(self, qualified: str, method: str) -> OverrideSet:
        """Return what ``method`` of an instance of the class ``qualified`` may be."""
        definers = self._overrides.definers
        names = dict.fromkeys(definers(qualified, method))
        names |= dict.fromkeys(self._overriding(qualified, method))
        # A class with several bases may find the method in another base first.
        for joining in self._joining.get(qualified, ()):
            names |= dict.fromkeys(definers(joining, method))
        if self._overrides.is_protocol(qualified):
            fulfilling = self._overrides.fulfilling(qualified)
            # With a single common member, it says nothing.
            if len(fulfilling) > MOST_FUNCTIONS:
                return OverrideSet(
                    (), why=f"`{qualified}` is a protocol that too many classes fulfil"
                )
            for name in fulfilling:
                names |= dict.fromkeys(definers(name, method))
        return self._made_of(qualified, list(names), method)

    def exact(self, qualified: str, method: str) -> OverrideSet:
        """Return what ``method`` of the class itself is: no class below it has a say."""
        return self._made_of(qualified, [*self._overrides.definers(qualified, method)], method)

    def super_override_set(self, qualified: str, method: str) -> OverrideSet:
        """Return what ``super().method`` in the class ``qualified`` may be.

        It is the next class in the order of the bases. A class below may have another order only if
        it has several bases.
        """
        names: dict[str, None] = {}
        for below in (qualified, *self._joining.get(qualified, ())):
            names |= dict.fromkeys(self._overrides.following(below, qualified, method))
        return self._made_of(qualified, list(names), method)

    def initializer_sets(self, qualified: str) -> list[OverrideSet]:
        """Return what runs when the class itself, and none below it, makes an instance."""
        return [
            self._made_of(definer, [definer], name)
            for name in MAKING
            for definer in self._overrides.definers(qualified, name)
        ]

    def _made_of(self, qualified: str, names: list[str], method: str) -> OverrideSet:
        if len(names) > _MOST_METHODS:
            return OverrideSet((), why=f"too many classes have a `{method}`")
        # A protocol's own method runs only where there is no other.
        real = [name for name in names if not self._overrides.is_protocol(name)]
        functions = self._definitions(real or names, method)
        declared = self._definitions(set(names) - set(real), method) if real else ()
        if len(functions) < len(real or names):
            why = f"`{method}` of `{qualified}` is no plain method"
            return OverrideSet(functions, why=why, declared=declared)
        return OverrideSet(functions, declared=declared)

    def _definitions(self, names: Iterable[str], method: str) -> tuple[FoundFunctions, ...]:
        """Return the ``method`` of each class of these names that defines it plainly."""
        functions = (self._functions.functions_called(f"{name}.{method}") for name in names)
        return tuple(candidate for candidate in functions if candidate is not None)

    def _overriding(self, qualified: str, method: str) -> list[str]:
        """Return the classes below one that define its ``method`` again, by the shorter way."""
        defining, below = self._defining.get(method, []), self._below.get(qualified, [])
        if len(defining) < len(below):
            return [name for name in defining if qualified in self._line(name)]
        facts = ((name, self._line(name)[name]) for name in below)
        return [name for name, item in facts if method in item.members]

    def overriding_classes(self, qualified: str, method: str) -> list[str]:
        """Return the classes whose ``method`` may be called where that of ``qualified`` may.

        These are the classes above and below that define it, and the other bases of a class with
        several. For a protocol they are all that fulfil it, and itself. Sorted.
        """
        names = reachable([qualified], lambda name: self._classes_with(name, method))
        return sorted(name for name in names if method in self._line(name)[name].members)

    @cached_items
    def _classes_with(self, qualified: str, method: str) -> Iterator[str]:
        line = self._line(qualified)
        yield from (name for name, facts in line.items() if method in facts.members)
        yield from self._overriding(qualified, method)
        for joining in self._joining.get(qualified, ()):
            yield from (name for name, one in self._line(joining).items() if method in one.members)
        if self._overrides.is_protocol(qualified):
            for name in self._overrides.fulfilling(qualified):
                yield from self._overrides.definers(name, method)
        for protocol in self._overrides.asking_for(method):
            if self._overrides.fulfils(qualified, protocol):
                yield protocol


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
