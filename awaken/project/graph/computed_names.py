"""Names of modules and attributes of classes that the program may set by a computed name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from awaken.project.graph.callers.composed_names import fits
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.replacing import Put, puts_in, texts_of
from awaken.project.values.domain import ClassOf, External, InstanceOf, ModuleOf

_WORDS = [b"setattr", b"object(", b"spy(", b"globals(", b"vars(", b"__dict__"]
"""What a file holds that sets an attribute whose name it computes."""
_Sought = Mapping[str, Collection[str]]
"""Names, by the dotted name of the module or class that has them."""


class ComputedNames(ProgramFacts):
    """Answers for one project: ``setattr(Client, name, fake)``, ``globals()[name] = fake``."""

    def places_setting(self, names: Collection[str], of_any: str = "") -> Iterator[tuple[str, int]]:
        """Yield what may set one of the dotted ``names``: its file, and its number.

        The number counts the file's puts of no certain name. Each of ``names`` is of a module or a
        class: what an instance gets counts for its class. An unknown object is neither, but where
        its file has the name ``of_any`` object as a text.
        """
        sought: defaultdict[str, set[str]] = defaultdict(set)
        for name in sorted(names):
            owner, _, last = name.rpartition(".")
            if owner:
                sought[owner].add(last)
        for path, holder in self._files.items() if sought else ():
            module = self._evaluator.load(path) if self._may_set(path, holder, sought) else None
            has_text = bool(of_any) and path in self._files_with_text(of_any)
            puts = () if module is None else puts_in(module).get("", ())
            for number, put in enumerate(puts):
                fitting = {x for x, words in sought.items() if module and _fits(module, put, words)}
                owners = self._owners(path, number) if fitting else frozenset()
                if not owners.isdisjoint(fitting) or (fitting and has_text and not owners):
                    yield path, number

    def may_set_in(self, path: str) -> bool:
        """Whether the file at ``path`` may set a name that it computes, on whatever object."""
        return path in self._files

    @cached_property
    def _files(self) -> dict[str, bytes]:
        """The files that may set a computed name, with what they set it on."""
        words = self._evaluator.words
        holders = {
            path: words.may_set_computed(path) for path in self._evaluator.files_with(_WORDS)
        }
        return {path: holder for path, holder in holders.items() if holder}

    def _may_set(self, path: str, holder: bytes, sought: _Sought) -> bool:
        """Whether a file may set something of an owner, by what is known without its tree."""
        homes = map(self._evaluator.names.locate, sought)
        if any(home is not None and home.path == path for home in homes):
            return True
        return holder == b"any" and any(
            path in holders if holders is not None else True
            for owner in sorted(sought)
            for holders in [self._holders(owner, frozenset(sought[owner]))]
        )

    @cached_method
    def _holders(self, owner: str, words: frozenset[str]) -> Collection[str] | None:
        """Return the files that may hold an owner, of which they set ``words``; None for all."""
        names, modules = self._evaluator.names, self._evaluator.callers.module_values
        defined = names.defined_name(owner)
        located = names.locate(defined)
        if located is None:
            return None if "." in defined or modules.is_value(defined) else ()
        if located.rest:
            return () if self._evaluator.classes.facts(defined) is None else None
        if all(names.attribute(located.path, word) != f"{defined}.{word}" for word in words):
            # Only a file that has its text replaces what a module imports, by a name put together.
            texts = {path for word in sorted(words) for path in self._files_with_text(word)}
            if texts.isdisjoint(self._files):
                return ()
        return modules.holders(located.path)

    @cached_method
    def _files_with_text(self, word: str) -> frozenset[str]:
        # ``input"`` ends like ``put"``.
        naming = self._evaluator.files_naming(word)
        if naming is not None and not self._files.keys() & set(naming):
            return frozenset()
        texts = self._evaluator.files_with([f"{word}{quote}".encode() for quote in "\"'"])
        return frozenset(texts).intersection(texts if naming is None else naming)

    @cached_method
    def _owners(self, path: str, number: int) -> frozenset[str]:
        """Return the dotted names of the modules and classes of which a put may set a name."""
        module = self._evaluator.load(path)
        if module is None:
            return frozenset()
        put = puts_in(module)[""][number]
        if put.owner is None:
            return frozenset({put.name.rpartition(".")[0]})
        return frozenset(self._owners_written(module, put.owner))

    def _owners_written(self, module: Module, owner: ast.expr) -> Iterator[str]:
        name = self._evaluator.names.qualified_name(module, owner)
        yield from () if name is None else (name,)
        for value in self._evaluator.values(module, owner):
            match value:
                case ModuleOf(path=path):
                    yield self._evaluator.names.layout.name_of(path)
                case ClassOf() | InstanceOf() | External():
                    yield value.qualified


def _fits(module: Module, put: Put, words: Collection[str]) -> bool:
    texts = None if put.key is None else texts_of(module, put.key)
    if texts is not None:
        return not set(texts).isdisjoint(words)
    return put.key is None or any(fits(put.key, word) for word in words)
