"""The places that read attributes by name."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from operator import itemgetter
from typing import Protocol

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.reads.kinds import text_sights
from awaken.project.frameworks.sqlalchemy.reads.kinds.assignments import Assignments
from awaken.project.frameworks.sqlalchemy.reads.kinds.displays import Displays
from awaken.project.frameworks.sqlalchemy.reads.kinds.text_sights import TextSights
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ALL, How, Sight, Wanted
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.memo import cached_in_file, cached_items
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda
from awaken.project.values.domain import FunctionOf, Unknown

_MATCHED = "__match_args__"


class InRunSync(ProgramFacts):
    """Answers for one program, which is looked through when it is asked for the first time.

    Functions that these call in turn are not followed.
    """

    def holds(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is in a function that is passed to ``run_sync``."""
        places = self._places()
        return bool(places) and any(
            isinstance(above, FunctionOrLambda) and module.place(above) in places
            for above in module.ancestors(node)
        )

    @cached_items
    def _places(self) -> Iterator[Place]:
        files = self._evaluator.files_with([b"run_sync"])
        for module in self._evaluator.names.facts.mentioning("run_sync", files):
            for name in module.mentions("run_sync"):
                call = module.call_of(name)
                if call is None:
                    continue
                for given in self._evaluator.values(module, call.args[0]) if call.args else ():
                    if isinstance(given, FunctionOf):
                        yield given.module.place(given.node)


class Sights(Protocol):
    """Something that knows places of one kind that read attributes."""

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file."""


class PythonSights:
    """The places in Python code: attributes, and what names them by a text that is known."""

    def __init__(self, evaluator: ProgramEvaluator, assignments: Assignments) -> None:
        self._evaluator = evaluator
        self._assignments = assignments
        self._texts = TextSights(evaluator, assignments)
        self._displays = Displays(evaluator)
        self._in_run_sync = InRunSync(evaluator)

    def reading(self, names: Collection[str], wanted: Wanted = ALL) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file.

        Places that are not ``wanted`` may be left out: the value of a text takes long to find.
        """
        by_name = (self._evaluator.callers.words.files_with(word) for word in text_sights.BY_NAME)
        # The text may be in another file than its reader.
        paths = sorted({*self.files(names), *(path for paths in by_name for path in paths)})
        for module in self._evaluator.modules_at(paths):
            for node in _places(module, names):
                yield from self._sights(module, node, names, wanted)

    def files(self, names: Collection[str]) -> list[str]:
        """Return the files that may hold such a place, and few others: each of them is parsed."""
        words = self._evaluator.callers.words
        paths = {path for name in sorted(names) for path in words.read_in(name)}
        named = self._evaluator.files_with(sorted(name.encode() for name in names)) if names else []
        matching = {*words.files_with("match")} & {*words.files_with("case")}
        if words.files_with(_MATCHED):
            paths |= matching
        if not paths.issuperset(named):
            naming = {path for word in text_sights.WORDS for path in words.files_with(word)}
            paths |= (naming | matching) & {*named}
        return sorted(paths)

    def _sights(
        self, module: Module, node: ast.AST, names: Collection[str], wanted: Wanted
    ) -> Iterator[Sight]:
        match node:
            case ast.Attribute():
                yield from self._of_attribute(module, node)
            case ast.MatchClass():
                yield from (
                    item for item in self._sights_of_pattern(module, node) if item.path[0] in names
                )
            case _:
                yield from self._texts.sights_of(module, node, names, wanted)

    def _sights_of_pattern(self, module: Module, node: ast.MatchClass) -> Iterator[Sight]:
        """Yield what ``case User(posts=[])`` reads: of what is matched, if that is all of it."""
        above = module.parent(node)
        if isinstance(above, ast.MatchAs):
            above = module.parent(above)
        match = module.parent(above) if isinstance(above, ast.match_case) else None
        place = module.place(node)
        why = Unknown("it is matched as a part of something else", place)
        subject = match.subject if isinstance(match, ast.Match) else why
        positional = self._positional(module, node) if node.patterns else []
        for name in (*node.kwd_attrs, *positional):
            yield Sight(module, subject, (name,), place, "attribute")

    def _positional(self, module: Module, node: ast.MatchClass) -> list[str]:
        """Return what the patterns without names may read, by ``__match_args__`` of any class."""
        listed = ast.copy_location(ast.Attribute(node.cls, _MATCHED, ast.Load()), node.cls)
        result = self._displays.items(module, listed).nodes
        listed_names = [part.value for _, part in result if isinstance(part, ast.Constant)]
        return [listed_name for listed_name in listed_names if isinstance(listed_name, str)]

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
            case _ if isinstance(above, ast.Attribute) and above.attr == "__get__":
                # ``User.posts.__get__(user, User)``
                call = module.parent(above)
                given = call.args[:1] if isinstance(call, ast.Call) else []
                yield from (Sight(module, part, (name,), place, "getattr") for part in given)
            case ast.Attribute(value=ast.Call(args=[owner]), attr="attrs"):
                # ``inspect(user).attrs.posts``
                if isinstance(above, ast.Attribute) and above.attr in text_sights.LOADING:
                    yield Sight(module, owner, (name,), place, "attribute")
            case _:
                how: How = "run_sync" if self._in_run_sync.holds(module, node) else "attribute"
                yield Sight(module, node.value, (name,), place, how)


class _Nodes(Struct, frozen=True):
    """The nodes of a file that may be such places, by their position in the file."""

    attributes: dict[str, list[tuple[int, ast.AST]]]
    others: list[tuple[int, ast.AST]]


@cached_in_file
def _reading_nodes(module: Module) -> _Nodes:
    nodes = _Nodes({}, [])
    kinds = (ast.Attribute, ast.MatchClass, ast.Constant, ast.Call, ast.Subscript)
    for position, node in enumerate(module.nodes_of(*kinds)):
        if isinstance(node, ast.Attribute):
            nodes.attributes.setdefault(node.attr, []).append((position, node))
        elif isinstance(node, ast.MatchClass) or text_sights.may_read(node):
            nodes.others.append((position, node))
    return nodes


def _places(module: Module, names: Collection[str]) -> list[ast.AST]:
    """Return the nodes that may read an attribute of one of these names, in source order.

    A file is asked for other names each time, so it is gone through once.
    """
    nodes = _reading_nodes(module)
    named = (pair for name in {*names} & nodes.attributes.keys() for pair in nodes.attributes[name])
    return [node for _, node in sorted((*named, *nodes.others), key=itemgetter(0))]
