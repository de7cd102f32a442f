"""Mocks of Query as a test writes them: configured, or asserted on.

A mock counts in three cases: it is told what a query returns (``session.query.return_value...``),
its ``query`` replaces a real one, or a test asserts that it was called. Any other mock answers a
select() as it answers a query.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct

from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.testing.passed_mocks import is_of_mock
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.replacing import dotted_text
from awaken.project.source.trees import last_name

_RECORDS = {"assert_has_calls", "method_calls", "mock_calls"}
"""What a mock knows of the calls of all its attributes."""
_LEGACY = name_list("legacy")
_MOCKS = {"AsyncMock", "MagicMock", "Mock", "NonCallableMock", "SimpleNamespace"}


class Mark(Struct, frozen=True):
    """A place that makes a mock of Query.

    ``root`` is what has the ``query``: the double itself, or an expression that it is reached by.
    ``legacy`` says that methods of Query are named on it. ``fake`` is the class that is the double,
    where that is written by hand.
    """

    node: ast.expr
    root: ast.expr
    legacy: bool = False
    fake: str = ""


class Patch(Struct, frozen=True):
    """A name or an attribute that a test puts something else in place of.

    ``owner`` is the object whose attribute ``name`` it is, None where ``name`` is dotted from a
    module on. ``given`` are the arguments that say what is put there.
    """

    call: ast.Call
    owner: ast.expr | None
    name: str
    given: tuple[ast.expr, ...]

    @property
    def passes_argument(self) -> bool:
        """Whether the decorated function is given the mock: nothing was said to put there."""
        positional = 2 if self.owner is not None else 1
        named = any(keyword.arg == "new" for keyword in self.call.keywords)
        return not named and len(self.call.args) <= positional


def fakes_of(module: Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the classes of a test file that have a ``query`` of their own, and where they do."""
    for node in module.walk():
        # A class of tests may have a helper called `query`.
        if isinstance(node, ast.ClassDef) and not node.name.startswith("Test"):
            for statement in node.body:
                match statement:
                    case ast.FunctionDef(name="query") if not statement.decorator_list:
                        yield module.full_name(node), statement
                    case ast.Assign(targets=[ast.Name(id="query")]):
                        yield module.full_name(node), statement


_MAY_MARK = {ast.Attribute, ast.Call, ast.Name}


def marks_of(module: Module, names: Names, fakes: AbstractSet[str]) -> Iterator[Mark]:
    """Yield what makes doubles in a test file, in the order of the source.

    ``fakes`` are the qualified names of the classes that have a ``query`` of their own.
    """
    words = {name.rpartition(".")[2] for name in fakes}
    for node in (node for node in module.walk() if type(node) in _MAY_MARK):
        match node:
            case ast.Attribute(attr="query"):
                mark = configured_mark(module, node)
                if mark is not None:
                    yield mark
            case ast.Attribute(attr=name) if name in _RECORDS and _asks_of_queries(module, node):
                yield Mark(node, node.value)
            case ast.Call():
                yield from _made_marks(module, node)
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                last = last_name(node)
                # Made for queries alone (of the library mock-alchemy).
                if last.endswith("AlchemyMagicMock"):
                    yield Mark(node, node, legacy=True)
                elif last in words:
                    fake = names.qualified_name(module, node) or ""
                    if fake in fakes:
                        yield Mark(node, node, fake=fake)


def _asks_of_queries(module: Module, node: ast.Attribute) -> bool:
    """Whether a list of calls is asked for ``query``, or for no call by its name."""
    if not _attributes(node.value).isdisjoint(twins().members["session"]):
        return False
    match node.attr, module.parent(node):
        case "assert_has_calls", ast.Call() as asked:
            pass
        case _, ast.Compare(ops=[ast.In() | ast.NotIn()], left=asked) if asked is not node:
            pass
        case "assert_has_calls", _:
            return False
        case _:
            return True
    return "query" in _attributes(asked)


def _attributes(node: ast.AST) -> set[str]:
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def configured_mark(module: Module, node: ast.Attribute) -> Mark | None:
    """Return the mark that ``node`` is, an attribute ``query`` of anything, if it is one."""
    behind, current = [], node
    above = module.parent(current)
    while isinstance(above, ast.Attribute | ast.Call | ast.Subscript):
        # As an argument it is passed on; nothing is called of it.
        if current is not getattr(above, "func", getattr(above, "value", None)):
            break
        if isinstance(above, ast.Attribute):
            behind.append(above.attr)
        current, above = above, module.parent(above)  # type: ignore[assignment]
    legacy = bool(_LEGACY.intersection(behind))
    if any(map(is_of_mock, behind)):
        return Mark(node, node.value, legacy)
    replaced = isinstance(node.ctx, ast.Store) and isinstance(above, ast.Assign)
    # ``self.query = x`` is an attribute of the test class, or of a class in it.
    if replaced and ast.unparse(node.value) not in {"self", "cls"}:
        return Mark(node, node.value)
    return None


def _made_marks(module: Module, call: ast.Call) -> Iterator[Mark]:
    """Yield the marks of a patch of ``query``, and of a mock that is made with one."""
    patch = patch_of(module, call)
    if patch is not None and patch.name.rpartition(".")[2] == "query":
        yield Mark(call, call, legacy=True)
    last = last_name(call.func)
    if last not in _MOCKS and last != "configure_mock":
        return
    for keyword in call.keywords:
        pairs = keyword.value.keys if isinstance(keyword.value, ast.Dict) else []
        texts = [str(key.value) for key in pairs if isinstance(key, ast.Constant)]
        named = keyword.arg == "query" and not isinstance(keyword.value, ast.Constant)
        if named or (keyword.arg is None and any("query." in text for text in texts)):
            whole = call.func.value if isinstance(call.func, ast.Attribute) else call
            yield Mark(call, whole if last == "configure_mock" else call, legacy=bool(texts))
            return


def patch_of(module: Module, call: ast.Call) -> Patch | None:
    """Return what ``call`` patches: ``patch``, ``patch.object``, ``monkeypatch.setattr``."""
    function, args = call.func, call.args
    last = last_name(function)
    owner = last_name(function.value) if isinstance(function, ast.Attribute) else ""
    # These say what a mock looks like, not what is put there.
    named = (keyword.value for keyword in call.keywords if keyword.arg not in {"wraps", "spec"})
    given = (*args[1:], *named)
    # pytest's ``setattr("module.name", value)``; every other one takes an object first.
    if args and (last == "patch" or (last == "setattr" and len(args) > 1)):
        dotted = dotted_text(module, args[0])
        if dotted is not None:
            return Patch(call, None, dotted, given)
    is_object = (last == "object" and owner == "patch") or last == "setattr"
    if is_object and len(args) > 1 and isinstance(args[1], ast.Constant):
        return Patch(call, args[0], str(args[1].value), given[1:])
    return None
