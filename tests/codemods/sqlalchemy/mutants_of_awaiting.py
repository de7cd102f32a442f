"""Programs in which one of the words is left out that session-to-async wrote."""

from __future__ import annotations

import ast
from collections import Counter
from copy import deepcopy
from itertools import accumulate

from msgspec import Struct

_RENAMED = {
    "AsyncMock": "Mock",
    "AsyncExitStack": "ExitStack",
    "asynccontextmanager": "contextmanager",
    "anext": "next",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}
"""Names that the rule writes in the place of others."""


_IMPORTED = {"Mock": "unittest.mock", "ExitStack": "contextlib", "contextmanager": "contextlib"}


class Mutant(Struct, frozen=True):
    """A word of a file that is left out, or written as before, and the line that it stands in."""

    path: str
    start: int
    end: int
    word: str
    line: int
    text: str

    def of(self, files):
        """Return ``files`` with this mutation."""
        source = files[self.path]
        text = source[: self.start] + self.word.encode() + source[self.end :]
        if self.word in _IMPORTED:
            # At the end, so that no other place moves.
            text += f"\nfrom {_IMPORTED[self.word]} import {self.word}\n".encode()
        return {**files, self.path: text}

    def __str__(self):
        return f"{self.path}:{self.line}:{self.text}"


def mutants(before, after):
    """Return all mutants of what was written into the files ``after``."""
    return [
        one
        for path, source in after.items()
        if path.endswith(".py")
        for one in _of_file(path, before.get(path, b""), source)
    ]


def _of_file(path, before, after):
    there = Counter(what for what, *_ in _words(before))
    lines = after.splitlines()
    for what, start, end, word in _words(after):
        if there[what]:
            there[what] -= 1
            continue
        line = after.count(b"\n", 0, start)
        yield Mutant(path, start, end, word, line + 1, lines[line].decode().strip())


def _words(source):
    """Yield what each word does, where it stands, and what stands there without the rule."""
    starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]

    def at(node):
        return starts[node.lineno - 1] + node.col_offset

    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Await(value=value):
                yield ("await", _called(value)), at(node), at(node) + len("await "), ""
            case ast.AsyncFunctionDef(name=name):
                yield ("def", name), at(node), at(node) + len("async "), ""
            case ast.AsyncWith(items=items):
                what = "".join(ast.dump(one.context_expr) for one in items)
                yield ("with", what), at(node), at(node) + len("async "), ""
            case ast.AsyncFor(iter=iterated):
                yield ("for", ast.dump(iterated)), at(node), at(node) + len("async "), ""
            case ast.comprehension(is_async=1, target=target, iter=iterated):
                start = source.rindex(b"async for", 0, at(target))
                yield ("for", ast.dump(iterated)), start, start + len("async "), ""
            case ast.Name(id=name) if name in _RENAMED:
                yield (name, name), at(node), at(node) + len(name), _RENAMED[name]
            case ast.Attribute(attr=name) if name in _RENAMED:
                end = starts[node.end_lineno - 1] + node.end_col_offset
                yield (name, name), end - len(name), end, _RENAMED[name]
            case _:
                pass


def _called(value):
    """Return what is awaited, whatever is awaited in its arguments."""
    return ast.dump(_WithoutAwaits().visit(deepcopy(value)))


class _WithoutAwaits(ast.NodeTransformer):
    def visit_Await(self, node):
        return self.visit(node.value)
