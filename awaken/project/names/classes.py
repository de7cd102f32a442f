"""Classes of the project: where they are, what they inherit, who inherits from them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from awaken.contract import Span
from awaken.knowledge.library_names import library_names
from awaken.project.names.file_facts import (
    FactsIndex,
    WrittenClass,
    WrittenName,
    bases_of,
    decorators_of,
)
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.made_classes import MADE_LIKE, MadeClass, made_classes
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import last_name
from awaken.project.source.words import Words
from awaken.project.source.worklist import Queue, multimap

PROTOCOLS = library_names().protocols


class Definition(Struct, frozen=True):
    """A class, function or variable defined in the project."""

    path: str
    kind: str
    span: Span
    name: str


class ClassFacts(Struct, frozen=True):
    """One class as written: ``bases`` and ``decorators`` are qualified names, None if unknown.

    ``bases_text`` are the bases as written in the file. ``unique`` is False where the file defines
    the name twice. ``members`` are the names that its body binds, ``assigned`` those that it sets
    on ``self``.
    """

    qualified: str
    path: str
    span: Span
    bases: tuple[str | None, ...]
    bases_text: tuple[str, ...]
    decorators: tuple[str | None, ...]
    keywords: tuple[tuple[str, str], ...]
    unique: bool
    members: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()

    @property
    def attributes(self) -> frozenset[str]:
        """All names that it gives its instances."""
        return self.members | self.assigned


class Ancestors(NamedTuple):
    """A class and all it inherits: classes of the project, then names outside of it.

    ``unresolved`` are the bases, as written and with their class, that could not be followed.
    """

    inside: tuple[ClassFacts, ...]
    outside: tuple[str, ...]
    unresolved: tuple[tuple[ClassFacts, int], ...]


class Classes:
    """All that the project knows about classes; facts are kept per file that was asked for."""

    def __init__(self, names: Names, load: Load, words: Words, facts: FactsIndex) -> None:
        self._names = names
        self._facts = facts
        self._load = load
        self._words = words

    @cached_method
    def written_in(self, path: str) -> dict[str, WrittenClass]:
        """Return the classes of a file as written, by qualified name; empty if it does not parse.

        Their bases are names of other files, and are looked up class by class.
        """
        home = self._names.layout.name_of(path)
        return {f"{home}.{written.qualname}": written for written in self._facts.classes(path)}

    def _written_class(self, path: str, qualified: str) -> WrittenClass | None:
        """Return one class of a file as written; None if it is not there."""
        home = f"{self._names.layout.name_of(path)}."
        is_there = qualified.startswith(home)
        return self._facts.written_class(path, qualified[len(home) :]) if is_there else None

    def in_file(self, path: str) -> list[ClassFacts]:
        """Return the classes of a file; none if it does not parse."""
        return [self._class(path, name) for name in self.written_in(path)]

    @cached_method
    def facts(self, qualified: str) -> ClassFacts | None:
        """Return the class with this qualified name, if the project defines it."""
        located = self._names.locate(qualified)
        written = None if located is None else self._written_class(located.path, qualified)
        if located is None or written is None:
            return None
        result = self._class(located.path, qualified)
        # The call of a function that is not known makes anything.
        is_open = written.made and None in result.bases
        return None if is_open else result

    @cached_method
    def classes_called(self, simple: str) -> tuple[str, ...]:
        """Return the qualified names of all classes that are called ``simple``."""
        names = (name for path in self._words.defined_in(simple) for name in self.written_in(path))
        return tuple(name for name in names if name.rpartition(".")[2] == simple)

    def node(self, qualified: str) -> tuple[Module, ast.ClassDef] | None:
        """Return the tree of a class of the project; None if it is not there exactly once."""
        facts = self.facts(qualified)
        module = self._load(facts.path) if facts is not None and facts.unique else None
        if facts is None or module is None:
            return None
        # Facts are kept without their tree, which is found again by the place.
        node = module.class_at(facts.span)
        return None if node is None else (module, node)

    def made_class(self, qualified: str) -> tuple[Module, MadeClass] | None:
        """Return the call that makes a class of the project; None for those that are written."""
        facts = self.facts(qualified)
        module = self._load(facts.path) if facts is not None and facts.unique else None
        call = None if module is None or facts is None else _call_at(module, facts.span)
        return None if module is None or call is None else (module, made_classes(module)[call])

    @cached_method
    def ancestors(self, qualified: str) -> Ancestors | None:
        """Return what a class of the project inherits, itself first, nearest bases before far."""
        facts = self.facts(qualified)
        return None if facts is None else self._climb(facts)

    def line(self, qualified: str) -> tuple[ClassFacts, ...]:
        """Return a class of the project and those that it inherits, the nearest first."""
        ancestors = self.ancestors(qualified)
        return () if ancestors is None else ancestors.inside

    def library_ancestors(self, qualified: str) -> tuple[str, ...]:
        """Return what a class of the project inherits from outside, directly or not."""
        ancestors = self.ancestors(qualified)
        return () if ancestors is None else ancestors.outside

    def library_names(self, qualified: str) -> tuple[str, ...]:
        """Return those ancestors of a class; of a class of a library its own name."""
        ancestors = self.ancestors(qualified)
        return (qualified,) if ancestors is None else ancestors.outside

    def has_own(self, qualified: str, name: str) -> bool:
        """Whether a class, or one that it inherits, gives its objects something called ``name``."""
        line = self.line(qualified)
        return any(name in facts.members or name in facts.assigned for facts in line)

    def bodies(self, qualified: str) -> Iterator[tuple[str, Module, ast.ClassDef]]:
        """Yield a class of the project and those that it inherits: its name and its tree.

        The nearest first; a class that is not there exactly once is left out.
        """
        for facts in self.line(qualified):
            node = self.node(facts.qualified)
            if node is not None:
                yield facts.qualified, *node

    def fields(self, qualified: str) -> dict[str, tuple[Module, ast.AnnAssign]]:
        """Return the fields that making an instance of a class takes, in their order.

        Those that it inherits from the project come first; the nearest declaration counts.
        """
        return {
            statement.target.id: (module, statement)
            for _, module, body in reversed([*self.bodies(qualified)])
            for statement in body.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and declared_kind(statement.annotation) != "ClassVar"
        }

    @cached_method
    def is_one_line(self, qualified: str) -> bool:
        """Whether a class and all that it inherits have one base of the project at most."""
        ancestors = self.ancestors(qualified)
        inside = {} if ancestors is None else {one.qualified: one for one in ancestors.inside}
        return (
            ancestors is not None
            and not ancestors.unresolved
            and all(
                facts.unique and sum(base in inside for base in facts.bases) <= 1
                for facts in ancestors.inside
            )
        )

    @cached_method
    def subclasses(self, qualified: str) -> tuple[str, ...]:
        """Return the classes of the project that inherit directly from ``qualified``."""
        return tuple(self._subclasses_at(qualified, self._inheriting(qualified)))

    def subclasses_among(self, qualified: str, paths: Collection[str]) -> list[str]:
        """Return those of them that are in the files at ``paths``."""
        return self._subclasses_at(qualified, self._inheriting(qualified).intersection(paths))

    def _subclasses_at(self, qualified: str, paths: Iterable[str]) -> list[str]:
        # A base that is no dotted name may be any class.
        words = ("", *self.spellings(qualified))
        return [
            name
            for path in sorted(paths)
            for _, name in self._inheriting_in(path, words)
            if qualified in self._class(path, name).bases
        ]

    def _inheriting_in(self, path: str, words: Iterable[str]) -> list[tuple[int, str]]:
        """Return the classes of a file with a base of one of these last names, in their order."""
        by_base = self._by_base(path)
        return sorted({item for word in words for item in by_base.get(word, ())})

    @cached_method
    def _by_base(self, path: str) -> dict[str, list[tuple[int, str]]]:
        """Return the numbered classes of a file by the last names of their bases.

        Those with a base that may be any class are under "".
        """
        return multimap(
            (base.dotted[-1] if base.dotted and base.bound != "local" else "", (number, name))
            for number, (name, written) in enumerate(self.written_in(path).items())
            for base in written.bases
        )

    @cached_method
    def _inheriting(self, qualified: str) -> frozenset[str]:
        """Return the files in which a class may inherit directly from ``qualified``."""
        search = self._words.files_of_kind
        # A file may rename the base and only then inherit from it.
        return frozenset(
            path
            for word in self.spellings(qualified)
            for path in (*search(word, "inherited"), *search(word, "renamed"))
        )

    @cached_method
    def spellings(self, qualified: str) -> tuple[str, ...]:
        """Return the names by which the class may go: its own, and those that files give it."""
        words = [qualified.rpartition(".")[2]]
        for word in words:
            # The list grows while it is read: a new name may be given a new name.
            for path in self._words.files_of_kind(word, "renamed"):
                table = self._names.table(path)
                result = set[str]() if table is None else table.other_names(word)
                words += sorted(result - set(words))
        return tuple(words)

    def spellings_of(self, names: Iterable[str]) -> list[str]:
        """Return the names by which any of the classes ``names`` may go, sorted."""
        # In one order: a word that was sought before saves the search of another.
        return sorted({word for name in sorted(names) for word in self.spellings(name)})

    def heirs_of(self, bases: Iterable[str]) -> list[str]:
        """Return all classes of the project that inherit from one of ``bases``, each once."""
        return list(
            dict.fromkeys(name for base in sorted(bases) for name in self.all_subclasses(base))
        )

    def all_subclasses(self, qualified: str) -> tuple[str, ...]:
        """Return all classes of the project that inherit from ``qualified``, directly or not."""
        waiting = Queue(self.subclasses(qualified))
        for name in waiting:
            waiting += self.subclasses(name)
        return tuple(waiting.seen.values())

    def _climb(self, facts: ClassFacts) -> Ancestors:
        outside: dict[str, None] = {}
        unresolved: list[tuple[ClassFacts, int]] = []
        inside = Queue([facts], lambda current: current.qualified)
        for current in inside:
            for index, base in enumerate(current.bases):
                known = None if base is None else self.facts(base)
                if known is not None:
                    inside += [known]
                # Defined by the project, but not as one class: it may be anything.
                elif base is None or self._names.locate(base) is not None:
                    unresolved.append((current, index))
                else:
                    outside[base] = None
        return Ancestors(tuple(inside.seen.values()), tuple(outside), tuple(unresolved))

    @cached_method
    def _class(self, path: str, qualified: str) -> ClassFacts:
        written = self._written_class(path, qualified)
        if written is None:
            raise KeyError(qualified)
        return ClassFacts(
            qualified=qualified,
            path=path,
            span=written.span,
            bases=self._resolved_items(path, written, written.bases, bases_of),
            bases_text=tuple(base.text for base in written.bases),
            decorators=self._resolved_items(path, written, written.decorators, decorators_of),
            keywords=written.keywords,
            unique=written.unique,
            members=written.members,
            assigned=written.assigned,
        )

    def _resolved_items(
        self,
        path: str,
        written: WrittenClass,
        names: tuple[WrittenName, ...],
        nodes: Callable[[Module, ast.ClassDef], list[ast.expr]],
    ) -> tuple[str | None, ...]:
        """Return what ``names`` mean; only for those of a function their ``nodes`` are needed."""
        known = [self._names.qualified_written_name(path, name) for name in names]
        if any(name.bound == "local" for name in names):
            module = self._load(path)
            node = module.class_at(written.span) if module is not None else None
            call = _call_at(module, written.span) if module is not None and written.made else None
            parts = [] if module is None or node is None else nodes(module, node)
            parts += [] if module is None or call is None else made_classes(module)[call].bases
            if module is None or not parts:
                return (None,) * len(names)
            known = [self._names.qualified_name(module, part) for part in parts]
        made = (name.made for name in names)
        return tuple(
            MADE_LIKE.get(x or "") if is_made else x for x, is_made in zip(known, made, strict=True)
        )


def declared_kind(declared: ast.expr) -> str:
    """Return the last word of an annotation in front of its brackets."""
    if isinstance(declared, ast.Constant) and isinstance(declared.value, str):
        return declared.value.partition("[")[0].rpartition(".")[2].strip()
    return last_name(declared.value if isinstance(declared, ast.Subscript) else declared)


def _call_at(module: Module, span: Span) -> ast.Call | None:
    """Return the call that takes exactly ``span``, and makes a class; None if there is none."""
    return next((call for call in made_classes(module) if module.span(call) == span), None)
