"""Code of the program that runs Alembic, where the Alembic environment runs an event loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import begins_process
from awaken.codemods.sqlalchemy.session_to_async.colour.outside.process_reach import Reach
from awaken.codemods.sqlalchemy.session_to_async.find.program_mentions import mentions_of
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import is_script
from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart


class Commands:
    """Finds them in one program, with the functions in it that become asynchronous."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._reach = Reach(part.project, part.entry_points)

    @cached_property
    def in_loop(self) -> Place | None:
        """A place that runs Alembic where an event loop may run already; None if there is none."""
        return next((place for place, where in self._found_pairs if where == "loop"), None)

    @cached_property
    def in_thread(self) -> Place | None:
        """A place that runs it in a thread next to the event loop; None if there is none."""
        return next((place for place, where in self._found_pairs if where == "thread"), None)

    # ------------------------------------------------------------------------------------- parts
    @cached_property
    def _found_pairs(self) -> list[tuple[Place, str]]:
        return [
            (module.place(node), self._where(module, node))
            for module in modules_with(self._project, (b"alembic",))
            for node in self._mentions(module)
        ]

    def _mentions(self, module: Module) -> Iterator[ast.expr]:
        """Yield where a file names what runs Alembic."""
        known = boundaries().migrations
        for node in module.walk():
            if isinstance(node, ast.Name | ast.Attribute):
                name = self._project.qualified_name(module, node) or ""
                is_whole = not isinstance(module.parent(node), ast.Attribute)
                if is_whole and any(name == word or name.startswith(f"{word}.") for word in known):
                    yield node

    def _where(self, module: Module, node: ast.expr) -> str:
        """Return where Alembic runs: in a ``thread``, may be in the ``loop``, or in neither."""
        if module.call_of(node) is None:
            return "thread" if self._is_in_thread(module, node) else "loop"
        function = self._part.function_around(module, node)
        if self._may_be_in_loop(module, node, function):
            return "loop"
        if is_test_file(module.path) or function.start < 0:
            return ""
        if self._reach.outside_of_processes(function) is None:
            return ""
        name = f"{module.name}.{function.qualname}"
        mentions = [*mentions_of(self._project, [], [name])]
        is_apart = bool(mentions) and all(
            self._is_in_thread(mention.module, mention.node) for mention in mentions
        )
        return "thread" if is_apart else "loop"

    def _may_be_in_loop(self, module: Module, node: ast.expr, function: FunctionPlace) -> bool:
        """Whether coroutine functions call the function at ``node``, or a server imports it."""
        if function.start < 0:
            return not self._is_at_beginning(module, node)
        graph = self._project.calls.graph()
        reaching = {function, *graph.reaching([function])}
        return any(
            self._part.is_asynchronous(item) or item in self._part.steps for item in reaching
        ) or not all(
            self._is_at_beginning(*result)
            for candidate in reaching
            for call in graph.callers(candidate)
            if call.caller.start < 0
            for result in self._project.calls_at(call.place)
        )

    def _is_at_beginning(self, module: Module, node: ast.expr) -> bool:
        is_alone = is_test_file(module.path) or is_script(self._project, module)
        return is_alone or begins_process(module, node)

    def _is_in_thread(self, module: Module, node: ast.expr) -> bool:
        call = module.parent(node)
        if not isinstance(call, ast.Call) or node not in call.args:
            return False
        names = {self._project.qualified_name(module, call.func)}
        if isinstance(call.func, ast.Attribute):
            owners = self._project.instance_of(module, call.func.value)
            names |= {f"{owner}.{call.func.attr}" for owner in owners}
        return not names.isdisjoint(boundaries().in_threads)
