"""Methods of sessions and queries that a program replaces: in subclasses, or from outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof, Sessions
from awaken.project.frameworks.testing.replaced.in_force import InForces
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import ClassFacts
from awaken.project.source.memo import cached_by, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.replacing import UNTOLD, Put, puts_of, texts_of, words_of
from awaken.project.source.trees import item_at, last_name
from awaken.project.source.worklist import reachable
from awaken.project.values.domain import ClassOf, Unknown

_COMPUTED = [b"setattr(", b".object(", b".spy(", b"__dict__", b"vars("]
"""What a file holds that replaces an attribute whose name it computes."""
_ANY = "__getattribute__"
"""A class that has it may answer any name by something of its own."""


class ReplacedMethod(Struct, frozen=True):
    """A method that is not the library's: its name, empty for any, and a clause that says so.

    ``is_put`` says that ``place`` puts something in its place, perhaps for a while.
    """

    name: str
    why: str
    place: Place
    is_put: bool = False


class ReplacedMethods:
    """Finds what a program replaces in classes of libraries."""

    def __init__(
        self, evaluator: ProgramEvaluator, sessions: Sessions, in_force: InForces, program: Program
    ) -> None:
        self._evaluator = evaluator
        self._sessions = sessions
        self._in_force = in_force
        self._program = program

    def may_meet(self, replaced: ReplacedMethod, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` of a file may run while a method is replaced."""
        return not replaced.is_put or self._in_force.may_run(replaced.place, module, node)

    @cached_by(frozenset)
    def of_sessions(self, names: Collection[str]) -> tuple[ReplacedMethod, ...]:
        """Return where a program replaces one of the methods ``names`` of synchronous sessions.

        All files are searched once for the same names: the answer is one of the whole program.
        """
        return tuple(self._search_sessions(names))

    def _search_sessions(self, names: Collection[str]) -> Iterator[ReplacedMethod]:
        roles = self._evaluator.knowledge.types.items()
        classes = {name for name, role in roles if role in BLOCKING_SESSIONS}
        words = [word for name in names for word in words_of(name)]
        yield from self._in_subclasses(classes, names)
        yield from self._from_outside(classes, [*words, *_COMPUTED], names, [b"session"])

    @cached_property
    def of_queries(self) -> tuple[ReplacedMethod, ...]:
        """Where a program replaces a method of Query itself, subclasses left aside."""
        classes = set(self._evaluator.knowledge.query_classes)
        words = [f"{class_.rpartition('.')[2]}.".encode() for class_ in sorted(classes)]
        return tuple(self._from_outside(classes, [*words, *_COMPUTED], None, ()))

    def methods_replaced(self, replaced: ReplacedMethod) -> frozenset[str] | None:
        """Return the methods of Query that do something else then; None if all may."""
        callers = self._evaluator.knowledge.query_callers
        if replaced.name not in callers:
            return None
        return frozenset(reachable([replaced.name], lambda name: callers.get(name, ())))

    def _in_subclasses(self, classes: set[str], names: Collection[str]) -> Iterator[ReplacedMethod]:
        known = self._evaluator.classes
        for qualified in known.heirs_of(classes):
            ancestors = known.ancestors(qualified)
            if ancestors is None:
                continue
            own = ancestors.inside[0]
            short = qualified.rpartition(".")[2]
            # A method that several subclasses inherit is reported once, at its class.
            for facts in ancestors.inside:
                yield from _defined_methods(facts, own, names)
            place = Place(own.path, own.span)
            hidden = [name for name in ancestors.outside if not self._is_neutral(name, classes)]
            hidden += [item.bases_text[index] for item, index in ancestors.unresolved]
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
        names: Collection[str] | None,
        objects: Sequence[bytes],
    ) -> Iterator[ReplacedMethod]:
        """Yield what is put into a class, or into an object that a session may be.

        ``names`` are the methods that matter, None for all; a file that replaces one of an object
        has one of the words ``objects``, if any.
        """
        known = self._evaluator.classes
        spellings = known.spellings_of({*classes, *known.heirs_of(classes)})
        named = [word.encode() for word in spellings]
        owners = {*spellings, UNTOLD}
        # One search for all words takes as long as each of the two below, which it answers.
        if not self._evaluator.files_with([*named, *objects, *words, b".multiple("]):
            return
        concerned = set(self._evaluator.files_with([*named, *objects]))
        putting = concerned.intersection(self._evaluator.files_with([*words, b".multiple("]))
        for module in self._evaluator.modules_at(self._program.files_putting(names, putting)):
            for put in puts_of(module, names):
                # Cheap comparisons come first: an owner has to be evaluated.
                owner = put.name.split(".")[-2] if put.owner is None else last_name(put.owner)
                is_class = owner in owners and self._is_class(module, put, classes)
                is_named = not put.name and not module.words().isdisjoint(spellings)
                is_class = is_class or (is_named and self._is_held(module, put, classes))
                if is_class or (objects and self._may_be_session(module, put, names)):
                    yield _replaced_method(module, put)

    def _is_class(self, module: Module, put: Put, classes: set[str]) -> bool:
        if put.owner is not None:
            return self._is_of(self._evaluator.names.qualified_name(module, put.owner), classes)
        names = self._evaluator.names
        dotted = names.defined_name(put.name.rpartition(".")[0])
        return self._is_of(self._evaluator.knowledge.canonical(dotted), classes)

    def _is_held(self, module: Module, put: Put, classes: set[str]) -> bool:
        """Whether a variable of which a computed name is set may be one of the classes."""
        is_variable = isinstance(put.owner, ast.Name) and put.owner.id != "self"
        values = self._evaluator.values(module, put.owner) if put.owner and is_variable else ()
        return any(isinstance(x, ClassOf) and self._is_of(x.qualified, classes) for x in values)

    def _is_of(self, name: str | None, classes: set[str]) -> bool:
        if name is None or name in classes:
            return name is not None
        return not classes.isdisjoint(self._evaluator.classes.library_ancestors(name))

    def _has_item(self, module: Module, mapping: ast.expr, name: str) -> bool:
        values = self._evaluator.values(module, item_at(mapping, name))
        return not any(isinstance(value, Unknown) for value in values)

    def _may_be_session(self, module: Module, put: Put, names: Collection[str] | None) -> bool:
        """Whether an object is a session, or may be one: no other library has ``scalars``.

        Of a name that is put together, the parts are read; one that is unknown does not count. Of
        a mapping, the items count that are known.
        """
        texts = [put.name] if put.name or put.key is None else texts_of(module, put.key)
        if put.key is not None and put.key is put.value:
            texts = [name for name in sorted(names or ()) if self._has_item(module, put.key, name)]
        replaced = {text for text in texts or () if text and (names is None or text in names)}
        if put.owner is None or not replaced:
            return False
        proof = self._sessions.proof_of(module, put.owner)
        if isinstance(proof, Unknown):
            return not replaced.isdisjoint({"scalars", "scalar"})
        return isinstance(proof, SessionProof) and not proof.kind.startswith("async")


def _replaced_method(module: Module, put: Put) -> ReplacedMethod:
    owner = put.name.rpartition(".")[0] if put.owner is None else ast.unparse(put.owner)
    what = f"`{owner}.{put.last}`" if put.name else f"methods of `{owner}`"
    why = f"{module.path} replaces {what}"
    return ReplacedMethod(put.last, why, module.place(put.node), is_put=True)


def _defined_methods(
    facts: ClassFacts, own: ClassFacts, names: Collection[str]
) -> Iterator[ReplacedMethod]:
    short = own.qualified.rpartition(".")[2]
    for name in sorted({*names, _ANY} & facts.attributes):
        why = f"`{short}` overrides `{name}`"
        yield ReplacedMethod("" if name == _ANY else name, why, Place(facts.path, facts.span))
