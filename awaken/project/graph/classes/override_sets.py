"""Override sets: which method runs where one is called on an instance of a class or protocol.

Both directions ask here: ``callers_of`` begins with a method and asks which receivers run it
(``awaken.project.graph.classes.hierarchies``), the call graph begins with a receiver and asks which
methods it runs (``awaken.project.graph.forwards.call_graph_building``). The facts of files tell;
no tree is held, and only files with the words of a protocol are read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Literal

from awaken.knowledge.library_names import library_names
from awaken.project.names.classes import PROTOCOLS, Classes, ClassFacts
from awaken.project.names.file_facts import WrittenFunction
from awaken.project.names.functions.definitions import FoundFunctions, Functions
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.words import Words
from awaken.project.source.worklist import components
from awaken.project.values.evaluation import Evaluator

_BINDING = {"classmethod", "staticmethod"}
_SAYING = {"abc.abstractmethod", "abstractmethod", "override", "typing.override"}
HARMLESS_BASES = library_names().plain_bases | PROTOCOLS
"""Classes outside the project that have no method of interest, and call none of a subclass."""
MAKING = ("__new__", "__init__", "__post_init__")
"""The methods that run where a class is called."""
_MOST_BASES = 50  # of a class whose `__mro__` is worked out
_DYNAMIC = {"__getattr__", "__getattribute__"}


def may_stand_in(method: FoundFunctions, asked: FoundFunctions) -> bool:
    """Whether ``method`` may be what a protocol asks for by ``asked``, both as written.

    It is not if it cannot be passed what is passed there. It may not if it belongs to the class and
    has parameters of other names. Alternative constructors are like that: ``User.create(name)``
    next to the ``create(user)`` of a repository.
    """
    if len(method.functions) != 1 or len(asked.functions) != 1:
        return True
    function, other = method.functions[0], asked.functions[0]
    kind, kind_asked = _kind(function), _kind(other)
    if "decorated" in {kind, kind_asked}:
        return True
    own = function.parameters if kind == "staticmethod" else function.parameters.behind_first()
    wanted = other.parameters if kind_asked == "staticmethod" else other.parameters.behind_first()
    if kind != kind_asked and not own.others and not wanted.others:
        names = {*own.positional, *own.named}
        if not names.issuperset((*wanted.positional, *wanted.named)):
            return False
    return own.takes(wanted)


def _kind(
    function: WrittenFunction,
) -> Literal["classmethod", "staticmethod", "plain", "decorated"]:
    names = {decorator.name.text for decorator in function.decorators} - _SAYING
    if not names:
        return "plain"
    if len(names) > 1 or not names <= _BINDING:
        return "decorated"
    return "classmethod" if "classmethod" in names else "staticmethod"


class Overrides:
    """Answers for the classes of one program."""

    def __init__(self, classes: Classes, functions: Functions, words: Words) -> None:
        self._classes = classes
        self._functions = functions
        self._words = words

    # ----------------------------------------------------------------------------- inheritance
    @cached_method
    def line(self, qualified: str) -> dict[str, ClassFacts]:
        """Return the class and all that it inherits of the project, the nearest first."""
        inside = self._classes.line(qualified)
        return {facts.qualified: facts for facts in inside}

    def definers(self, qualified: str, method: str) -> tuple[str, ...]:
        """Return the class whose ``method`` an instance of the class itself has.

        None where there is none, several where Python's order of the bases is unknown.
        """
        nearest = self.nearest(self.line(qualified).values(), method)
        order = self.order(qualified) if len(nearest) > 1 else None
        return nearest if order is None else (min(nearest, key=order.index),)

    def nearest(self, line: Iterable[ClassFacts], method: str) -> tuple[str, ...]:
        """Return the classes of ``line`` that define ``method``, less those overridden there."""
        defining = [facts for facts in line if method in facts.members]
        overridden: set[str] = set()
        for facts in defining:
            # One of two classes of that name may lack the method.
            if facts.unique and facts.qualified not in overridden:
                overridden |= self.line(facts.qualified).keys() - {facts.qualified}
        return tuple(item.qualified for item in defining if item.qualified not in overridden)

    def following(self, qualified: str, above: str, method: str) -> tuple[str, ...]:
        """Return the class whose ``method`` is ``super().method`` in the class ``above``.

        It runs for an instance of the class ``qualified``, which inherits ``above``. None where no
        class of the program has it, several where Python's order of the bases is unknown.
        """
        line, order = self.line(qualified), self.order(qualified)
        if order is None:
            below = {name for name in line if above in self.line(name)}
            return self.nearest((item for name, item in line.items() if name not in below), method)
        behind = order[order.index(above) + 1 :]
        return tuple(name for name in behind if name in line and method in line[name].members)[:1]

    @cached_method
    def order(self, qualified: str) -> list[str] | None:
        """Return the names in the class's `__mro__`; None for one that is unknown."""
        line = self.line(qualified)
        if len(line) > _MOST_BASES or not all(candidate.unique for candidate in line.values()):
            return None
        orders: dict[str, list[str]] = {}

        def bases_of(name: str) -> list[str]:
            return [str(base) for base in line[name].bases] if name in line else []

        for name, *circular in components([qualified], bases_of):
            bases = bases_of(name)
            merged = _merged_names([*(orders.get(base, []) for base in bases), bases])
            if merged is None or circular or name in bases:
                return None
            orders[name] = [name, *merged]
        return orders[qualified]

    def is_instance(self, qualified: str, declared: str) -> bool | None:
        """Whether an instance of the class may be where ``declared`` is named as its type.

        None where an external base may have the members of a protocol.
        """
        if declared in self.line(qualified):
            return True
        return self.fulfils(qualified, declared) if self.is_protocol(declared) else False

    # ------------------------------------------------------------------------------- protocols
    def is_protocol(self, qualified: str) -> bool:
        """Whether a class of the program is a protocol, and none that only fulfils one."""
        facts = self._classes.facts(qualified)
        return facts is not None and not PROTOCOLS.isdisjoint(facts.bases)

    @cached_method
    def asking_for(self, member: str) -> list[str]:
        """Return the protocols that ask for ``member``, sorted: its own, and those below them."""
        # Those of other files are not read: a large program has hundreds of protocols.
        holding = self._words.files_with(member)
        asking = (
            heir
            for base in sorted(PROTOCOLS)
            for protocol in self._classes.subclasses_among(base, holding)
            if member in self._asked_by(protocol)
            for heir in (protocol, *self._classes.all_subclasses(protocol))
        )
        return sorted({name for name in asking if self.is_protocol(name)})

    @cached_method
    def fulfilling(self, protocol: str) -> tuple[str, ...]:
        """Return the classes that have all members of a protocol, whatever they inherit; sorted.

        Those with an unknown part are left out.
        """
        candidates = sorted(self._candidates(self._asked_by(protocol)))
        result = (name for name in candidates if self.fulfils(name, protocol))
        return tuple(result)

    def files_of(self, protocol: str) -> list[str]:
        """Return the files in which a class may have all members of a protocol, or a base of it."""
        asked = sorted(self._asked_by(protocol))
        return min(map(self._words.files_with, asked), key=len, default=[])

    def _candidates(self, asked: frozenset[str]) -> Iterator[str]:
        rarest = min(sorted(asked), key=lambda one: len(self._words.files_with(one)), default=None)
        for path in () if rarest is None else self._words.files_with(rarest):
            for name, written in self._classes.written_in(path).items():
                if rarest in written.attributes:
                    yield from (name, *self._classes.all_subclasses(name))

    @cached_method
    def _asked_by(self, protocol: str) -> frozenset[str]:
        """Return the members that a class must have to fulfil a protocol."""
        return frozenset(
            member
            for name, facts in self.line(protocol).items()
            if self.is_protocol(name)
            for member in facts.members
            if member == "__call__" or not member.startswith("__")
        )

    @cached_method
    def fulfils(self, qualified: str, protocol: str) -> bool | None:
        """Whether a class has all that a protocol asks for.

        None if a part of it is unknown, or if the protocol asks for nothing.
        """
        asked = sorted(self._asked_by(protocol))
        answers = {self._has(qualified, protocol, member) for member in asked}
        is_class = not self.is_protocol(qualified)
        return is_class and (
            False if False in answers else None if None in answers or not asked else True
        )

    def _has(self, qualified: str, protocol: str, member: str) -> bool | None:
        """Whether a class has what a protocol asks for, and takes what is passed there."""
        line = self.line(qualified).values()
        for facts in line:
            if member in facts.assigned:
                return True
            if member in facts.members:
                asked_by = self.nearest(self.line(protocol).values(), member)[0]
                own = self._functions.functions_called(f"{facts.qualified}.{member}")
                asked = self._functions.functions_called(f"{asked_by}.{member}")
                return own is None or asked is None or may_stand_in(own, asked)
        return None if self._is_open(qualified) else False

    def _is_open(self, qualified: str) -> bool:
        """Whether a class may have members that nobody sees."""
        ancestors = self._classes.ancestors(qualified)
        if ancestors is None or ancestors.unresolved or set(ancestors.outside) - HARMLESS_BASES:
            return True
        return any(not _DYNAMIC.isdisjoint(facts.members) for facts in ancestors.inside)


def _merged_names(orders: list[list[str]]) -> list[str] | None:
    """Merge the orders of bases as Python does (C3); None where Python raises TypeError."""
    heads: list[str] = []
    rest = [order for order in orders if order]
    while rest:
        behind = {name for order in rest for name in order[1:]}
        head = next((order[0] for order in rest if order[0] not in behind), None)
        if head is None:
            return None
        heads.append(head)
        rest = [left for order in rest if (left := order[1:] if order[0] == head else order)]
    return heads


_ABSTRACT = {"abc.abstractmethod", "abc.abstractproperty"}


def is_stub(evaluator: Evaluator, module: Module, function: Function) -> bool:
    """Whether another function runs where ``function`` of ``module`` is called.

    True for members of a ``Protocol``, abstract methods, and methods whose body is ``...`` or
    raises ``NotImplementedError``. From what such a body does, nothing can be concluded.
    """
    # A function of a module has nobody to implement it elsewhere.
    owner = module.scopes.scope_of(function).node
    if not isinstance(owner, ast.ClassDef):
        return False
    decorators = {evaluator.names.qualified_name(module, node) for node in function.decorator_list}
    if decorators & _ABSTRACT or _is_left_out(function):
        return True
    bases = (base.value if isinstance(base, ast.Subscript) else base for base in owner.bases)
    return any(evaluator.names.qualified_name(module, base) in PROTOCOLS for base in bases)


def _is_left_out(function: Function) -> bool:
    first, *rest = function.body
    if rest and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        first, *rest = rest  # after the docstring
    match first:
        case ast.Expr(value=ast.Constant(value=value)):
            return not rest and value is ...
        case ast.Raise(exc=ast.Call(func=ast.Name(name)) | ast.Name(name)):
            return name == "NotImplementedError"
    return False
