"""The control flow of one function, as far as its local names are concerned.

A graph of points; each may hold one event: a local name is read, or given a value. Where the path
of a program is unknown, the graph has every path: any point of a ``try`` or ``with`` may raise, a
context manager may swallow that, and one copy of a ``finally`` serves all paths through it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from awaken.project.source.bindings import Scope
from awaken.project.source.trees import FunctionOrLambda, children, parameters_of

_Work = ast.AST | Callable[[], object]
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_JUMPS = ("break", "continue", "return", "raise")


def parts_of(function: FunctionOrLambda) -> list[ast.AST]:
    """Return what runs when a function is called: its parameters get values, then its body runs."""
    body = function.body if isinstance(function.body, list) else [function.body]
    return [*(parameter for parameter, _ in parameters_of(function.args)), *body]


class ControlGraph:
    """The points of some parts: ``events[p]`` is the node of point ``p``, ``after[p]`` follow it.

    Point 0 is the entry. Events are ``ast.Name`` nodes, and for names that are bound otherwise the
    nodes that bind them (``Binding.node``); an ``ast.ExceptHandler`` occurs twice, the second time
    in ``unbound``, where its name is deleted. ``names`` gives each event's name.
    """

    def __init__(self, parts: Sequence[ast.AST], scope: Scope) -> None:
        self.events: list[ast.AST | None] = []
        self.after: list[list[int]] = []
        self.names: dict[ast.AST, str] = {}
        self.unbound: set[int] = set()
        self._scope = scope
        self._hidden: list[set[str]] = []
        self._here: int | None = None
        self._jumps: dict[str, int | None] = dict.fromkeys(_JUMPS)
        self._taken: set[tuple[int | None, str]] = set()
        self._point(None)
        self._walk(parts)

    # -------------------------------------------------------------------------------- points
    def _point(self, event: ast.AST | None) -> int:
        point = len(self.events)
        self.events.append(event)
        self.after.append([])
        if self._here is not None:
            self.after[self._here].append(point)
        self._here = point
        # Anything may raise: a name may be unbound, a property may run code.
        self._leave("raise", stays=True)
        return point

    def _number_apart(self) -> int:
        """Return a new point that nothing leads to yet."""
        self.events.append(None)
        self.after.append([])
        return len(self.events) - 1

    def _lead(self, start: int | None, end: int | None) -> None:
        if start is not None and end is not None:
            self.after[start].append(end)

    def _leave(self, way: str, *, stays: bool = False) -> None:
        """Lead to where ``return``, ``break`` and the like go."""
        self._lead(self._here, self._jumps[way])
        self._taken.add((self._jumps[way], way))
        if not stays:
            self._here = None

    def _join(self, *points: int | None) -> None:
        alive = list(dict.fromkeys(point for point in points if point is not None))
        self._here = alive[0] if len(alive) == 1 else None
        if len(alive) > 1:
            # Several ways go on from one point, so that what follows is not copied.
            joined = self._number_apart()
            for point in alive:
                self._lead(point, joined)
            self._go(joined)

    def _go(self, point: int | None) -> None:
        """Go on from ``point``, which may raise like any other."""
        self._here = point
        if point is not None:
            self._leave("raise", stays=True)

    def _event(self, node: ast.AST, name: str) -> None:
        name = self._scope.mangled_name(name)
        # Inside a comprehension a variable of the same name is another one.
        if name in self._scope.bindings and not any(name in hidden for hidden in self._hidden):
            self.names[node] = name
            self._point(node)

    def _forget(self, handler: ast.ExceptHandler) -> None:
        if handler.name is not None and self._here is not None:
            self._event(handler, handler.name)
            # Python deletes the name of the exception when its handler ends.
            self.unbound.add(len(self.events) - 1)

    # --------------------------------------------------------------------------------- walking
    def _walk(self, nodes: Sequence[ast.AST]) -> None:
        """Add what ``nodes`` do, one after the other; without recursion, for trees can be deep."""
        stack: list[_Work] = list(reversed(nodes))
        while stack:
            work = stack.pop()
            if isinstance(work, ast.AST):
                stack.extend(reversed(list(self._parts(work))))
            else:
                work()

    def _parts(self, node: ast.AST) -> Iterator[_Work]:
        special = self.special.get(type(node))
        return iter(children(node)) if special is None else special(self, node)

    def _effect(self, node: ast.AST) -> Iterable[_Work]:
        """Return what notes that ``node`` runs code of its value here, between its parts."""
        del node
        return ()

    def _name(self, node: ast.Name) -> Iterator[_Work]:
        yield lambda: self._event(node, node.id)

    def _parameter(self, node: ast.arg) -> Iterator[_Work]:
        yield lambda: self._event(node, node.arg)

    def _assign(self, node: ast.Assign) -> Iterator[_Work]:
        # Python evaluates the value before it stores into the targets.
        yield node.value
        yield from node.targets

    def _annotated_work(self, node: ast.AnnAssign) -> Iterator[_Work]:
        if node.value is not None:
            yield node.value
            yield node.target
        elif not isinstance(node.target, ast.Name):
            yield node.target

    def _augmented_work(self, node: ast.AugAssign) -> Iterator[_Work]:
        # The same node reads the name as well: its reaching definitions are asked for at this
        # point.
        yield node.value
        yield node.target

    def _walrus(self, node: ast.NamedExpr) -> Iterator[_Work]:
        yield node.value
        hidden = self._hidden

        # A walrus in a comprehension binds the variable of the function around it.
        def leak() -> None:
            self._hidden = []

        def stay() -> None:
            self._hidden = hidden

        yield from (leak, node.target, stay)

    def _binds(self, node: ast.AST) -> Iterator[_Work]:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        yield from children(node)
        if name is not None:
            yield lambda: self._event(node, name)

    def _alias(self, node: ast.alias) -> Iterator[_Work]:
        name = node.asname or node.name.partition(".")[0]
        yield lambda: self._event(node, name)

    def _definition(self, node: ast.AST) -> Iterator[_Work]:
        """A body that runs at another time is left out; its reads are no events of this graph."""
        if isinstance(node, ast.ClassDef):
            yield from (*node.decorator_list, *node.bases, *node.keywords)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from getattr(node, "decorator_list", ())
            for parameter, default in parameters_of(node.args):
                yield from (part for part in (parameter.annotation, default) if part is not None)
            if getattr(node, "returns", None) is not None:
                yield node.returns  # type: ignore[union-attr,misc]
        name = getattr(node, "name", None)
        if name is not None:
            yield lambda: self._event(node, name)

    # ------------------------------------------------------------------- parts of expressions
    def _maybe(self, node: ast.AST, parts: Sequence[ast.AST]) -> Iterator[_Work]:
        """Yield the first of ``parts``, and the others as what may be skipped from there on."""
        skipped: list[int | None] = []
        for part in parts[:1]:
            yield part
        for part in parts[1:]:
            yield lambda: skipped.append(self._here)
            yield from self._effect(node)
            yield part
        yield lambda: self._join(*skipped, self._here)

    def _boolean(self, node: ast.BoolOp) -> Iterator[_Work]:
        return self._maybe(node, node.values)

    def _compare(self, node: ast.Compare) -> Iterator[_Work]:
        # ``a < b < c`` does not evaluate `c` if ``a < b`` is false.
        yield node.left
        yield from self._maybe(node, node.comparators)

    def _choice(self, node: ast.IfExp) -> Iterator[_Work]:
        return self._either(node, [node.body], [node.orelse])

    def _either(
        self, node: ast.If | ast.IfExp, first: Sequence[ast.AST], second: Sequence[ast.AST]
    ) -> Iterator[_Work]:
        start: list[int | None] = []
        end: list[int | None] = []

        def turn() -> None:
            end.append(self._here)
            self._here = start[0]

        yield node.test
        yield from self._effect(node)
        yield lambda: start.append(self._here)
        yield from first
        yield turn
        yield from second
        yield lambda: self._join(*end, self._here)

    def _comprehension(self, node: ast.expr) -> Iterator[_Work]:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        # Evaluated outside, where the comprehension's own names mean something else.
        yield generators[0].iter
        if isinstance(node, ast.GeneratorExp):
            return  # the rest runs at another time
        targets = [part for generator in generators for part in ast.walk(generator.target)]
        hidden = {target.id for target in targets if isinstance(target, ast.Name)}
        head: list[int] = []

        def begin() -> None:
            self._hidden = [*self._hidden, hidden]
            head.append(self._point(None))

        def end() -> None:
            self._hidden = self._hidden[:-1]
            self._lead(self._here, head[0])
            self._join(head[0], self._here)

        yield begin
        for number, generator in enumerate(generators):
            if number:
                yield generator.iter
            yield from self._effect(generator.iter)
            yield generator.target
            for condition in generator.ifs:
                yield condition
                yield lambda: self._lead(self._here, head[0])
        yield from [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]
        yield end

    # -------------------------------------------------------------------------------- branches
    def _if(self, node: ast.If) -> Iterator[_Work]:
        return self._either(node, node.body, node.orelse)

    def _match(self, node: ast.Match) -> Iterator[_Work]:
        ends: list[int | None] = []
        missed: list[int | None] = []

        def next_case() -> None:
            self._join(*missed)

        def end_case() -> None:
            ends.append(self._here)

        yield node.subject
        yield lambda: missed.append(self._here)
        for case in node.cases:
            yield next_case
            yield from self._effect(node.subject)
            yield case.pattern
            # A pattern that fails may have bound a part of its names already.
            yield lambda: missed.append(self._here)
            if case.guard is not None:
                yield case.guard
                yield lambda: missed.append(self._here)
            yield from case.body
            yield end_case
        yield lambda: self._join(*ends, *missed)

    # ----------------------------------------------------------------------------------- loops
    def _loop(
        self, node: ast.While | ast.For | ast.AsyncFor, start: Sequence[_Work], *, ends: bool
    ) -> Iterator[_Work]:
        """Yield a loop that evaluates ``start`` in every round; ``ends`` if it can by itself."""
        head: list[int] = []
        done: list[int] = []
        outer = dict(self._jumps)
        tested: list[int | None] = []
        is_for = not isinstance(node, ast.While)

        def begin() -> None:
            head.append(self._point(None))
            done.append(self._number_apart())
            self._jumps = {**self._jumps, "break": done[0], "continue": head[0]}
            if is_for:
                tested.append(self._here)

        def test() -> None:
            if not is_for:
                # ``while True`` is left by `break` alone, never by its test.
                tested.append(self._here if ends else None)

        def visit_again() -> None:
            self._leave("continue")
            # A `break` in the `else` of a loop leaves the loop around it.
            self._jumps = {**self._jumps, "break": outer["break"], "continue": outer["continue"]}
            self._here = tested[0]

        def end() -> None:
            self._lead(self._here, done[0])
            self._go(done[0])

        yield begin
        yield from start
        yield test
        yield from node.body
        yield visit_again
        yield from node.orelse
        yield end

    def _while(self, node: ast.While) -> Iterator[_Work]:
        forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
        return self._loop(node, [node.test], ends=not forever)

    def _work_for(self, node: ast.For | ast.AsyncFor) -> Iterator[_Work]:
        yield node.iter
        yield from self._loop(node, [*self._effect(node.iter), node.target], ends=True)

    # ----------------------------------------------------------------------------------- exits
    def _jump(self, node: ast.AST) -> Iterator[_Work]:
        yield from children(node)
        yield lambda: self._leave(type(node).__name__.lower())

    def _work_with(self, node: ast.With | ast.AsyncWith) -> Iterator[_Work]:
        outer: list[int | None] = []
        swallowed: list[int] = []

        def enter() -> None:
            outer.append(self._jumps["raise"])
            swallowed.append(self._number_apart())
            self._lead(swallowed[0], outer[0])
            self._taken.add((outer[0], "raise"))
            self._jumps = {**self._jumps, "raise": swallowed[0]}
            self._point(None)

        def leave() -> None:
            self._jumps = {**self._jumps, "raise": outer[0]}
            self._join(self._here, swallowed[0])

        # The first manager may swallow what entering the second raises.
        first, *others = node.items
        yield first.context_expr
        yield enter
        yield from self._effect(first.context_expr)
        if first.optional_vars is not None:
            yield first.optional_vars
        for item in others:
            yield item.context_expr
            yield from self._effect(item.context_expr)
            if item.optional_vars is not None:
                yield item.optional_vars
        yield from node.body
        yield leave

    def _try(  # noqa: C901  one step each for body, handlers, else and finally
        self, node: ast.Try | ast.TryStar
    ) -> Iterator[_Work]:
        outer: dict[str, int | None] = {}
        final: list[int] = []
        caught: list[int] = []
        ends: list[int | None] = []

        def enter() -> None:
            outer.update(self._jumps)
            if node.finalbody:
                final.append(self._number_apart())
                self._jumps = dict.fromkeys(_JUMPS, final[0])
            caught.append(self._number_apart())
            # No handler may fit: then the exception goes on outwards.
            self._lead(caught[0], self._jumps["raise"])
            self._taken.add((self._jumps["raise"], "raise"))
            self._jumps = {**self._jumps, "raise": caught[0]}
            self._point(None)

        def outside_of_try() -> None:
            self._jumps = {**self._jumps, "raise": final[0] if final else outer["raise"]}
            self._leave("raise", stays=True)

        def handle() -> None:
            ends.append(self._here)
            self._go(caught[0])

        def end() -> None:
            self._join(*ends, self._here)
            self._jumps = dict(outer)
            if final:
                self._lead(self._here, final[0])
                ends[:] = [self._here]
                self._go(final[0])

        def go_on() -> None:
            for way in _JUMPS if final else ():
                # Out of `finally` lead only the ways on which it was entered.
                if (final[0], way) in self._taken:
                    self._leave(way, stays=True)
            # Nobody came to `finally` but on a way out: the end is not reached.
            if final and ends[0] is None:
                self._here = None

        yield enter
        yield from node.body
        yield outside_of_try
        yield from node.orelse
        for handler in node.handlers:
            yield handle
            yield from self._handler(handler)
        yield end
        yield from node.finalbody
        yield go_on

    def _handler(self, node: ast.ExceptHandler) -> Iterator[_Work]:
        if node.type is not None:
            yield node.type
        if node.name is not None:
            name = node.name
            yield lambda: self._event(node, name)
        yield from node.body
        yield lambda: self._forget(node)

    special: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Iterator[_Work]]]] = {
        ast.Name: _name,
        ast.arg: _parameter,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated_work,
        ast.AugAssign: _augmented_work,
        ast.NamedExpr: _walrus,
        ast.alias: _alias,
        ast.BoolOp: _boolean,
        ast.Compare: _compare,
        ast.IfExp: _choice,
        ast.If: _if,
        ast.Match: _match,
        ast.While: _while,
        ast.With: _work_with,
        ast.AsyncWith: _work_with,
        ast.Try: _try,
        ast.TryStar: _try,
        **dict.fromkeys((ast.For, ast.AsyncFor), _work_for),
        **dict.fromkeys(_COMPREHENSIONS, _comprehension),
        **dict.fromkeys((ast.MatchAs, ast.MatchStar, ast.MatchMapping), _binds),
        **dict.fromkeys((ast.Break, ast.Continue, ast.Return, ast.Raise), _jump),
        **dict.fromkeys(
            (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda), _definition
        ),
    }
