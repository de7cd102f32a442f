"""The code during which a test replaces something, and whether other code may run then."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from msgspec import Struct

from awaken.contract import Span
from awaken.project.effects.places.while_running import Place, WhileRunning
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, parameters_of


class Block(Struct, frozen=True):
    """The code during which something is replaced.

    ``function`` is the byte of the ``def`` of the outermost function around it, -1 for none.
    ``body`` are its statements; None where other code runs meanwhile, as that of fixtures.
    """

    path: str
    function: int
    is_test: bool
    body: tuple[Span, ...] | None


def block_around(module: Module, node: ast.AST) -> Block | None:
    """Return the code during which ``node`` replaces something; None if that does not end.

    That is a ``with``, the function that it decorates, or the test that got ``monkeypatch``.
    """
    above = module.parent(node)
    block = module.parent(above) if isinstance(above, ast.withitem) else None
    if isinstance(block, ast.With):
        return _block(module, block, block.body)
    if isinstance(above, Function) and node in above.decorator_list:
        return None if module.is_generator(above) else _block(module, above, above.body)
    function = module.enclosing_function(node)
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="monkeypatch"))) if isinstance(
            function, Function
        ):
            given = [one.arg for one, _ in parameters_of(function.args)]
            found = _block(module, function, None) if "monkeypatch" in given else None
            return found if found is not None and found.is_test else None
        case _:
            return None


class WhileReplaced:
    """Answers for one project; keeps what runs in each block."""

    def __init__(
        self, evaluator: ProgramEvaluator, files_with: Callable[[Sequence[bytes]], list[str]]
    ) -> None:
        self._evaluator = evaluator
        self._running = WhileRunning(evaluator, files_with)
        self._known: dict[Block, frozenset[Place] | None] = {}

    def may_run(self, block: Block, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` of a file may run while ``block`` does."""
        function = _outermost(module, node)
        is_same = (module.path, _start(module, function)) == (block.path, block.function)
        if block.is_test and not is_same and _is_test(module, function):
            return False  # no test runs inside of another
        running = self._functions(block)
        if running is None or self._is_inside(block, module, node):
            return True
        above = (one for one in module.ancestors(node) if isinstance(one, Function))
        return any((module.path, module.span(one).start) in running for one in above)

    def _is_inside(self, block: Block, module: Module, node: ast.AST) -> bool:
        at = module.span(node)
        return module.path == block.path and any(one.contains(at) for one in block.body or ())

    def _functions(self, block: Block) -> frozenset[Place] | None:
        """Return the functions that may run while a block does; None if any may."""
        if block not in self._known:
            self._known[block] = self._followed(block)
        return self._known[block]

    def _followed(self, block: Block) -> frozenset[Place] | None:
        home = self._evaluator.load(block.path)
        if home is None or block.body is None:
            return None
        own = set(block.body)
        body = [one for one in home.walk() if isinstance(one, ast.stmt) and home.span(one) in own]
        return self._running.functions(home, body)


def _block(module: Module, node: ast.AST, body: Sequence[ast.stmt] | None) -> Block:
    function = _outermost(module, node)
    spans = None if body is None else tuple(map(module.span, body))
    return Block(module.path, _start(module, function), _is_test(module, function), spans)


def _outermost(module: Module, node: ast.AST) -> Function | None:
    around = (one for one in (node, *module.ancestors(node)) if isinstance(one, Function))
    return next(reversed([*around]), None)


def _start(module: Module, function: Function | None) -> int:
    return -1 if function is None else module.span(function).start


def _is_test(module: Module, function: Function | None) -> bool:
    """Whether a function is a test that nothing in its file calls."""
    if function is None or not function.name.startswith("test") or not is_test_file(module.path):
        return False
    return not module.mentions(function.name)
