"""The places that read attributes by name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from string import Formatter
from typing import Protocol

from awaken.project.frameworks.sqlalchemy.reads.domain import How, Sight
from awaken.project.frameworks.sqlalchemy.reads.kinds.assignments import Assignments
from awaken.project.frameworks.sqlalchemy.reads.kinds.named import NamedByText
from awaken.project.frameworks.sqlalchemy.reads.kinds.run_sync import InRunSync
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module

_GETTERS: dict[str, How] = {"getattr": "getattr", "hasattr": "hasattr", "setattr": "assigned"}
# Words of files that may name an attribute without a dot in front of it.
_NAMING = ("attrgetter", *_GETTERS)
_OF_ITEMS = {"filter", "map", "max", "min", "sort", "sorted"}
# Attributes of what `inspect(user).attrs.posts` gives that load the relationship.
_LOADING = {"load_history", "value"}


class Sights(Protocol):
    """Something that knows places of one kind that read attributes."""

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file."""
        ...


class PythonSights:
    """The places in Python code: attributes, and what names them by a text that is known."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        assignments: Assignments,
        files_with: Callable[[Sequence[bytes]], list[str]],
    ) -> None:
        self._evaluator = evaluator
        self._assignments = assignments
        self._files_with = files_with
        self._named = NamedByText(evaluator)
        self._in_run_sync = InRunSync(evaluator, files_with)

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file."""
        for path in self.files(names):
            module = self._evaluator.load(path)
            for node in _places(module, names) if module is not None else ():
                if module is not None:
                    yield from self._sights(module, node, names)

    def files(self, names: Collection[str]) -> list[str]:
        """Return the files that may hold such a place, and few others: each of them is parsed."""
        words = self._evaluator.callers.words
        found = {path for name in names for path in words.read_in(name)}
        named = self._files_with(sorted(one.encode() for one in names)) if names else []
        if not found.issuperset(named):
            naming = {path for word in _NAMING for path in words.files_with(word)}
            matching = {*words.files_with("match")} & {*words.files_with("case")}
            found |= (naming | matching) & {*named}
        return sorted(found)

    def _sights(self, module: Module, node: ast.AST, names: Collection[str]) -> Iterator[Sight]:
        match node:
            case ast.Attribute():
                yield from self._of_attribute(module, node)
            case ast.Call(func=ast.Name(id=how), args=[_, _, *_]) if how in _GETTERS:
                yield from self._of_getter(module, node, names, how)
            case ast.Call():
                for sight in (*_got(module, node), *_formatted(module, node)):
                    if any(name in names for name in sight.path):
                        yield sight
            case ast.MatchClass():
                yield from (one for one in _matched(module, node) if one.path[0] in names)
            case _:
                pass

    def _of_getter(
        self, module: Module, node: ast.Call, names: Collection[str], how: str
    ) -> Iterator[Sight]:
        owner, named = node.args[:2]
        for name in self._named.of(module, named) or ():
            if name not in names:
                continue
            if how != "setattr" or self._assignments.may_load(module, owner, name):
                yield Sight(module, owner, (name,), module.place(node), _GETTERS[how])

    def _of_attribute(self, module: Module, node: ast.Attribute) -> Iterator[Sight]:
        place, name, above = module.place(node), node.attr, module.parent(node)
        if isinstance(node.ctx, ast.Del):
            return
        if isinstance(node.ctx, ast.Store) and not isinstance(above, ast.AugAssign):
            if self._assignments.may_load(module, node.value, name):
                yield Sight(module, node.value, (name,), place, "assigned")
            return
        match node.value:
            case ast.Attribute(value=owner, attr="awaitable_attrs"):
                yield Sight(module, owner, (name,), place, "awaitable")
            case ast.Attribute(value=ast.Call(args=[owner]), attr="attrs"):
                # ``inspect(user).attrs.posts``
                if isinstance(above, ast.Attribute) and above.attr in _LOADING:
                    yield Sight(module, owner, (name,), place, "attribute")
            case _:
                how: How = "run_sync" if self._in_run_sync.holds(module, node) else "attribute"
                yield Sight(module, node.value, (name,), place, how)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The nodes of a file that may be such places, by their position in the file."""

    attributes: dict[str, list[tuple[int, ast.AST]]]
    others: list[tuple[int, ast.AST]]


def _places(module: Module, names: Collection[str]) -> list[ast.AST]:
    """Return the nodes that may read an attribute of one of these names, in source order.

    A file is asked for other names each time, so it is gone through once.
    """
    nodes: _Nodes | None = module.memo.get(_Nodes)
    if nodes is None:
        nodes = module.memo[_Nodes] = _Nodes({}, [])
        for position, node in enumerate(module.walk()):
            if isinstance(node, ast.Attribute):
                nodes.attributes.setdefault(node.attr, []).append((position, node))
            elif isinstance(node, ast.MatchClass) or _may_name(node):
                nodes.others.append((position, node))
    named = (one for name in {*names} & nodes.attributes.keys() for one in nodes.attributes[name])
    return [node for _, node in sorted((*named, *nodes.others), key=itemgetter(0))]


def _may_name(node: ast.AST) -> bool:
    """Whether ``node`` is a call that may read an attribute by a text."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _NAMING:
            return True
        case ast.Call(func=ast.Attribute(attr="attrgetter" | "format")):
            return True
        case _:
            return False


def _got(module: Module, node: ast.Call) -> Iterator[Sight]:
    """Yield what ``attrgetter("author.name")`` reads of the objects that it is given."""
    if "attrgetter" not in (getattr(node.func, "id", ""), getattr(node.func, "attr", "")):
        return
    given, of_items = _given_to(module, node)
    for one in node.args if given is not None else ():
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and given is not None:
            path = tuple(one.value.split("."))
            yield Sight(module, given, path, module.place(node), "getattr", of_items)


def _given_to(module: Module, node: ast.Call) -> tuple[ast.expr | None, bool]:
    """Return what a getter is called with, and whether it is called with each item of it."""
    above = module.parent(node)
    if isinstance(above, ast.keyword):
        above = module.parent(above)
    if not isinstance(above, ast.Call):
        return None, False
    if above.func is node:
        return (above.args[0] if above.args else None), False
    name = above.func.attr if isinstance(above.func, ast.Attribute) else ""
    name = above.func.id if isinstance(above.func, ast.Name) else name
    if name not in _OF_ITEMS:
        return None, False
    if isinstance(above.func, ast.Attribute) and name == "sort":
        return above.func.value, True
    return next((one for one in above.args if one is not node), None), True


def _formatted(module: Module, node: ast.Call) -> Iterator[Sight]:
    """Yield what ``"{0.posts}".format(user)`` reads."""
    match node.func:
        case ast.Attribute(value=ast.Constant(value=str() as text), attr="format"):
            pass
        case _:
            return
    for number, field in enumerate(_fields(text)):
        first, _, rest = field.partition(".")
        first = first or str(number)
        given = next((one.value for one in node.keywords if one.arg == first), None)
        if first.isdecimal() and int(first) < len(node.args):
            given = node.args[int(first)]
        if given is not None and rest and "[" not in field:
            path = tuple(rest.split("."))
            yield Sight(module, given, path, module.place(node), "attribute")


def _fields(text: str) -> list[str]:
    try:
        return [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    except ValueError:
        return []  # Python would not format it either


def _matched(module: Module, node: ast.MatchClass) -> Iterator[Sight]:
    """Yield what ``case User(posts=[])`` reads, where it is the pattern of a whole ``case``."""
    above = module.parent(node)
    if isinstance(above, ast.MatchAs):
        above = module.parent(above)
    match = module.parent(above) if isinstance(above, ast.match_case) else None
    for name in node.kwd_attrs if isinstance(match, ast.Match) else ():
        if isinstance(match, ast.Match):
            yield Sight(module, match.subject, (name,), module.place(node), "attribute")
