"""Construction: the methods that run where a class of the program is called."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.graph.dispatch import Called
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.names.classes import ClassFacts
from awaken.project.names.functions.generated_init import dataclass_makes_init
from awaken.project.source.modules import Module
from awaken.project.source.trees import methods_named
from awaken.project.values.attributes.made_bases import hidden_base
from awaken.project.values.domain import ClassOf

_PLAIN_BASES = library_names().plain_bases | {"typing.NamedTuple"}
_MAPPING = "sqlalchemy.orm.DeclarativeBase"
_METHODS = ("__new__", "__init__", "__post_init__", "__setattr__")


class Construction(Struct, frozen=True):
    """The methods of the program that run where a class is called.

    ``initialisers`` get the arguments of the call. ``after`` are the ``__post_init__`` of a
    dataclass, and the ``__setattr__`` of assignments. ``outside`` are classes of libraries that may
    run more. ``why`` says why more of the program may run; it is empty where these are all.
    """

    initialisers: tuple[Called, ...]
    after: tuple[Called, ...]
    outside: tuple[str, ...]
    why: str

    @property
    def runs(self) -> tuple[Called, ...]:
        """All methods, in the order in which they begin."""
        return self.initialisers + self.after

    @property
    def is_all(self) -> bool:
        """Whether nothing but these methods runs."""
        return not self.why and not self.outside


class Constructions(ProgramFacts):
    """Answers for one project."""

    def at_call(self, module: Module, call: ast.Call) -> Construction | None:
        """Return what runs where ``call`` makes an instance; None if it calls something else."""
        values = self._evaluator.values(module, call.func)
        value = values[0] if len(values) == 1 else None
        return self.of_class(value.qualified) if isinstance(value, ClassOf) else None

    def of_class(self, qualified: str) -> Construction | None:
        """Return what runs where a class of the program is called; None for another class."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        if ancestors is None:
            return None
        overrides = self._evaluator.callers.overrides
        line, order = overrides.line(qualified), overrides.order(qualified)
        classes = [line[name] for name in order or line if name in line]
        hooks = frozenset[str]().union(*(facts.members for facts in classes))
        why = next(filter(None, (self._why_more(facts, hooks) for facts in classes)), "")
        hidden = (hidden_base(self._evaluator, ancestors, name) for name in _METHODS)
        if order is None or any(hidden):
            why = why or f"not all bases of `{qualified}` are known"
        # A base of `declarative_base()` runs the constructor of SQLAlchemy.
        outside = (*ancestors.outside, *(_MAPPING for _ in ancestors.unresolved[:1]))
        made, init = self._init(classes)
        initialisers = (*self._first(classes, "__new__"), *init)
        after = (*(self._first(classes, "__post_init__") if made else ()),)
        return Construction(
            initialisers=initialisers,
            after=(*after, *self._first(classes, "__setattr__")),
            outside=tuple(name for name in outside if not _is_plain(name)),
            why=why,
        )

    def _why_more(self, facts: ClassFacts, hooks: frozenset[str]) -> str:
        """Return why more may run than the methods of a class; empty if nothing does.

        ``hooks`` are the members of all that an instance has.
        """
        node = self._evaluator.classes.node(facts.qualified)
        if node is None:
            return f"`{facts.qualified}` is there twice"
        module, owner = node
        # Other decorators may put another `__init__` in place.
        if dataclass_makes_init(facts, owner) is None:
            return f"a decorator makes `{facts.qualified}`"
        if any(name in facts.members and not methods_named(owner, name) for name in _METHODS):
            return f"`{facts.qualified}` gets a method by an assignment"
        if owner.keywords and "__init_subclass__" in hooks:
            return f"an `__init_subclass__` makes `{facts.qualified}`"
        metaclasses = (keyword.value for keyword in owner.keywords if keyword.arg == "metaclass")
        if any(self._is_of_program(module, metaclass) for metaclass in metaclasses):
            return f"a metaclass makes `{facts.qualified}`"
        return ""

    def _is_of_program(self, module: Module, metaclass: ast.expr) -> bool:
        """Whether a metaclass may be one of the program, which may do anything where it is called.

        One of a library is that of a class that it inherits.
        """
        name = self._evaluator.names.qualified_name(module, metaclass)
        return name is None or self._evaluator.classes.facts(name) is not None

    def _init(self, classes: list[ClassFacts]) -> tuple[bool, tuple[Called, ...]]:
        """Return whether a dataclass is given the ``__init__`` that runs, and the written one."""
        for facts in classes:
            if "__init__" in facts.members:
                return False, tuple(self._first([facts], "__init__"))
            node = self._evaluator.classes.node(facts.qualified)
            if node is not None and dataclass_makes_init(facts, node[1]):
                return True, ()
        return False, ()

    def _first(self, classes: list[ClassFacts], method: str) -> Iterator[Called]:
        """Yield the ``method`` that an instance has, if the program has it."""
        owner = next((facts for facts in classes if method in facts.members), None)
        node = None if owner is None else self._evaluator.classes.node(owner.qualified)
        if node is not None:
            for function in methods_named(node[1], method):
                yield Called(node[0], function, 1)


def _is_plain(name: str) -> bool:
    return name in _PLAIN_BASES or is_builtin_error(name)


def is_builtin_error(name: str) -> bool:
    """Whether ``name`` is a builtin exception."""
    made = getattr(builtins, name.removeprefix("builtins."), None)
    return isinstance(made, type) and issubclass(made, BaseException)
