"""Functions that are passed on: lambdas among them, annotations, and calls in threads."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.own_loops import OwnLoops
from awaken.codemods.sqlalchemy.session_to_async.boundaries.tasks import Schedulers, is_sent
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import asynchronous
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import is_told_to_mock
from awaken.codemods.sqlalchemy.session_to_async.expressions.functions_of_lambdas import (
    function_of_lambda,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_ON
from awaken.contract import Edit, Place, Span
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module, release_imports
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.passed.components import Component
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_CALLABLES = {"collections.abc.Callable", "typing.Callable"}


class Callables:
    """Rewrites what surrounds coloured functions that are passed on."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._part = part
        self._project: Project = part.project
        self._rule = rule
        self._taken: dict[Place, set[str]] = {}

    def members(self) -> Iterator[Member]:
        """Yield the rewrites of lambdas, annotations, and calls that run functions in threads."""
        lambdas = {
            place: component
            for component in self._part.escaping_components
            for place in component.lambdas
            if not self._part.leaks(component) and not self._part.stand_ins.replaced_at(place)
        }
        for place in sorted({*lambdas, *self._part.in_lambdas, *self._part.awaiting_lambdas}):
            yield from self._of_lambda(place, lambdas.get(place))
        for place in sorted(
            {thread for found in self._part.escaping_components for thread in found.threads}
        ):
            for site in self._sites(place):
                yield member(site, f"`{site.module.excerpt(site.node)}`", self._called_rewrite)
        for site in self._annotations():
            yield member(site, f"`{site.module.excerpt(site.node)}`", self._annotated_rewrite)

    def _sites(self, place: Place) -> Iterator[Site[ast.AST]]:
        for module, node in self._project.calls_at(place)[:1]:
            yield Site(self._rule, module, node)

    # --------------------------------------------------------------------------------- lambdas
    def _of_lambda(self, place: Place, component: Component | None) -> Iterator[Member]:
        module, node = next(self._project.expressions_at(place), (None, None))
        if module is None or node is None:
            return
        awaited = [call.place for call in self._part.in_lambdas.get(place, ())]
        awaited += self._part.awaiting_lambdas.get(place, ())
        calls = [call for each in awaited for call in module.calls_at(each.span)]
        site: Site[ast.AST] = Site(self._rule, module, node)
        shown = f"`{module.excerpt(node)}`"
        if component is None:
            leaks = self._project.calls.passed_functions().of_lambda(place).leaks
            because = tuple(sorted(leaks))[:1]
            yield Member(site, Refused(reasons.NOT_AWAITABLE_HERE, "a lambda", "", because), shown)
            return
        is_called = place not in self._part.awaiting_lambdas
        is_returned = is_called and isinstance(node, ast.Lambda) and node.body in calls
        is_awaited = not component.absorbed and not component.threads
        if not is_returned or not is_awaited or len(calls) > 1:
            yield member(site, shown, self._defined_rewrite, calls)

    def _defined_rewrite(self, site: Site[ast.AST], calls: list[ast.Call]) -> Rewrite:
        """Return how a lambda is written as a coroutine function. Raises Refused."""
        module, node = site.module, site.node
        if not isinstance(node, ast.expr):
            raise Refused(reasons.NOT_AWAITABLE_HERE, "a lambda")
        if isinstance(node, ast.Call) and self._project.mocks.is_made(module, node):
            message = f"`{module.excerpt(node)}` is awaited, like what else is passed there"
            edits = asynchronous(self._project, site, node)
            return Rewrite(message, [*edits, *release_imports(site, node.func)])
        above = module.parent(node)
        name = above.arg if isinstance(above, ast.keyword) else None
        wanted = ["callback"] if name is None else [name.strip("_"), "callback"]
        around = module.enclosing_function(node) or module.tree
        taken = self._taken.setdefault(module.place(around), set())
        edits = function_of_lambda(site, node, taken, *wanted, awaited=calls)
        shown = module.excerpt(node)
        caveat = f"code that compares or inspects `{shown}` gets a named function instead"
        message = f"`{shown}` becomes a coroutine function, like the others that are passed there"
        return Rewrite(message, edits, [] if isinstance(node, ast.Lambda) else [caveat])

    # --------------------------------------------------------------------------------- threads
    def _called_rewrite(self, site: Site[ast.AST]) -> Rewrite:
        """Return how a coroutine is awaited that ran in a thread. Raises Refused."""
        module = site.module
        session = self._session(module, site.node)
        moved = moved_out_of_thread(module, site.node, session)
        edits: list[Edit] = [site.write(span, text) for span, text in moved.replaced]
        edits += release_imports(site, moved.runner)
        shown = module.excerpt(moved.function)
        caveat = f"`{shown}` runs on the event loop, and other blocking calls in it block the loop"
        if session:
            return Rewrite(f"`{shown}` gets the session itself, and is awaited", edits)
        return Rewrite(f"`{shown}` is awaited, and no longer runs in a thread", edits, [caveat])

    def _session(self, module: Module, call: ast.AST) -> str:
        """Return the session whose `run_sync` a call is, as it is written; empty for threads."""
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr="run_sync")
            ):
                proof = self._project.orm.session_of(module, owner)
                return module.text_of(owner) if isinstance(proof, SessionProof) else ""
        return ""

    # ----------------------------------------------------------------------------- annotations
    def _annotations(self) -> Iterator[Site[ast.AST]]:
        """Yield the types of what the functions are passed on as, each once."""
        sites: dict[Place, Site[ast.AST]] = {}
        for component in self._part.escaping_components:
            if self._part.leaks(component) or not self._is_of_coroutines(component):
                continue
            for place in sorted(component.annotations):
                types = (self._types(*pair) for pair in self._project.expressions_at(place))
                for home, part in chain.from_iterable(types):
                    sites.setdefault(home.place(part), Site(self._rule, home, part))
        yield from (sites[place] for place in sorted(sites))

    def _is_of_coroutines(self, component: Component) -> bool:
        nodes = [self._part.node_of(function) for function in component.functions]
        return not any(pair is not None and pair[0].is_generator(pair[1]) for pair in nodes)

    def _types(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        """Yield the return type of each ``Callable`` in an annotation, also through its name."""
        match node:
            case ast.Subscript(value=value, slice=ast.Tuple(elts=[_, returned])) if (
                self._project.qualified_name(module, value) in _CALLABLES
            ):
                yield module, returned
            case ast.Subscript(slice=ast.Tuple(elts=parts)):
                for part in parts:
                    yield from self._types(module, part)
            case ast.Subscript(slice=inner):
                yield from self._types(module, inner)
            case ast.BinOp(left=left, right=right):
                yield from self._types(module, left)
                yield from self._types(module, right)
            case ast.Name() | ast.Attribute():
                alias = self._alias(module, node)
                if alias is not None:
                    yield from self._types(*alias)

    def _alias(self, module: Module, node: ast.expr) -> tuple[Module, ast.expr] | None:
        """Return the type that a name is an alias of."""
        return self._project.value_at(self._project.qualified_name(module, node))

    def _annotated_rewrite(self, site: Site[ast.AST]) -> Rewrite:
        """Return how the type of a coroutine function is written. Raises Refused."""
        name, imports = name_from_same_module(
            self._project, site, None, "collections.abc.Awaitable"
        )
        insertions = Insertions(site.module)
        insertions.wrap(site.node, f"{name}[", "]")
        edits = [*insertions.edits(site), *imports]
        return Rewrite(
            f"the result of a call that returned `{site.module.excerpt(site.node)}` is awaited",
            edits,
        )


def refused_uses(
    part: SynchronousPart, schedulers: Schedulers, own_loops: OwnLoops
) -> dict[FunctionPlace, Refused]:
    """Return the functions that are passed to something that may not await them, with the place."""
    passed = part.project.calls.passed_functions()
    refusals: dict[FunctionPlace, Refused] = {}
    for function in part.steps:
        components = passed.components_of(function)
        leaks = chain.from_iterable(part.leaks(each).items() for each in components)
        for place, leak in leaks:
            if schedulers.runs(place) or is_sent(part, function, place):
                continue
            if is_told_to_mock(part, place):
                continue
            help_text = f"{leak[:1].upper()}{leak[1:]}. {reasons.HANDED_ON.help}"
            why = Refused(reasons.HANDED_ON, function.qualname, help_text, because=(place,))
            refusals[function] = own_loops.with_option(why, function)
            break
    return refusals


_OF_THREADS = {"abandon_on_cancel", "cancellable", "limiter"}


class Moved(NamedTuple):
    """A ``function`` that no longer runs in the thread of ``runner``.

    Each span of ``replaced`` becomes the text next to it: ``function(*arguments)``.
    """

    runner: ast.expr
    function: ast.expr
    replaced: Sequence[tuple[Span, str]]


def moved_out_of_thread(module: Module, call: ast.AST, session: str = "") -> Moved:
    """Return the function that ``call`` runs in a thread, and how it is called in its place.

    The function is given ``session``, as it is written, before its arguments. Raises Refused where
    no coroutine waits for the call.
    """
    around = module.enclosing_function(call)
    if not isinstance(call, ast.Call) or not isinstance(around, ast.AsyncFunctionDef):
        raise Refused(HANDED_ON, module.excerpt(call))
    is_executor = isinstance(call.func, ast.Attribute) and call.func.attr == "run_in_executor"
    function, *rest = call.args[1:] if is_executor else call.args
    is_named = isinstance(function, ast.Name | ast.Attribute)
    own = {node.arg for node in call.keywords} & _OF_THREADS
    if not is_named or own:
        raise Refused(HANDED_ON, module.excerpt(function))
    span, inner = module.span(call), module.span(function)
    behind = [*rest, *(keyword for keyword in call.keywords)]
    end = min((module.span(node).start for node in behind), default=span.end - 1)
    if call.keywords and not rest and call.keywords[0].arg is None:
        end -= len("**")
    # Aligned arguments stay aligned.
    before = module.source.text[module.span(call.func).end : inner.start].decode()
    opening = before if behind and not is_executor and before.strip() == "(" else "("
    if session:
        opening += f"{session}, " if behind else session
    replaced = [(Span(span.start, inner.start), ""), (Span(inner.end, end), opening)]
    return Moved(call.func, function, replaced)
