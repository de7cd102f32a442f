"""The parts of a file by the names of its module scope: evidence narrower than the file.

A question that follows names of a file sees the statements that bind or mention them, and nothing
else. So an edit of other statements leaves its answer as it is. All other views of a file count as
a read of the whole. They are the nodes of a kind, the text, the body of the module and all scopes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from awaken.contract import Span
from awaken.project.source.bindings import Binding
from awaken.project.source.looked_at import NamedPart, PartKind
from awaken.project.source.memo import RECORDER

Value = TypeVar("Value")


def note_read(path: str) -> None:
    """Note that more than named parts was seen of the file at ``path``."""
    record = RECORDER.current
    if record is not None:
        record.notes[path] = None


class FileTree(ast.Module):
    """The tree of a file, which notes a read of the file where its statements are read."""

    path: str

    @property
    def body(self) -> list[ast.stmt]:  # type: ignore[override]
        """The statements of the file."""
        note_read(self.path)
        return self.__dict__["body"]  # type: ignore[no-any-return]


def noting_tree(tree: ast.Module, path: str) -> FileTree:
    """Return ``tree`` itself, which from now on notes where its statements are read."""
    # Its nodes stay, which a copy would have to make again.
    tree.__class__ = FileTree
    tree.path = path  # type: ignore[attr-defined]
    return tree  # type: ignore[return-value]


class NotedNames(dict[str, Value]):
    """A table of the module scope by name; ``note`` is called with each name that is looked up.

    Going through all names is a read of the file at ``path``.
    """

    def __init__(self, values: Mapping[str, Value], path: str, note: Callable[[str], None]) -> None:
        super().__init__(values)
        self._path = path
        self._note = note

    def __getitem__(self, name: str) -> Value:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of ``name``, or ``default``."""
        self._note(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        note_read(self._path)
        return super().__iter__()

    def __len__(self) -> int:
        note_read(self._path)
        return super().__len__()

    def keys(self) -> Any:
        """Return all names."""
        note_read(self._path)
        return super().keys()

    def values(self) -> Any:
        """Return all values."""
        note_read(self._path)
        return super().values()

    def items(self) -> Any:
        """Return all names, each with its value."""
        note_read(self._path)
        return super().items()


class NamedParts:
    """The named parts of the file at ``path``, made where they are asked for.

    ``starts`` are the bytes of ``text`` at which its lines begin.
    """

    def __init__(
        self, path: str, text: bytes, starts: Sequence[int], parents: Mapping[ast.AST, ast.AST]
    ) -> None:
        self.path = path
        self._text = text
        self._starts = starts
        self._parents = parents
        self._bound: dict[str, NamedPart] = {}
        self._mentioned: dict[str, NamedPart] = {}
        self.top: Mapping[str, Sequence[Binding]] = {}
        """The bindings of the module scope."""
        self.stars: Sequence[ast.ImportFrom] = ()
        """The star imports, which any name may come from."""
        self.renamed: Sequence[tuple[str, str]] = ()
        """The names that the file gives to something imported, each with the original."""

    def note(self, name: str) -> None:
        """Note that the bindings of ``name`` at the top were seen, or that there are none."""
        # By hand: it is called for most names that are read.
        record = RECORDER.current
        if record is not None:
            part = self._bound.get(name)
            if part is None:
                part = self._bound[name] = self.part("bound", name, {})
            record.notes[part] = None

    def note_mentions(self, word: str, nodes: Sequence[ast.AST]) -> None:
        """Note that the ``nodes`` that mention ``word`` were seen, with the statements around."""
        record = RECORDER.current
        if record is not None:
            part = self._mentioned.get(word)
            if part is None:
                part = self._mentioned[word] = self.part("mentions", word, {word: nodes})
            record.notes[part] = None

    def note_all(self, _name: str) -> None:
        """Note that more than the bindings of a name was seen."""
        note_read(self.path)

    def note_node(self, node: ast.AST | None) -> None:
        """Note that the statement at the top around ``node`` was seen; None is the whole file."""
        if RECORDER.current is None:
            return
        name = None if node is None else self._statement_names.get(self._statement(node))
        if name is None:
            note_read(self.path)
        else:
            self.note(name)

    def part(
        self, kind: PartKind, name: str, mentions: Mapping[str, Sequence[ast.AST]]
    ) -> NamedPart:
        """Return the part of the file that binds, or has ``mentions`` of, a name."""
        bindings = self.top.get(name, ())
        nodes = [item.node for item in bindings] if kind == "bound" else mentions.get(name, ())
        spans = dict.fromkeys(span for node in nodes for span in self._spans(node))
        return NamedPart(self.path, (kind, name), self._text, tuple(spans), self._head)

    @cached_property
    def _head(self) -> bytes:
        return repr((self.renamed, [ast.unparse(star) for star in self.stars])).encode()

    @cached_property
    def _statement_names(self) -> dict[ast.AST, str]:
        """One name that each statement at the top binds."""
        names: dict[ast.AST, str] = {}
        for name, bindings in self.top.items():
            for binding in bindings:
                names.setdefault(self._statement(binding.node), name)
        return names

    def _statement(self, node: ast.AST) -> ast.AST:
        """Return the statement at the top of the file that holds ``node``."""
        parents = self._parents
        while not isinstance(above := parents.get(node), FileTree | None):
            node = above
        return node

    def _spans(self, node: ast.AST) -> tuple[Span, ...]:
        statement: Any = self._statement(node)
        if isinstance(statement, ast.Import | ast.ImportFrom) and isinstance(node, ast.alias):
            # Other names of the same statement come and go.
            start = self._span(statement).start
            return Span(start, self._span(statement.names[0]).start), self._span(node)
        return (self._span(statement),)

    def _span(self, node: Any) -> Span:
        """Return the bytes of ``node``, with its decorators."""
        first = (getattr(node, "decorator_list", None) or [node])[0]
        start = self._starts[first.lineno - 1] + first.col_offset
        return Span(start, self._starts[node.end_lineno - 1] + node.end_col_offset)
