"""Decorators, wrappers and managers of functions that become coroutine functions."""

from __future__ import annotations

import ast
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import MANAGER
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import (
    PartFacts,
    SynchronousPart,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_twin
from awaken.contract import Edit
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.decorators import AWAITING
from awaken.knowledge.library_names import name_list
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.functions.wrapping import Wrapping
from awaken.project.source.f_strings import has_long_text
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter, last_name, without_arguments
from awaken.project.values.domain import Producer, functions_in

if TYPE_CHECKING:
    pass

_REMEMBERING = name_list("remembering_decorators")


class Decorators(PartFacts):
    """Says which decorators do the same for coroutine functions, and rewrites those that do not."""

    def hands_through(self, module: Module, function: Function, decorator: ast.expr) -> bool:
        """Whether a decorator of ``function`` does the same for it as a coroutine function."""
        calls, plain = self._project.calls, without_arguments(decorator)
        is_manager = self._project.qualified_name(module, plain) == MANAGER
        # A command is what a wrapper below it makes of the function, and that runs it.
        is_command = self._part.entry_points.is_command(module, decorator)
        if is_manager or is_command or "both" in calls.decorator_effects(module, decorator):
            return True
        wrapping = calls.wrapping_by(module, decorator)
        return wrapping is not None and (wrapping.is_same or not module.is_generator(function))

    def remembers_uncalled(self, module: Module, function: Function, decorator: ast.expr) -> bool:
        """Whether a decorator keeps the results of a function that no code can call."""
        if not self._remembers(module, decorator):
            return False
        callers = self._project.calls.callers_of(module, function)
        return callers.complete and not callers.sites

    def _remembers(self, module: Module, decorator: ast.expr) -> bool:
        return self._project.qualified_name(module, without_arguments(decorator)) in _REMEMBERING

    def caveats(self, module: Module, function: Function) -> list[str]:
        """Return what may change where a decorator keeps the coroutine of a function."""
        why = f"would keep the coroutine of `{function.name}`, which can be awaited only once"
        return [
            f"nothing calls it, and `{module.excerpt(decorator)}` {why}"
            for decorator in function.decorator_list
            if self._remembers(module, decorator)
        ]

    def registers(self, module: Module, decorator: ast.expr) -> bool:
        """Whether a decorator makes a function an endpoint or a handler of an application."""
        return self._project.calls.decorator_effects(module, decorator) >= AWAITING

    # -------------------------------------------------------------------------------- wrappers
    def members(self, rule: str) -> Iterator[Member]:
        """Yield the rewrites of wrappers around functions that become coroutine functions."""
        for (qualified, called), functions in sorted(self._wrapping_names.items()):
            wrapping = self._project.calls.wrapping(qualified, called=called)
            if wrapping is None or wrapping.wrapper is None:
                continue
            wrapper = self._part.place_of(wrapping.module, wrapping.wrapper)
            # One that waits itself is written with all that waits in it.
            if wrapper in self._part.entry_points.wrapped or wrapper in self._part.steps:
                continue
            site: Site[ast.AST] = Site(rule, wrapping.module, wrapping.wrapper)
            shown = f"`{wrapping.module.qualname(wrapping.wrapper)}`"
            decided = member(site, shown, self._rewritten, wrapping, qualified)
            along = tuple(function.place for function in sorted(functions))
            yield structs.replace(decided, along=along)

    @cached_property
    def _wrapping_names(self) -> dict[tuple[str, bool], set[FunctionPlace]]:
        """The decorators that the program defines, and whether called, with coloured functions."""
        functions: dict[tuple[str, bool], set[FunctionPlace]] = defaultdict(set)
        for function in self._part.steps:
            module, node = self._part.node_of(function) or (None, None)
            for decorator in node.decorator_list if node is not None else ():
                if module and self._project.calls.wrapping_by(module, decorator) is not None:
                    name = self._project.qualified_name(module, without_arguments(decorator))
                    functions[name or "", isinstance(decorator, ast.Call)].add(function)
        return functions

    def _rewritten(self, site: Site[ast.AST], wrapping: Wrapping, qualified: str) -> Rewrite:
        """Return the rewrite of a wrapper. Raises Refused."""
        module, wrapper, shown = wrapping.module, wrapping.wrapper, qualified.rpartition(".")[2]
        if wrapper is None or not wrapping.calls:
            raise Refused(reasons.DECORATED, shown)
        if self._decorates_only_coloured(qualified):
            insertions = Insertions(module)
            insertions.insert_before(wrapper, "async ")
            awaiting = Awaiting(module, insertions)
            for call in wrapping.calls:
                awaiting.awaits(call)
            awaiting.finish()
            edits = list(awaiting.edits(site))
            message = (
                f"`{wrapper.name}` becomes a coroutine function, because it calls the function "
                f"that `{shown}` decorates"
            )
            return Rewrite(message, [*edits, *insertions.edits(site)])
        asking, imports = self._asking(site)
        code = _coroutine_wrapper(wrapping, wrapper, asking)
        inserted = site.insert_statements(module.place(wrapper), "before", code)
        message = f"`{shown}` gets a second wrapper, for coroutine functions"
        return Rewrite(message, [inserted, *imports])

    def _asking(self, site: Site[ast.AST]) -> tuple[str, list[Edit]]:
        """Return how to ask for coroutine functions, and what imports it. Raises Refused."""
        match [binding.node for binding in site.module.scopes.module.bindings.get("inspect", [])]:
            case [ast.alias(name="inspect", asname=None)]:
                return "inspect.iscoroutinefunction", []
        return name_from_same_module(self._project, site, None, "inspect.iscoroutinefunction")

    def _decorates_only_coloured(self, qualified: str) -> bool:
        """Whether all visible uses of a decorator are on functions that become coroutines."""
        part = self._part
        if self._project.published:
            return False
        decorated = self._project.calls.decorated_by(qualified)
        return decorated is not None and all(
            part.ends_as_coroutine(part.place_of(*pair)) for pair in decorated
        )


def _coroutine_wrapper(wrapping: Wrapping, wrapper: ast.FunctionDef, asking: str) -> str:
    """Return the code of a wrapper for coroutine functions, made of the one for plain ones.

    Raises Refused where its text cannot be indented differently.
    """
    module = wrapping.module
    insertions = Insertions(module)
    awaiting = Awaiting(module, insertions)
    for call in wrapping.calls:
        awaiting.awaits(call)
    awaiting.finish()
    name = module.scopes.fresh_name(f"async_{wrapper.name.lstrip('_')}")
    start, end = module.span(wrapper).start, module.span(wrapper).end
    first = min([start, *(module.span(node).start - 1 for node in wrapper.decorator_list)])
    is_laid_out = has_long_text(wrapper)
    returned = [
        node
        for node in module.returned_by(wrapping.decorator)
        if any(isinstance(x, ast.Name) and x.id == wrapper.name for x in ast.walk(node))
    ]
    if is_laid_out or awaiting.is_laid_out or len(returned) != 1:
        raise Refused(reasons.DECORATED, wrapping.decorator.name)
    pieces = {start: [f"async def {name}"], **insertions.at_places()}
    after_name = start + len(b"def ") + len(wrapper.name.encode())
    text = b""
    position = first
    for place in sorted(pieces):
        text += module.source.text[position:place] + "".join(pieces[place]).encode()
        position = after_name if place == start else place
    text += module.source.text[position:end]
    margin = module.source.text[first - wrapper.col_offset : first].decode()
    lines = (margin + text.decode()).replace("\r\n", "\n").replace("\r", "\n")
    code = textwrap.dedent(lines)
    result = module.text_of(returned[0]).replace(wrapper.name, name)
    parameter = first_parameter(wrapping.decorator)
    unit = "\t" if margin.startswith("\t") else "    "
    body = textwrap.indent(f"{code}\nreturn {result}\n", unit)
    return f"if {asking}({parameter}):\n\n{body}"


_WORD = MANAGER.rpartition(".")[2].encode()


def made_managers(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the rewrites of calls that make a manager of a generator which becomes asynchronous."""
    for module, node in nodes_with(part.project, (_WORD,), ast.Call):
        if len(node.args) != 1:
            continue
        if part.project.qualified_name(module, node.func) != MANAGER:
            continue
        functions = _given_functions(part, module, node.args[0])
        if any(function in part.steps for function in functions):
            site: Site[ast.AST] = Site(rule, module, node.func)
            along = tuple(function.place for function in functions)
            made = member(site, f"`{module.excerpt(node)}`", _rewritten, part, functions)
            yield Member(made.site, made.outcome, made.shown, along)


def gives_manager(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether ``call``, which reaches a generator, gives a manager that was made of it."""
    found = part.project.values.of(module, call).alternatives
    return bool(found) and all(isinstance(one, Producer) and one.how == "manager" for one in found)


def _given_functions(part: SynchronousPart, module: Module, node: ast.expr) -> list[FunctionPlace]:
    """Return the functions of the program that ``node`` may be."""
    functions = functions_in(part.project.values.of(module, node).alternatives)
    return [part.place_of(*pair) for pair in functions]


def _rewritten(site: Site[ast.AST], part: SynchronousPart, given: list[FunctionPlace]) -> Rewrite:
    """Return what makes an asynchronous manager. Raises Refused."""
    node = site.node
    if not all(map(part.ends_as_coroutine, given)) or not isinstance(node, ast.expr):
        raise Refused(reasons.HANDED_ON, given[0].qualname)
    written, edits = write_twin(part.project, site, node, MANAGER)
    return Rewrite(f"`{written}` makes `{given[0].qualname}` a context manager", edits)


def entered_with_options(module: Module, made: ast.expr) -> ast.Call | None:
    """Return `engine.connect().execution_options(...)` of a ``with``, around ``made``.

    None of anything else. An engine takes the same options, and is there before it connects.
    """
    outer = module.method_call_on(made)
    if outer is None or not isinstance(module.parent(outer), ast.withitem):
        return None
    match made:
        case ast.Call(func=ast.Attribute(attr="connect"), args=[], keywords=[]):
            return outer if last_name(outer.func) == "execution_options" else None
    return None


def is_entered_with_options(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` gives options to a connection that a ``with`` enters."""
    match node:
        case ast.Call(func=ast.Attribute(value=made)):
            return entered_with_options(module, made) is node
    return False
