"""The call graph of a program: every call resolved once, asked from both ends.

It holds places, numbers and texts, no tree. Its answers depend on the program alone. Calls of
lambdas and comprehensions count to the function around them, and code that Python runs by itself
(properties, operators, ``with``) makes no call.
"""

from __future__ import annotations

import ast
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.worklist import groups_of, reachable

if TYPE_CHECKING:
    from awaken.project.source.modules import Module
    from awaken.project.source.trees import Function

ResolvedKind = Literal["one", "several", "class", "library", "unknown"]


class FunctionPlace(NamedTuple):
    """One function of the program: ``start`` is the byte of its ``def``.

    ``qualname`` is ``Class.method`` in its file. The code of a file outside of all functions has
    the name ``<module>`` and starts at -1.
    """

    path: str
    start: int
    qualname: str

    @classmethod
    def of(cls, module: Module, function: Function | None) -> FunctionPlace:
        """Return that of a function of a file, or of the code outside of all functions."""
        if function is None:
            return cls(module.path, -1, "<module>")
        return cls(module.path, module.span(function).start, module.qualname(function))

    @property
    def name(self) -> str:
        """The name of the function itself, without the class or function around it."""
        return self.qualname.rpartition(".")[2]

    @property
    def place(self) -> Place:
        """Where it begins; where its file does for the code outside of all functions."""
        start = max(self.start, 0)
        return Place(self.path, Span(start, start))


class Resolved(Struct, frozen=True):
    """What a call reaches.

    ``functions`` are numbers of functions. ``one`` and ``several`` name all that may run;
    ``class`` makes an instance and runs the code of ``functions``, if the program has any;
    ``library`` leaves the program. ``unknown`` says why in ``why``; it may still reach
    ``functions``, and others. ``declared`` are the methods of protocols by which it is called:
    none of them runs.
    """

    kind: ResolvedKind
    functions: tuple[int, ...] = ()
    why: str = ""
    declared: tuple[int, ...] = ()


class Call(NamedTuple):
    """One call: its place, its function, its last name, and its targets."""

    place: Place
    caller: FunctionPlace
    name: str
    kind: ResolvedKind
    functions: tuple[FunctionPlace, ...]
    why: str


Again = Callable[[Place], Resolved]
"""What resolves the call at a place once more, and asks the callers of the function around it."""


class CallGraph:
    """The calls of a program; made by ``CallGraphBuilder``.

    Functions have numbers in the order of their files and places. All answers are in the order of
    paths and places. A call that was not resolved while the files were read is resolved ``again``
    when somebody asks for it: that takes longer, and knows what callers pass.
    """

    def __init__(self, again: Again) -> None:
        self._again = again
        self._functions: list[FunctionPlace] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._resolved: list[Resolved] = []
        # One row for each call: who calls, where, by which name, and what.
        self._caller, self._start, self._end = array("i"), array("q"), array("q")
        self._name, self._what = array("i"), array("i")
        self._names: list[str] = []
        self._by_caller: array[int] = array("i")
        self._first: array[int] = array("i")
        self._in_lambdas: dict[tuple[str, Span], Span] = {}
        # The files in which each name is used, and not called.
        self._uses: dict[str, list[str]] = {}

    # ---------------------------------------------------------------------------------- building
    def add_function(self, place: FunctionPlace) -> int:
        """Give a function its number."""
        number = self._numbers[place.path, place.start] = len(self._functions)
        self._functions.append(place)
        return number

    def add_call(self, caller: int, span: Span, name: int, what: int) -> None:
        """Add a call; ``what`` is a number that ``finish`` resolves."""
        self._caller.append(caller)
        self._start.append(span.start)
        self._end.append(span.end)
        self._name.append(name)
        self._what.append(what)

    def note_lambda(self, path: str, span: Span, around: Span) -> None:
        """Note that the call at ``span`` of a file is in the lambda at ``around``."""
        self._in_lambdas[path, span] = around

    def note_uses(self, path: str, names: Iterable[str]) -> None:
        """Note the names that a file reads and does not call."""
        for name in names:
            self._uses.setdefault(name, []).append(path)

    def finish(self, names: Sequence[str], resolved: Sequence[Resolved]) -> None:
        """Turn the graph round: no call is added any more."""
        self._names, self._resolved = list(names), list(resolved)
        defined = {item.name for item in self._functions}
        self._uses = {name: self._uses[name] for name in defined & self._uses.keys()}
        calling: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
        declared: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
        for call, what in enumerate(self._what):
            for function in self._resolved[what].functions:
                calling[function].append(call)
            for function in self._resolved[what].declared:
                declared[function].append(call)
        self._by_callee, self._by_declared = dict(calling), dict(declared)
        unknown: defaultdict[str, array[int]] = defaultdict(lambda: array("i"))
        for call, what in enumerate(self._what):
            if self._resolved[what].kind == "unknown":
                unknown[self._names[self._name[call]]].append(call)
        self._unknown = dict(unknown)
        order = sorted(range(len(self._caller)), key=self._caller.__getitem__)
        self._by_caller = array("i", order)
        first = [0] * (len(self._functions) + 1)
        for caller in self._caller:
            first[caller + 1] += 1
        for index in range(len(self._functions)):
            first[index + 1] += first[index]
        self._first = array("i", first)

    # --------------------------------------------------------------------------------- questions
    def functions(self) -> Sequence[FunctionPlace]:
        """Return all functions, and of each file the code outside of them."""
        return self._functions

    def files_using(self, name: str) -> Sequence[str]:
        """Return the files that read a name of a function, and do not call it: most have none."""
        return self._uses.get(name, ())

    def number_of(self, path: str, start: int) -> int | None:
        """Return the number of the function whose ``def`` begins at ``start`` of ``path``."""
        return self._numbers.get((path, start))

    def function_at(self, path: str, start: int) -> FunctionPlace | None:
        """Return the function whose ``def`` begins at ``start`` of ``path``."""
        number = self._numbers.get((path, start))
        return None if number is None else self._functions[number]

    def place_of(self, module: Module, function: Function | None) -> FunctionPlace:
        """Return a function of a file, or without one the code outside of all functions.

        Raises KeyError for a file that is not of the program.
        """
        start = -1 if function is None else module.span(function).start
        return self._functions[self._numbers[module.path, start]]

    def place_around(self, module: Module, node: ast.AST) -> FunctionPlace:
        """Return the function in which a node of a file runs. Raises as ``place_of`` does."""
        return self.place_of(module, function_around(module, node))

    def run_by(self, module: Module, call: ast.AST) -> Iterator[FunctionPlace]:
        """Yield the functions that a call of a file runs."""
        for each in self.calls_at(self.place_around(module, call), module.span(call)):
            yield from each.functions

    def calls(self) -> Iterator[Call]:
        """Yield all calls, as they were resolved while the files were read."""
        for row, what in enumerate(self._what):
            yield self._resolved_as(row, self._resolved[what])

    @cached_property
    def _by_path(self) -> Mapping[str, list[int]]:
        rows = range(len(self._caller))
        return groups_of(rows, lambda row: self._functions[self._caller[row]].path)

    def calls_in(self, path: str) -> Iterator[Call]:
        """Yield the calls of one file, as they were resolved while the files were read."""
        for row in self._by_path.get(path, ()):
            yield self._resolved_as(row, self._resolved[self._what[row]])

    def lambda_around(self, call: Call) -> Place | None:
        """Return the lambda around a call, or None."""
        span = self._in_lambdas.get((call.place.path, call.place.span))
        return None if span is None else Place(call.place.path, span)

    def callers(self, function: FunctionPlace) -> list[Call]:
        """Return the visible calls that may reach ``function``, or that declare it."""
        number = self._numbers.get((function.path, function.start))
        if number is None:
            return []
        rows = {*self._by_callee.get(number, ()), *self._by_declared.get(number, ())}
        for row in self._unknown.get(function.name, ()):
            resolution = self._resolution(row)
            if number in resolution.functions or number in resolution.declared:
                rows.add(row)
            else:
                rows.discard(row)
        return [self._call(row) for row in sorted(rows)]

    def callees(self, function: FunctionPlace) -> list[Call]:
        """Return the calls inside ``function``."""
        number = self._numbers.get((function.path, function.start))
        return [] if number is None else [self._call(row) for row in self._rows(number)]

    def calls_at(self, function: FunctionPlace, span: Span) -> list[Call]:
        """Return those of the calls in ``function`` that take exactly ``span``."""
        number = self._numbers.get((function.path, function.start))
        rows = () if number is None else self._rows(number)
        at = (row for row in rows if (self._start[row], self._end[row]) == (span.start, span.end))
        return [self._call(row) for row in at]

    def reaching(self, functions: Iterable[FunctionPlace]) -> list[FunctionPlace]:
        """Return ``functions`` and all that call one of them, over any number of calls."""
        callers = reachable(
            self._known_items(functions),
            lambda callee: [self._caller[row] for row in self._by_callee.get(callee, ())],
        )
        return [self._functions[number] for number in sorted(callers)]

    def reachable(self, functions: Iterable[FunctionPlace]) -> list[FunctionPlace]:
        """Return ``functions`` and all that one of them calls, over any number of calls."""
        called = reachable(self._known_items(functions), self._called_items)
        return [self._functions[number] for number in sorted(called)]

    def resolved_by_callers(self, call: Call) -> Call:
        """Return ``call``; one that was not resolved, as far as its callers tell."""
        if call.kind != "unknown":
            return call
        setting = self._asked_again(call.place)
        functions = tuple(self._functions[number] for number in setting.functions)
        return call._replace(kind=setting.kind, functions=functions, why=setting.why)

    def unresolved_calls(self, names: Iterable[str]) -> list[Call]:
        """Return the calls by one of ``names`` of which it is not known what they reach."""
        rows = {row for name in frozenset(names) for row in self._unknown.get(name, ())}
        return [self._call(row) for row in sorted(rows) if self._resolution(row).kind == "unknown"]

    # -------------------------------------------------------------------------------------- parts
    def _known_items(self, functions: Iterable[FunctionPlace]) -> list[int]:
        result = (self._numbers.get((function.path, function.start)) for function in functions)
        return sorted({number for number in result if number is not None})

    def _rows(self, number: int) -> Sequence[int]:
        return self._by_caller[self._first[number] : self._first[number + 1]]

    def _called_items(self, number: int) -> Iterator[int]:
        for row in self._rows(number):
            yield from self._resolved[self._what[row]].functions

    def _place(self, row: int) -> Place:
        path = self._functions[self._caller[row]].path
        return Place(path, Span(self._start[row], self._end[row]))

    def _resolution(self, row: int) -> Resolved:
        """Return what a call reaches, as far as its callers tell."""
        setting = self._resolved[self._what[row]]
        return self._asked_again(self._place(row)) if setting.kind == "unknown" else setting

    @cached_method
    def _asked_again(self, place: Place) -> Resolved:
        return self._again(place)

    def _call(self, row: int) -> Call:
        return self._resolved_as(row, self._resolution(row))

    def _resolved_as(self, row: int, what: Resolved) -> Call:
        return Call(
            self._place(row),
            self._functions[self._caller[row]],
            self._names[self._name[row]],
            what.kind,
            tuple(self._functions[number] for number in what.functions),
            what.why,
        )
