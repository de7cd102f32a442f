"""The calls of a program, asked from both ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.decorators import DecoratorEffects
from awaken.project.graph.call_paths import CallPath, CallPaths, End
from awaken.project.graph.callers import Callers, Obstacle
from awaken.project.graph.callers.caller_index import CallIndex
from awaken.project.graph.classes.stubs import is_stub
from awaken.project.graph.dispatch import (
    Called,
    function_called,
    functions_behind,
    functions_called,
)
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.call_graph_building import (
    CallGraphBuilder,
    OverrideSets,
    given_names,
)
from awaken.project.graph.forwards.passed.components import PassedFunctions
from awaken.project.graph.forwards.value_calls import ValueCalls
from awaken.project.graph.leading import Leading, leading_to
from awaken.project.names.file_facts import FactsIndex
from awaken.project.names.functions.definitions import Functions
from awaken.project.names.functions.opaque import OpaqueUse, passed_names
from awaken.project.names.functions.wrapping import Wrapping, Wrappings
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, without_arguments
from awaken.project.source.words import word_pattern
from awaken.project.source.worklist import multimap
from awaken.project.values.calls.decorator_effects import decorator_effects, library_names
from awaken.project.values.domain import Unknown
from awaken.project.values.evaluation import Evaluator
from awaken.project.values.local.context_managers import returns_in_the_end
from awaken.project.values.questions import Passed
from awaken.project.values.wrapped import Decorated, decorated_by

LONGEST_RECEIVER = 100
"""Bytes in front of a name that may be its receiver; a longer one counts as a mention."""
_RECEIVER = re.compile(rb"([A-Za-z_]\w*)\s*\.\Z")
_UNKNOWN_RECEIVER = re.compile(rb"(?<!\.\.)\.\Z")
"""What precedes an attribute of ``f().``; nothing is one of ``...``."""
_IN_TEXT = (b'"', b"'", b":", b"/")
"""What precedes a name that may be the end of a text, as ``"package.module:name"``."""
_STARRED = re.compile(rb"\bfrom\b[\s\\]*+([\w.]*?)[\s\\]*+import[\s\\]*+\*")
_RENAMED = rb"\b%s[\s\\]++as[\s\\]++(\w++)"


class _Mentions(Struct, frozen=True):
    """The uses of a name: files with it ``alone``, those that import it, and its ``receivers``.

    The receivers are the objects with an attribute of that name; None if one is unknown. The name
    is ``named`` if it may be the end of a text.
    """

    alone: frozenset[str]
    importing: frozenset[str]
    receivers: frozenset[bytes] | None
    named: bool


class TextMentions:
    """Answers whether a name may refer to a function; each text is read once for each name."""

    def __init__(self, callers: CallIndex, facts: FactsIndex) -> None:
        self._words = callers.words
        self._facts = facts
        self._importers = callers.importers
        self._module_values = callers.module_values

    def may_mention(self, name: str, module: Module) -> bool:
        """Whether ``name`` may mean a function of ``module`` anywhere but at its definition.

        Left out are definitions, attributes of what is no module, and names that their file neither
        imports nor defines. So are texts, where no code has the module as a value.
        """
        mentions, last = self._mentions_of(name), module.name.rpartition(".")[2]
        if mentions.receivers is None or (
            module.path in mentions.alone
            and any(isinstance(node, ast.Name) for node in module.mentions(name))
        ):
            return True
        if mentions.named and self._module_values.may_be_asked(module.path):
            return True
        # `import package.module` makes the last word its receiver.
        if mentions.receivers and not mentions.receivers.isdisjoint(self._names_of(last)):
            return True
        if not mentions.alone and not mentions.receivers:
            return False
        # Where a file gets the name from another one, the first of these gets it from the module.
        giving = mentions.importing.union(self._starring.get(last.encode(), ()))
        # ``from . import *`` does not name its package.
        is_starred = module.is_package and b"" in self._starring
        return is_starred or not giving.isdisjoint(self._importers.direct(module.path))

    @cached_method
    def _mentions_of(self, name: str) -> _Mentions:
        word = word_pattern(name)
        alone, receivers, named = set[str](), set[bytes](), False
        for path in self._words.files_with(name):
            text = self._words.text(path)
            for match in word.finditer(text):
                head = text[max(0, match.start() - LONGEST_RECEIVER) : match.start()].rstrip()
                receiver = _RECEIVER.search(head) if head.endswith(b".") else None
                if receiver is not None:
                    receivers.add(receiver[1])
                elif _UNKNOWN_RECEIVER.search(head):
                    # It may be of any function: no more is asked.
                    return _Mentions(frozenset(), frozenset(), None, named)
                elif not head.endswith(b"def"):
                    alone.add(path)
                    named = named or head.endswith(_IN_TEXT)
        importing = frozenset(path for path in sorted(alone) if self._words.imports(path, name))
        return _Mentions(frozenset(alone), importing, frozenset(receivers), named)

    @cached_method
    def _names_of(self, last: str) -> frozenset[bytes]:
        """Return the names that files give to modules with this last name, and itself."""
        names = [last]
        for name in names:
            renamed = re.compile(_RENAMED % re.escape(name.encode()))
            # The list grows while it is read: a new name may be given a new name.
            for path in self._words.files_of_kind(name, "renamed"):
                new = {x.decode() for x in renamed.findall(self._words.text(path))}
                new.update(self._facts.aliases_in(path).get(name, ()))
                names += sorted(new - {*names})
        return frozenset(map(str.encode, names))

    @cached_property
    def _starring(self) -> Mapping[bytes, list[str]]:
        """The files with ``from module import *`` by the last names of modules, empty for dots."""
        paths = self._words.imported_in("*")
        texts = ((path, self._words.text(path)) for path in paths)
        return multimap(
            (name.rpartition(b".")[2], path)
            for path, text in texts
            for name in _STARRED.findall(text)
        )


class Calls:
    """Calls and their arguments; they are worked out on demand."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._text_mentions = TextMentions(evaluator.callers, evaluator.names.facts)
        self._wrappings = Wrappings(evaluator.names, evaluator.forwarding)

    @cached_method
    def graph(self) -> CallGraph:
        """Return all calls of the program, each resolved once, asked from both ends.

        It is made when it is first asked for, which parses every file; then it answers without
        parsing.
        """
        evaluator, words = self._evaluator, self._evaluator.callers.words
        paths = words.python()
        names = given_names(map(words.text, paths))
        return CallGraphBuilder(
            evaluator, self._functions, lambda: self._override_sets, paths, names
        ).build()

    def is_value(self, path: str) -> bool:
        """Whether the module of a file may be a value, so that something unknown may be it."""
        is_public = self._evaluator.names.layout.published
        return is_public or self._evaluator.callers.module_values.may_be_asked(path)

    def definition_of(self, function: FunctionPlace) -> tuple[Module, Function] | None:
        """Return the definition of a function; None for the code outside of all."""
        return next(self.definitions_of([function]), None)

    def definitions_of(
        self, functions: Iterable[FunctionPlace]
    ) -> Iterator[tuple[Module, Function]]:
        """Yield the definitions of functions."""
        return self._evaluator.functions_at((item.path, item.start) for item in functions)

    def run_inside(
        self, module: Module, nodes: Iterable[ast.AST]
    ) -> Iterator[tuple[Module, Function]]:
        """Yield the functions that calls in some nodes of a file run, over any number of calls."""
        spans, graph = [*map(module.span, nodes)], self.graph()
        calls = graph.calls_in(module.path) if spans else ()
        inside = (call for call in calls if any(span.contains(call.place.span) for span in spans))
        return self.definitions_of(graph.reachable(x for call in inside for x in call.functions))

    @cached_method
    def reading(self, attribute: str) -> frozenset[FunctionPlace]:
        """Return the functions that read an attribute of this name, or call what reads it."""
        graph, words = self.graph(), (attribute.encode(),)
        return frozenset(
            graph.reaching(
                graph.place_around(module, node)
                for module in self._evaluator.modules_with(words)
                for node in module.mentions(attribute)
                if isinstance(node, ast.Attribute)
            )
        )

    @cached_property
    def _functions(self) -> Functions:
        names = self._evaluator.names
        return Functions(names, names.facts)

    @cached_property
    def _override_sets(self) -> OverrideSets:
        classes, callers = self._evaluator.classes, self._evaluator.callers
        return OverrideSets(classes, self._functions, callers.overrides, callers.words.python())

    @cached_method
    def override_sets(self) -> _Kin:
        """Return which methods replace each other, over the whole program."""
        return _Kin(self._evaluator, self._functions, self._override_sets)

    @cached_method
    def passed_functions(self) -> PassedFunctions:
        """Return which functions are passed on, and which calls may reach them."""
        words = self._evaluator.callers.words
        return PassedFunctions(self._evaluator, self.graph(), words, self._wrappings)

    def wrapping(self, qualified: str, *, called: bool) -> Wrapping | None:
        """Return what a decorator of the program makes of a coroutine function.

        ``called`` says that it is given arguments first. None where it cannot be read.
        """
        return self._wrappings.wrapping_of(qualified, called=called)

    def wrapping_by(self, module: Module, decorator: ast.expr) -> Wrapping | None:
        """Return the same of ``decorator``, the expression in front of a function."""
        plain = without_arguments(decorator)
        qualified = self._evaluator.names.qualified_name(module, plain)
        return self.wrapping(qualified or "", called=plain is not decorator)

    def opaque_use(self, qualified: str, decorator: ast.expr) -> OpaqueUse | None:
        """Return what a decorator does that reads nothing of its function's signature.

        None where it may read it. ``decorator`` is its expression, with its arguments.
        """
        passed = passed_names(decorator) if isinstance(decorator, ast.Call) else None
        return self._evaluator.forwarding.opaque(qualified, passed)

    def decorator_effects(self, module: Module, decorator: ast.expr) -> DecoratorEffects:
        """Return what is true of what a decorator, with its arguments, makes of its function."""
        return decorator_effects(self._evaluator, module, decorator)

    def library_names(self, module: Module, plain: ast.expr) -> list[tuple[str, ...]]:
        """Return the names that libraries have for each thing that a decorator may be.

        ``plain`` is without its arguments. Empty if it may be anything else.
        """
        return library_names(self._evaluator, module, plain)

    def decorated_by(self, qualified: str) -> Decorated | None:
        """Return what a decorator of the program is used for; None if it is used otherwise.

        A decorator that others may import may decorate their functions too.
        """
        return decorated_by(self._evaluator, qualified)

    def callers_of(self, module: Module, function: Function) -> Callers:
        """Return who calls a function or method of ``module``, over all files.

        Of ``__init__`` these are the calls of its class. Nothing is searched before it is asked.
        """
        return self._evaluator.callers_of(module, function)

    def leading_to(self, module: Module, function: Function) -> Leading:
        """Return a function of ``module``, all that lead to it, and the calls by which they do.

        Only visible calls count: code outside the project may lead to it as well.
        """
        return leading_to(self._evaluator, self.graph, module, function)

    def calls_of_value(self, obstacle: Obstacle) -> tuple[Place | None, ...]:
        """Return the calls of a function that is passed as a value at the places of an obstacle.

        One is None where other code may call it.
        """
        return self._value_calls.calls_at(obstacle)

    @cached_property
    def _value_calls(self) -> ValueCalls:
        return ValueCalls(self._evaluator)

    def search_callers(self, functions: Iterable[tuple[Module, Function]]) -> None:
        """Find the callers of many functions at once, for ``callers_of`` to answer later.

        Each file is parsed once for all of them. ``functions`` may be made one after the other:
        their trees are not kept.
        """
        self._evaluator.callers.search(functions)

    def is_declaration(self, module: Module, function: Function) -> bool:
        """Whether ``function`` of ``module`` only declares what others implement."""
        return is_stub(self._evaluator, module, function)

    def paths_to(self, ends: Iterable[End]) -> Iterator[tuple[Module, ast.Call, CallPath]]:
        """Yield the calls in coroutines that lead to one of ``ends`` over plain functions.

        The ends are calls in plain functions, each with the name of what it calls. No call graph
        is made: only files that name such a function are parsed.
        """
        return CallPaths(self._evaluator).paths_to(ends)

    def may_be_mentioned(self, module: Module, function: Function) -> bool:
        """Whether the name of ``function``, one of ``module``, may be used for it anywhere.

        Most endpoints are mentioned nowhere, which texts tell much faster than ``callers_of``.
        """
        if self._text_mentions.may_mention(function.name, module):
            return True
        return self._evaluator.callers.may_be_looked_up(module, function.name)

    def function_called(self, module: Module, call: ast.Call) -> Called | Unknown:
        """Return the only function of the project that ``call`` can reach; Unknown says why not.

        Overrides count, and methods of other classes of the same hierarchy.
        """
        return function_called(self._evaluator, module, call)

    def always_returns(self, module: Module, function: Function) -> bool:
        """Whether every path through a function ends in ``return`` or ``raise``."""
        return returns_in_the_end(self._evaluator, module, function)

    def functions_behind(self, module: Module, call: ast.Call) -> tuple[Called, ...] | Unknown:
        """Return the functions that get the arguments of ``call`` and whose result it gives.

        As ``functions_called``, but also through wrappers of the program that forward both.
        """
        return functions_behind(self._evaluator, module, call)

    def functions_called(self, module: Module, call: ast.Call) -> tuple[Called, ...] | Unknown:
        """Return the functions of the project that ``call`` can reach: a method, its overrides.

        The first is the one it seems to reach. Unknown says why they are not all visible.
        """
        return functions_called(self._evaluator, module, call)

    def passed_to(
        self, module: Module, binding: Binding, *, declared: bool = False
    ) -> Passed | None:
        """Return what callers pass to a parameter that neither annotation nor default explains.

        With ``declared`` of one that they explain, too. None for every other binding.
        """
        return self._evaluator.passed_values(module, binding, declared=declared)


class _Kin:
    """Answers for one program, from its functions and override sets."""

    def __init__(
        self, evaluator: Evaluator, functions: Functions, override_sets: OverrideSets
    ) -> None:
        self._evaluator = evaluator
        self._functions = functions
        self._override_sets = override_sets

    def override_set(self, function: FunctionPlace) -> tuple[FunctionPlace, ...]:
        """Return the methods that change with ``function``, itself among them.

        Those that override it or are overridden by it, and those of classes that fulfil the same
        protocol. A function that is no method is alone.
        """
        owner, _, method = function.qualname.rpartition(".")
        home = self._evaluator.names.layout.name_of(function.path)
        if not owner or self._evaluator.classes.facts(f"{home}.{owner}") is None:
            return (function,)
        return tuple(sorted({function, *self.methods(f"{home}.{owner}", method)}))

    @cached_items
    def methods(self, qualified: str, method: str) -> list[FunctionPlace]:
        """Return all that ``method`` of an instance of a class may be, with what is kin to it.

        None for an external class.
        """
        places: set[FunctionPlace] = set()
        if self._evaluator.classes.facts(qualified) is None:
            return []
        for name in self._override_sets.overriding_classes(qualified, method):
            named = self._functions.functions_called(f"{name}.{method}")
            if named is not None:
                qualname = f"{self._name_within(name, named.path)}.{method}"
                places |= {
                    FunctionPlace(named.path, one.start, qualname) for one in named.functions
                }
        return sorted(places)

    def _name_within(self, qualified: str, path: str) -> str:
        """Return the name of a class inside of its file."""
        return qualified.removeprefix(f"{self._evaluator.names.layout.name_of(path)}.")
