"""Class hierarchies: a class, all that it inherits and all that inherits from it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from awaken.knowledge.running import running
from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    Session,
    Unknown,
    Value,
)
from awaken.project.values.evaluation import Evaluator

_HARMLESS_BASES = {
    "abc.ABC",
    "builtins.object",
    "typing.Generic",
    "typing.Protocol",
    "typing_extensions.Protocol",
}
"""Classes outside the project that call no method of a subclass by its name."""
VIEWS = {
    "flask.views.MethodView",
    "flask.views.View",
    "flask_restful.Resource",
    "flask_restplus.Resource",
    "flask_restx.Resource",
    "starlette.endpoints.HTTPEndpoint",
}
"""Classes that call the methods of their subclasses that answer a request, and no others."""
_OF_VIEWS = {
    "as_view", "delete", "dispatch", "dispatch_request", "get", "head", "method_not_allowed",
    "options", "patch", "post", "put", "trace",
}  # fmt: skip
_MOST_FILES = (
    100  # to parse for one class; half makes two sites of ckan manual (benchmarks/limits.md)
)
_SESSIONS = {"session", "scoped", "async", "async-scoped"}


class Hierarchy:
    """The class ``qualified`` of the project, what it inherits, and what inherits from it."""

    def __init__(
        self,
        evaluator: Evaluator,
        files_with_word: Callable[[str], list[str]],
        hierarchy_of: Callable[[str], Hierarchy],
        qualified: str,
    ) -> None:
        self._evaluator = evaluator
        self._files_with_word = files_with_word
        self._family_of = hierarchy_of
        self._qualified = qualified
        self.is_too_large = False  # known when ``descendants`` were asked for

    @cached_property
    def descendants(self) -> frozenset[str]:
        """The class itself and all that inherit from it, over any number of steps."""
        found, queue = {self._qualified}, [self._qualified]
        while queue:
            for subclass in self._subclasses(queue.pop()):
                if subclass not in found:
                    found.add(subclass)
                    queue.append(subclass)
        return frozenset(found)

    def _subclasses(self, qualified: str) -> tuple[str, ...]:
        classes = self._evaluator.classes
        if self._is_everywhere(qualified.rpartition(".")[2]) or any(
            self._is_everywhere(word) for word in classes.spellings(qualified)
        ):
            self.is_too_large = True
            return ()
        return classes.subclasses(qualified)

    def _is_everywhere(self, word: str) -> bool:
        return len(self._files_with_word(word)) > _MOST_FILES

    @cached_property
    def _ancestors(self) -> frozenset[str]:
        """Everything inside the project that the class or one of its descendants inherits."""
        found: set[str] = set()
        for name in self.descendants:
            ancestors = self._evaluator.classes.ancestors(name)
            found |= (
                {facts.qualified for facts in ancestors.inside} if ancestors is not None else set()
            )
        return frozenset(found)

    @cached_property
    def _outside(self) -> frozenset[str]:
        found: set[str] = set()
        for name in self.descendants:
            ancestors = self._evaluator.classes.ancestors(name)
            found |= set(ancestors.outside) if ancestors is not None else set()
        return frozenset(found)

    def hidden_base(self, method: str) -> str | None:
        """Return a base of the class, out of sight, that may call ``method``; None if none."""
        ancestors = self._evaluator.classes.ancestors(self._qualified)
        # Which of two definitions is inherited cannot be told.
        if ancestors is None or not all(facts.unique for facts in ancestors.inside):
            return "classes that are defined twice"
        if ancestors.unresolved:
            facts, index = ancestors.unresolved[0]
            return f"`{facts.bases_text[index]}`"
        # SQLAlchemy's own bases call no method that a model adds.
        plain = self._evaluator.knowledge.declarative_roots
        harmless = _HARMLESS_BASES | set(plain) | (set() if method in _OF_VIEWS else VIEWS)
        hidden = [
            one
            for one in ancestors.outside
            if one not in harmless and running().may_call_of_subclass(one, method)
        ]
        return f"`{hidden[0]}`" if hidden else None

    def paths(self) -> set[str]:
        """Return the files of the class and of all its relatives."""
        classes = self._evaluator.classes
        names = self._ancestors | self.descendants
        return {facts.path for name in names if (facts := classes.facts(name)) is not None}

    def declaring(self, method: str) -> set[str]:
        """Return the files of the class, of all below it, and of relatives that set ``method``."""
        classes = self._evaluator.classes
        known = (classes.facts(name) for name in self._ancestors | self.descendants)
        return {
            one.path
            for one in known
            if one is not None
            and (one.qualified in self.descendants or method in one.members | one.assigned)
        }

    def definitions(self) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Yield the trees of the class and of all its relatives."""
        yield from self._trees(sorted(self._ancestors | self.descendants))

    def binding(self, method: str) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Yield the trees of those of them that bind ``method``: no other file is parsed."""
        classes = self._evaluator.classes
        known = ((name, classes.facts(name)) for name in sorted(self._ancestors | self.descendants))
        # The compiler stores `__x` as `_Shop__x`.
        yield from self._trees(
            name
            for name, facts in known
            if facts is not None and any(one.endswith(method) for one in facts.members)
        )

    def _trees(self, names: Iterable[str]) -> Iterator[tuple[Module, ast.ClassDef]]:
        for name in names:
            found = self._evaluator.classes.node(name)
            if found is not None:
                yield found

    def made_by_init(self) -> set[str]:
        """Return the classes for which ``X(...)`` calls the ``__init__`` of this one."""
        return {
            name
            for name in self.descendants
            # None is "cannot be told", so it may be the one of this class.
            if self._definer(name, "__init__") in {self._qualified, None}
        }

    def _definer(self, qualified: str, method: str) -> str | None:
        """Return the nearest class from ``qualified`` upwards that defines ``method``."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        for facts in ancestors.inside if ancestors is not None else ():
            found = self._evaluator.classes.node(facts.qualified)
            if found is None:
                return None
            module, node = found
            scope = module.scopes.scope_made_by(node)
            if scope.mangled(method) in scope.bindings:
                return facts.qualified
        return None

    def is_above(self, qualified: str, method: str) -> bool:
        """Whether ``super().method`` in the class ``qualified`` may be that of this class."""
        if qualified == self._qualified or qualified not in self._ancestors | self.descendants:
            return False
        lines = self._family_of(qualified)
        # With several bases the order depends on the class of the instance.
        return not lines.is_linear or lines.definer_above(method) in {self._qualified, None}

    @cached_property
    def is_linear(self) -> bool:
        """Whether the class and each that inherits from it have one base of the project at most.

        Then ``super()`` in the class is the nearest class above, whatever the instance is of.
        """
        classes, names = self._evaluator.classes, self.descendants
        return not self.is_too_large and all(classes.is_one_line(name) for name in names)

    def definer_above(self, method: str) -> str | None:
        """Return the nearest class above this one that defines ``method``; None if none does."""
        ancestors = self._evaluator.classes.ancestors(self._qualified)
        above = ancestors.inside[1:2] if ancestors is not None else ()
        return self._definer(above[0].qualified, method) if above else None

    def reaches(self, receiver: Value, method: str) -> bool | None:
        """Whether ``receiver.method`` may be that of this class; None if it cannot be told."""
        match receiver:
            case InstanceOf() | ClassOf():
                return self._reaches_class(receiver.qualified, method)
            case Unknown():
                return None
            case Session():
                # A class of the program that inherits a session class is a session.
                roles = {self._evaluator.knowledge.types.get(one) for one in self._outside}
                return None if roles & _SESSIONS else False
            case External():
                # The standard library has no methods of the program's classes.
                top = receiver.qualified.partition(".")[0]
                return False if top in sys.stdlib_module_names or top == "builtins" else None
            case _:
                return False

    def _reaches_class(self, qualified: str, method: str) -> bool:
        if self._evaluator.classes.facts(qualified) is None:
            # What is declared as a base from a library may be an instance of this class.
            return qualified in self._outside
        if qualified in self.descendants:
            definer = self._definer(qualified, method)
            if definer is None or definer == self._qualified:
                return True
            # It overrides the method; only a class with several bases may come back to this one.
            return definer not in self.descendants
        # What is declared as a base may be an instance of this class.
        return qualified in self._ancestors
