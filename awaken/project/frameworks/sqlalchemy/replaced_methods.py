"""Methods of sessions and queries that a program replaces: in subclasses, or from outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from awaken.contract import Place
from awaken.project.effects.places.while_replaced import Block, WhileReplaced, block_around
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof, Sessions
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import ClassFacts
from awaken.project.source.modules import Module
from awaken.project.values.domain import Unknown

_SETTERS = {"setattr", "object"}
"""``setattr(...)``, ``monkeypatch.setattr(...)``, ``patch.object(...)``."""
_WAYS = [b"setattr(", b".object(", b".multiple(", b"type("]
_ANY = "__getattribute__"
"""A class that has it may answer any name by something of its own."""


class ReplacedMethod(Struct, frozen=True):
    """A method that is not the library's: its name, empty for any, and a clause that says so.

    ``block`` is the code during which alone it is replaced, if that ends.
    """

    name: str
    why: str
    place: Place
    block: Block | None = None

    def may_be(self, name: str) -> bool:
        """Whether it may be the method ``name``."""
        return self.name in {"", name}


class ReplacedMethods:
    """Finds what a program replaces in classes of libraries."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        sessions: Sessions,
        files_with: Callable[[Sequence[bytes]], list[str]],
    ) -> None:
        self._evaluator = evaluator
        self._sessions = sessions
        self._files_with = files_with
        self._known: dict[frozenset[str], tuple[ReplacedMethod, ...]] = {}
        self._while_replaced = WhileReplaced(evaluator, files_with)

    def may_meet(self, replaced: ReplacedMethod, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` of a file may run while a method is replaced."""
        block = replaced.block
        return block is None or self._while_replaced.may_run(block, module, node)

    def of_sessions(self, names: Collection[str]) -> tuple[ReplacedMethod, ...]:
        """Return where a program replaces one of the methods ``names`` of synchronous sessions.

        All files are searched once for the same names: the answer is one of the whole program.
        """
        key = frozenset(names)
        if key not in self._known:
            self._known[key] = tuple(self._of_sessions(names))
        return self._known[key]

    def _of_sessions(self, names: Collection[str]) -> Iterator[ReplacedMethod]:
        roles = self._evaluator.knowledge.types.items()
        classes = {name for name, role in roles if role in {"session", "scoped"}}
        words = [f"{one}{end}".encode() for one in names for end in (" =", "=", '"', "'")]
        yield from self._in_subclasses(classes, names)
        yield from self._from_outside(classes, words, {"", *names}, self._may_be_session)

    @cached_property
    def of_queries(self) -> tuple[ReplacedMethod, ...]:
        """Where a program replaces a method of Query itself, subclasses left aside."""
        classes = set(self._evaluator.knowledge.query_classes)
        words = [f"{one.rpartition('.')[2]}.".encode() for one in sorted(classes)]
        return tuple(self._from_outside(classes, words, None, _is_none))

    def _in_subclasses(self, classes: set[str], names: Collection[str]) -> Iterator[ReplacedMethod]:
        known = self._evaluator.classes
        found = dict.fromkeys(one for base in sorted(classes) for one in known.all_subclasses(base))
        for qualified in found:
            ancestors = known.ancestors(qualified)
            if ancestors is None:
                continue
            own = ancestors.inside[0]
            short = qualified.rpartition(".")[2]
            # What several subclasses inherit is said once, of the class that has it.
            for facts in ancestors.inside:
                yield from _defined(facts, own, names)
            place = Place(own.path, own.span)
            hidden = [one for one in ancestors.outside if not self._is_neutral(one, classes)]
            hidden += [one.bases_text[index] for one, index in ancestors.unresolved]
            if hidden:
                why = f"`{short}` inherits from `{hidden[0]}`, which may replace its methods"
                yield ReplacedMethod("", why, place)
            if own.keywords or own.decorators:
                why = f"a metaclass or decorator of `{short}` may replace its methods"
                yield ReplacedMethod("", why, place)

    def _is_neutral(self, base: str, classes: set[str]) -> bool:
        root = base.partition(".")[0]
        of_python = root in sys.stdlib_module_names or root in {"builtins", "typing_extensions"}
        return base in classes or of_python

    def _from_outside(
        self,
        classes: set[str],
        words: Sequence[bytes],
        wanted: Collection[str] | None,
        may_be_meant: Callable[[Module, ast.expr, str], bool],
    ) -> Iterator[ReplacedMethod]:
        """Yield assignments, ``setattr()`` and patches of tests: of a class, or of an object.

        ``wanted`` are the names that matter, None for all.
        """
        for path in self._paths(classes, words):
            module = self._evaluator.load(path)
            for node in module.walk() if module is not None else ():
                if module is None:
                    continue
                for owner, name in _written_to(node):
                    # The name is cheap to compare; the owner has to be evaluated.
                    if wanted is not None and name not in wanted:
                        continue
                    if self._is_class(module, owner, classes) or may_be_meant(module, owner, name):
                        yield _replaced(module, node, owner, name)
                for base in _bases_given(node):
                    if self._is_class(module, base, classes):
                        why = f"{path} makes a class of `{ast.unparse(base)}` with `type()`"
                        yield ReplacedMethod("", why, module.place(node))

    def _paths(self, classes: set[str], words: Sequence[bytes]) -> list[str]:
        """Return the files that hold a way to replace something, and name what is meant."""
        ways = {*self._files_with(words), *self._files_with(_WAYS)}
        simple = {name.rpartition(".")[2].encode() for name in classes}
        return sorted(ways.intersection(self._files_with([*sorted(simple), b"session"])))

    def _is_class(self, module: Module, node: ast.AST, classes: set[str]) -> bool:
        names = self._evaluator.names
        match node:
            case ast.Constant(value=str(text)):
                name: str | None = self._evaluator.knowledge.canonical(names.defined(text))
            case ast.Name() | ast.Attribute():
                name = names.qualified(module, node)
            case _:
                name = None
        if name is None or name in classes:
            return name is not None
        ancestors = self._evaluator.classes.ancestors(name)
        return ancestors is not None and not classes.isdisjoint(ancestors.outside)

    def _may_be_session(self, module: Module, node: ast.expr, name: str) -> bool:
        """Whether an object is a session, or may be one: no other library has ``scalars``."""
        if not name or isinstance(node, ast.Constant):
            return False
        proof = self._sessions.of(module, node)
        if isinstance(proof, Unknown):
            return name in {"scalars", "scalar"}
        return isinstance(proof, SessionProof) and not proof.kind.startswith("async")


def _replaced(module: Module, node: ast.AST, owner: ast.expr, name: str) -> ReplacedMethod:
    text = str(owner.value) if isinstance(owner, ast.Constant) else ast.unparse(owner)
    what = f"`{text}.{name}`" if name else f"methods of `{text}`"
    why = f"{module.path} replaces {what}"
    return ReplacedMethod(name, why, module.place(node), block_around(module, node))


def _defined(
    facts: ClassFacts, own: ClassFacts, names: Collection[str]
) -> Iterator[ReplacedMethod]:
    short = own.qualified.rpartition(".")[2]
    for name in sorted({*names, _ANY} & (facts.members | facts.assigned)):
        why = f"`{short}` overrides `{name}`"
        yield ReplacedMethod("" if name == _ANY else name, why, Place(facts.path, facts.span))


def _written_to(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yield what ``node`` gives a new attribute, with its name; an empty one for any."""
    match node:
        case ast.Attribute(value=owner, attr=name, ctx=ast.Store()):
            yield owner, name
        case ast.Call(
            func=ast.Name(id=function) | ast.Attribute(attr=function), args=[owner, name, *_]
        ) if function in _SETTERS:
            yield owner, str(name.value) if isinstance(name, ast.Constant) else ""
        case ast.Call(func=ast.Attribute(attr="multiple"), args=[owner], keywords=given):
            yield from ((owner, one.arg or "") for one in given)
        # `patch("sqlalchemy.orm.Session.execute")`
        case ast.Call(args=[ast.Constant(value=str(text)) as first, *_]) if "." in text:
            owner_name, _, name = text.rpartition(".")
            yield ast.copy_location(ast.Constant(owner_name), first), name
        case _:
            pass


def _bases_given(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the bases of ``type("Own", (Session,), {...})``."""
    match node:
        case ast.Call(func=ast.Name(id="type"), args=[_, ast.Tuple(elts=bases), _]):
            yield from bases
        case _:
            pass


def _is_none(_module: Module, _node: ast.expr, _name: str) -> bool:
    return False
