"""Class hierarchies: a class, all that it inherits and all that inherits from it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator

from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.running import running
from awaken.project.graph.classes.override_sets import HARMLESS_BASES, MAKING, Overrides
from awaken.project.names.classes import ClassFacts
from awaken.project.source.expressions.made_classes import OPEN
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.worklist import MOST_FILES, reachable
from awaken.project.values.attributes.made_bases import made_bases
from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    Session,
    Unknown,
    Value,
)
from awaken.project.values.evaluation import Evaluator

VIEWS = name_list("views")
_OF_VIEWS = library_names().http_methods | name_list("of_views")
_SESSIONS = library_names().session_classes.keys()


class Hierarchy:
    """The class ``qualified`` of the project, what it inherits, and what inherits from it."""

    def __init__(
        self,
        evaluator: Evaluator,
        files_with_word: Callable[[str], list[str]],
        overrides: Overrides,
        hierarchy_of: Callable[[str], Hierarchy],
        qualified: str,
    ) -> None:
        self._evaluator = evaluator
        self._files_with_word = files_with_word
        self._overrides = overrides
        self._hierarchy_of = hierarchy_of
        self._qualified = qualified
        self.is_too_large = False  # known when ``descendants`` were asked for

    @cached_property
    def descendants(self) -> frozenset[str]:
        """The class itself and all that inherit from it, over any number of steps."""
        return frozenset(reachable([self._qualified], self._subclasses))

    def _subclasses(self, qualified: str) -> tuple[str, ...]:
        classes = self._evaluator.classes
        if self._is_everywhere(qualified.rpartition(".")[2]) or any(
            self._is_everywhere(word) for word in classes.spellings(qualified)
        ):
            self.is_too_large = True
            return ()
        return classes.subclasses(qualified)

    def _is_everywhere(self, word: str) -> bool:
        return len(self._files_with_word(word)) > MOST_FILES

    @cached_property
    def _ancestors(self) -> frozenset[str]:
        """Everything inside the project that the class or one of its descendants inherits."""
        line = self._evaluator.classes.line
        return frozenset(facts.qualified for name in self.descendants for facts in line(name))

    @cached_property
    def _names_outside(self) -> frozenset[str]:
        above = self._evaluator.classes.library_ancestors
        return frozenset(base for name in self.descendants for base in above(name))

    def hidden_base(self, method: str) -> str | None:
        """Return an external base of the class that may call ``method``; None if none."""
        ancestors = self._evaluator.classes.ancestors(self._qualified)
        # It is unknown which of two definitions is inherited.
        if ancestors is None or not all(facts.unique for facts in ancestors.inside):
            return "classes that are defined twice"
        if ancestors.unresolved:
            facts, index = ancestors.unresolved[0]
            return f"`{facts.bases_text[index]}`"
        # SQLAlchemy's own bases call no method that a model adds.
        plain = self._evaluator.knowledge.declarative_roots
        harmless = HARMLESS_BASES | set(plain) | (set() if method in _OF_VIEWS else VIEWS)
        hidden = [
            name
            for name in ancestors.outside
            if name not in harmless and running().may_call_of_subclass(name, method)
        ]
        return f"`{hidden[0]}`" if hidden else None

    def paths(self) -> set[str]:
        """Return the files of the class and of all its relatives."""
        classes = self._evaluator.classes
        names = self._ancestors | self.descendants
        return {facts.path for name in names if (facts := classes.facts(name)) is not None}

    def declaring(self, method: str) -> set[str]:
        """Return the files of the types that name a receiver whose ``method`` may be the class's.

        Those of the class, of all below it, of relatives that set ``method``, and of protocols.
        """
        classes = self._evaluator.classes
        asking = {
            protocol
            for protocol in self._overrides.asking_for(method)
            if self._reaches_class(protocol, method) is not False
        }
        known = (classes.facts(name) for name in self._ancestors | self.descendants | asking)
        return {
            facts.path
            for facts in known
            if facts is not None
            and (facts.qualified in self.descendants or method in facts.attributes)
        }

    def definitions(self) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Yield the trees of the class and of all its relatives."""
        yield from self._trees(sorted(self._ancestors | self.descendants))

    def binding(self, method: str) -> Iterator[tuple[Module, ast.ClassDef]] | None:
        """Return the trees of those of them that bind ``method``: no other file is parsed.

        Of a protocol also those of the classes that fulfil it; None where these are too many.
        """
        names = {*self._ancestors, *self.descendants}
        if self._overrides.is_protocol(self._qualified):
            if len(self._overrides.files_of(self._qualified)) > MOST_FILES:
                return None
            for name in self._overrides.fulfilling(self._qualified):
                names.update(self._overrides.definers(name, method))
        return self._trees(facts.qualified for facts in self._binding_facts(names, method))

    def without_tree(self, method: str) -> ClassFacts | None:
        """Return a relative that may have a ``method`` but no tree.

        A call makes the class, or a file defines it twice.
        """
        node = self._evaluator.classes.node
        relatives = self._binding_facts({*self._ancestors, *self.descendants}, method)
        return next((facts for facts in relatives if node(facts.qualified) is None), None)

    def base_before(self, method: str) -> str | None:
        """Return a base, as written, that may come before the class, and may have ``method``.

        A parameter is such a base: ``class Client(base, Service)``.
        """
        classes = self._evaluator.classes
        below = sorted(self.descendants - {self._qualified})
        for facts in (each for each in map(classes.facts, below) if each is not None):
            leading = [i for i, base in enumerate(facts.bases) if base in self.descendants]
            for index in range(max(leading, default=0)):
                if facts.bases[index] is None and self._may_have(facts, index, method):
                    return facts.bases_text[index]
        return None

    def _may_have(self, facts: ClassFacts, index: int, method: str) -> bool:
        bases = made_bases(self._evaluator, facts, index)
        has_own = self._evaluator.classes.has_own
        return not bases or not all(
            isinstance(base, ClassOf) and not has_own(base.qualified, method) for base in bases
        )

    def _binding_facts(self, names: Iterable[str], method: str) -> Iterator[ClassFacts]:
        for facts in map(self._evaluator.classes.facts, sorted(names)):
            # The compiler stores `__x` as `_Shop__x`.
            if facts is not None and any(
                member.endswith(method) or member == OPEN for member in facts.members
            ):
                yield facts

    def _trees(self, names: Iterable[str]) -> Iterator[tuple[Module, ast.ClassDef]]:
        for name in names:
            node = self._evaluator.classes.node(name)
            if node is not None:
                yield node

    def made_by(self, method: str) -> set[str]:
        """Return the classes for which ``X(...)`` runs the ``method`` of this one.

        That is ``__init__``, ``__new__`` or ``__post_init__``, and no class for any other.
        """
        if method not in MAKING:
            return set()
        return {name for name in self.descendants if self._may_be_own(name, method)}

    def _may_be_own(self, qualified: str, method: str) -> bool:
        """Whether ``method`` of the class ``qualified`` itself may be the one of this class."""
        definers = self._overrides.definers(qualified, method)
        # An `__init__` that is generated is defined nowhere.
        return not definers or self._qualified in definers

    def is_above(self, qualified: str, method: str) -> bool:
        """Whether ``super().method`` in the class ``qualified`` may be that of this class."""
        if qualified == self._qualified:
            return False
        if qualified not in self._ancestors and qualified not in self.descendants:
            return False
        stored = self._stored_name(method)
        line, following = self._overrides.line, self._overrides.following
        # An `__init__` that is generated is defined nowhere. A class with one base keeps its order.
        return any(
            self._qualified in (following(below, qualified, stored) or line(qualified))
            for below in self._hierarchy_of(qualified).descendants
            if below == qualified or len(line(below)[below].bases) > 1
        )

    @cached_property
    def is_linear(self) -> bool:
        """Whether the class and each that inherits from it have one base of the project at most.

        Then ``super()`` in the class is the nearest class above, whatever the instance is of.
        """
        classes, names = self._evaluator.classes, self.descendants
        return not self.is_too_large and all(classes.is_one_line(name) for name in names)

    def reaches(self, receiver: Value, method: str) -> bool | None:
        """Whether ``receiver.method`` may be that of this class; None if unknown."""
        match receiver:
            case InstanceOf() | ClassOf():
                return self._reaches_class(receiver.qualified, method)
            case Unknown():
                return None
            case Session():
                # A class of the program that inherits a session class is a session.
                roles = {self._evaluator.knowledge.types.get(name) for name in self._names_outside}
                return None if roles & _SESSIONS else False
            case External():
                held = self._evaluator.library.variable(receiver)
                if held is not None:
                    return self._reaches_class(held.qualified, method)
                # The standard library has no methods of the program's classes.
                top = receiver.qualified.partition(".")[0]
                return False if top in sys.stdlib_module_names or top == "builtins" else None
        return False

    @cached_method
    def _reaches_class(self, qualified: str, method: str) -> bool | None:
        if self._evaluator.classes.facts(qualified) is None:
            # A value that is declared as a library's base may be an instance of this class.
            return qualified in self._names_outside
        is_instance = self._overrides.is_instance
        answers = {is_instance(name, qualified) for name in self._bearing(method)}
        return True in answers or (None if None in answers else False)

    @cached_method
    def _bearing(self, method: str) -> tuple[str, ...]:
        """Return the classes whose instances may have the ``method`` of this one."""
        stored = self._stored_name(method)
        bearing = (name for name in sorted(self.descendants) if self._may_be_own(name, stored))
        return tuple(bearing)

    def _stored_name(self, method: str) -> str:
        """Return the name by which the compiler stores ``method`` of this class."""
        owner = self._qualified.rpartition(".")[2].lstrip("_")
        is_private = method.startswith("__") and not method.endswith("__")
        return f"_{owner}{method}" if is_private and owner else method
