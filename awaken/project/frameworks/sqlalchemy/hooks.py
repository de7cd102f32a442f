"""Changes to Query itself: hooks and classes that ``select()`` does not know."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from awaken.contract import Place
from awaken.knowledge import knowledge
from awaken.project.names.classes import Classes
from awaken.project.source.modules import Module

# dogpile's recipe, SQLAlchemy's baked queries and horizontal sharding.
_CLASSES = {"BakedQuery", "CachingQuery", "FromCache", "ShardedQuery", "ShardedSession"}
_KEYWORDS = {"query_cls", "query_class"}
_WORDS = [b"before_compile", b"query_cls", b"query_class", b"sqlalchemy.ext.baked", b"Query)"]
_WORDS += [b"Query,", b"Query[", b"Query as ", *(name.encode() for name in sorted(_CLASSES))]


def query_hooks(
    classes: Classes,
    load: Callable[[str], Module | None],
    files_with: Callable[[Sequence[bytes]], list[str]],
) -> list[Place]:
    """Return every place that gives queries a behaviour of the program's own.

    These are ``before_compile`` listeners, subclasses of Query, ``query_cls``, baked, cached and
    sharded queries; the note of each says which. Words in comments and strings do not count.
    """
    found: list[Place] = []
    for path in files_with(_WORDS):
        module = load(path)
        if module is None:
            continue
        for node in module.walk():
            found += [Place(path, module.span(node), note) for note in _notes(node)]
        for facts in classes.in_file(path).values():
            if knowledge().query_classes & {base for base in facts.bases if base is not None}:
                found.append(Place(path, facts.span, f"`{facts.qualified}` is a Query of its own"))
    return found


def _notes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call():
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                text = argument.value if isinstance(argument, ast.Constant) else None
                if isinstance(text, str) and text.startswith("before_compile"):
                    yield f"a `{text}` listener, which select() does not call"
        case ast.keyword() if node.arg in _KEYWORDS:
            yield f"`{node.arg}=`"
        case ast.Attribute() if node.attr == "_query_cls":
            yield "`_query_cls` is set or read"
        case ast.Name() | ast.Attribute() if _name(node) in _CLASSES:
            yield f"`{_name(node)}`"
        case ast.alias() if node.name.rpartition(".")[2] in {*_CLASSES, "baked"}:
            yield f"`{node.name}` is imported"
        case ast.Name(ctx=ast.Store()) if node.id in _KEYWORDS:
            yield f"`{node.id}` is set"


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr
