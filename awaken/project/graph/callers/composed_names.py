"""Names that are put together at run time, as by ``getattr``, and what they may come to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

from awaken.project.source.f_strings import text_parts
from awaken.project.source.modules import Module
from awaken.project.source.replacing import texts_of
from awaken.project.source.trees import last_name
from awaken.project.source.words import COMPOSING

_NAMESPACES = ("getmembers", "globals", "vars")
_ANY = ".*"


class Lookup(Struct, frozen=True):
    """One ``getattr(owner, name)``, ``vars(owner)[name]`` or the like, whose text is no constant.

    ``owner`` is None for the file itself, and ``name`` for all names.
    """

    node: ast.expr
    owner: ast.expr | None
    name: ast.expr | None

    def pattern(self, module: Module) -> str:
        """Return the expression that each name matches in whole that it may read."""
        texts = None if self.name is None else texts_of(module, self.name)
        if texts is not None:
            return "|".join(map(re.escape, texts))
        return _ANY if self.name is None else _pattern(self.name)


def lookups_in(module: Module) -> list[Lookup]:
    """Return the lookups of a file in source order."""
    lookups = [
        lookup
        for word in COMPOSING
        for node in _reads_of(module, word)
        for lookup in _lookups_at(module, node)
        if not isinstance(lookup.name, ast.Constant)
    ]
    # They were found word by word.
    return sorted(lookups, key=lambda lookup: module.span(lookup.node))


def _reads_of(module: Module, word: str) -> Iterator[ast.AST]:
    """Yield what reads a function, also by another name that the file gives it."""
    yield from module.mentions(word)
    for name in module.names_given_to(word):
        yield from (node for node in module.mentions(name) if last_name(node) == word)


def _lookups_at(module: Module, node: ast.AST) -> Iterator[Lookup]:
    call = module.call_of(node)
    match node:
        case ast.Attribute(value=owner, attr="__dict__"):
            yield from _of_namespace(module, node, owner)
        case ast.Name(id="getattr") if call is not None and len(call.args) > 1:
            yield Lookup(call, call.args[0], call.args[1])
        case ast.Name() | ast.Attribute() if call is not None and last_name(node) in _NAMESPACES:
            yield from _of_namespace(module, call, next(iter(call.args), None))


def _of_namespace(module: Module, node: ast.expr, owner: ast.expr | None) -> Iterator[Lookup]:
    """Yield what reads from ``node``, which holds all names of ``owner``, or of the file."""
    above = module.parent(node)
    match above:
        case ast.Subscript(slice=name, ctx=ast.Load()):
            yield Lookup(above, owner, name)
        case ast.Attribute(attr="get" | "pop") if call := module.call_of(above):
            yield Lookup(call, owner, next(iter(call.args), None))
        case ast.Attribute(attr="items" | "values"):
            yield Lookup(node, owner, None)
        case _ if isinstance(node, ast.Call) and last_name(node.func) == "getmembers":
            yield Lookup(node, owner, None)


def fits(name: ast.expr, wanted: str) -> bool:
    """Whether an expression may be the text ``wanted``: constants and f-strings are compared."""
    # A whole name in a string is found by its text.
    is_text = isinstance(name, ast.Constant)
    return not is_text and re.fullmatch(_pattern(name), wanted) is not None


def _pattern(name: ast.expr) -> str:
    parts = [
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else _ANY
        for part in text_parts(name)
    ]
    return "".join(parts) or _ANY
