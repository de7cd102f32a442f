"""The index of callers: searches that were made, and their going through files together."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import Literal

from awaken.contract import Place
from awaken.project.graph.callers.call_sites import Callers, CallSite, Obstacle, Why
from awaken.project.graph.callers.method_mentions import (
    AnyMention,
    Imported,
    Mention,
    Text,
    imported_by,
    may_name_in_text,
    mention_of,
    owner_in_text,
)
from awaken.project.graph.callers.search_inputs import Surroundings
from awaken.project.graph.callers.target import Target, scope_around
from awaken.project.graph.classes.hierarchies import Hierarchy
from awaken.project.names.visibility import is_seen
from awaken.project.source.memo import RECORDER, Record
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, without_arguments
from awaken.project.source.words import Words
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.calls.decorator_effects import calls_nothing_else
from awaken.project.values.domain import MOST_ALTERNATIVES
from awaken.project.values.evaluation import Evaluator

_FEW_FILES = 60
"""Files that are all parsed: asking who imports what takes as long as that."""
_FEW_FILES_OF_PUBLIC = 15
"""The same for a function that code out of sight may call: less can come of it. Half makes two
sites of quetz manual (benchmarks/limits.md)."""


class CallIndex:
    """Finds the callers of functions when asked, and keeps the places that it found."""

    def __init__(self, evaluator: Evaluator, words: Words) -> None:
        self._evaluator = evaluator
        self.words = words
        self._kept: dict[tuple[str, int], tuple[Callers, Record]] = {}
        self._surroundings = Surroundings(evaluator, words)
        self.module_values = self._surroundings.module_values
        self.hierarchy = self._surroundings.hierarchy
        self.overrides = self._surroundings.overrides
        self.importers = self._surroundings.importers

    def callers_of(self, module: Module, function: Function) -> Callers:
        """Return who calls ``function``, a function or method of ``module``."""
        self.search([(module, function)])
        callers, record = self._kept[module.key_of(function)]
        RECORDER.add(record)
        return callers

    def search(self, functions: Iterable[tuple[Module, Function]]) -> None:
        """Find who calls ``functions``, so that ``of`` knows: a file is parsed once for them all.

        Their trees are not kept, so they may be made one after the other.
        """
        searches: dict[tuple[str, int], _Search] = {}
        for module, function in functions:
            key = module.key_of(function)
            if key not in self._kept and key not in searches:
                # Else following a receiver would search for its callers, and so on without an end.
                with RECORDER.without_record(), self._evaluator.without_callers():
                    searches[key] = _Search(self._surroundings, module, function)
        with RECORDER.without_record(), self._evaluator.without_callers():
            _run_together(searches.values())
        for key, search in searches.items():
            self._kept[key] = search.callers(), search.record


def _run_together(searches: Iterable[_Search]) -> None:
    """Run searches, which say to which file each goes on, so that they go through files together.

    Each goes its own way, word by word and file by file, whatever the others look for.
    """
    waiting: dict[str, list[tuple[_Search, Iterator[str]]]] = {}
    ahead, behind, current = list[str](), list[str](), ""

    def go_on(search: _Search, files: Iterator[str]) -> None:
        with RECORDER.with_record(search.record):
            path = next(files, None)
        if path is None:
            return
        if path not in waiting:
            heappush(ahead if path > current else behind, path)
        waiting.setdefault(path, []).append((search, files))

    for search in searches:
        go_on(search, search.run())
    while waiting:
        if not ahead:
            ahead, behind = behind, ahead
        current = heappop(ahead)
        for search, files in waiting.pop(current):
            go_on(search, files)


class _Search:
    """One search for the callers of one function.

    It starts from the text: only files that contain the function's name, or an alias of it, as a
    word are parsed. A call counts if its function may be the one asked for; receivers of methods
    are followed without asking what *their* callers pass, so that a search never starts another
    one.

    If many files contain the name, those that import the function's module come first: no other
    file can hold a call that is known to reach it. The others can only hold what is unknown, and
    the first of these is enough.

    Not looked for: names of methods put together at run time outside the files of their class
    (``getattr(user, prefix + name)``), code in strings, and callers in files that do not parse.
    """

    def __init__(self, surroundings: Surroundings, module: Module, function: Function) -> None:
        self._surroundings = surroundings
        self._evaluator = surroundings.evaluator
        self._target = Target(surroundings, module, function)
        self._sites: dict[tuple[str, int, int], CallSite] = {}
        self._obstacles: dict[tuple[Why, str], Obstacle] = {}
        self._locals: list[str] = []  # other names in the functions of the file that is searched
        self.record = Record()
        with RECORDER.with_record(self.record):
            self._look_at_definition(module, function)

    def callers(self) -> Callers:
        """Return what was found."""
        sites = sorted(self._sites.values(), key=lambda site: (site.place.path, site.place.span))
        return Callers(tuple(sites), tuple(self._obstacles.values()))

    # ------------------------------------------------------------------------- the definition
    def _look_at_definition(self, module: Module, function: Function) -> None:
        scope = scope_around(module, function)
        for decorator in function.decorator_list:
            if not calls_nothing_else(self._evaluator, module, decorator):
                plain = without_arguments(decorator)
                text = module.excerpt(plain)
                why = f"`{function.name}` is decorated by `{text}`, which may call it"
                self._stop("framework", why, module.place(plain))
        if function.name.startswith("test") or function.name.startswith("pytest_"):
            self._stop("framework", f"pytest may call `{function.name}`", self._target.place)
        if (
            function.name.startswith("__")
            and function.name.endswith("__")
            and not (self._target.makes and function.name == "__init__")
        ):
            self._stop("framework", f"Python itself calls `{function.name}`", self._target.place)
        names = ".".join([*scope.definition_names(), self._target.shown])
        # Nobody can import the local definitions of a function.
        if is_seen(self._evaluator.names, module, names) and scope.enclosing_function() is None:
            why = f"code outside the project may call `{self._target.shown}` as well"
            self._stop("outside", why, self._target.place)
        if self._target.hierarchy is not None:
            self._look_at_hierarchy(self._target.hierarchy)
        if not self._target.is_local:
            self._look_for_dynamic_names()
            outside = self._surroundings.words.place_outside_python(self._target.shown)
            if outside is not None:
                why = f"{outside.path} names `{self._target.shown}`"
                self._obstacles["named", why] = Obstacle("named", why, outside)

    def _look_at_hierarchy(self, hierarchy: Hierarchy) -> None:
        hidden = hierarchy.hidden_base(self._target.name)
        if hidden is not None:
            why = f"`{self._target.owner_name}` inherits from {hidden}, which may call it"
            self._stop("inherited", why, self._target.place)
        if hierarchy.descendants and hierarchy.is_too_large:
            why = f"`{self._target.owner_name}` is named in too many files"
            self._stop("many", why, self._target.place)

    def _look_for_dynamic_names(self) -> None:
        """Look for ``getattr(self, f"_do_{name}")``, ``vars(module)[name]`` and their like."""
        target = self._target
        if not target.is_method:
            for place, text in self._surroundings.lookups_of(target.place.path, target.shown):
                self._stop("dynamic", f"`{text}` may name `{target.shown}`", place)
            return
        for module, lookup in self._surroundings.lookups_near(target.home()):
            if target.may_name(module, lookup):
                why = f"`{module.excerpt(lookup.node)}` may name `{target.shown}`"
                self._stop("dynamic", why, module.place(lookup.node))

    # ----------------------------------------------------------------------------- the search
    def run(self) -> Iterator[str]:
        """Search everything; yield the path of each file before it is looked at."""
        target = self._target
        if target.never_runs:
            return
        words = [target.shown]
        if target.makes and target.hierarchy is not None:
            words += sorted({name.rpartition(".")[2] for name in target.made} - set(words))
            self._search_hierarchy(target.hierarchy)
        # Subclasses that are made by this `__init__` are no aliases. Each alias is one more search.
        most = MOST_ALTERNATIVES + len(words)
        for count, word in enumerate(words, 1):
            # The list grows while it is read.
            for path in self._files(word):
                yield path
                search_file = self._search_file(path, word)
                words += sorted(name for name in search_file if name not in words)
            if count > most:
                self._stop("many", "it has too many names", target.place)
                return

    def _files(self, word: str) -> Iterator[str]:
        """Yield the files to search, the most important first, as long as it is worth it."""
        if self._target.is_local:
            # The name of a function inside another one is not seen outside of that.
            yield self._target.place.path
            return
        paths = self._surroundings.words.files_with(word)
        is_public = any(kind == "outside" for kind, _ in self._obstacles)
        if len(paths) <= (_FEW_FILES_OF_PUBLIC if is_public else _FEW_FILES):
            yield from paths
            return
        near, far = self._by_nearness(paths)
        # Invisible code may call a public function anyway.
        is_common = is_public and len(paths) > MOST_FILES
        if len(near) > (_FEW_FILES_OF_PUBLIC if is_common else MOST_FILES):
            self._stop("many", _too_many(word, paths), self._target.place)
            return
        yield from near
        if is_common:
            self._stop("unresolved", _too_many(word, paths), self._target.place)
            return
        yield from self._far_files(word, paths, far)

    def _far_files(self, word: str, paths: list[str], far: list[str]) -> Iterator[str]:
        """Yield files that can only hold what is unknown, up to the first that does."""
        known, without = len(self._obstacles), self._surroundings.without_calls
        for count, path in enumerate(far):
            if count == MOST_FILES:
                self._stop("unresolved", _too_many(word, paths), self._target.place)
            if len(self._obstacles) > known:
                return
            # Of a method, the answer depends on its class.
            if self._target.owner is not None:
                yield path
            elif (word, path) not in without:
                yield path
                # By now it has been searched.
                if len(self._obstacles) == known:
                    without[word, path] = None

    def _by_nearness(self, paths: list[str]) -> tuple[list[str], list[str]]:
        """Return the files that can hold a call which is known to be meant, and the others."""
        importing = self._surroundings.importers.with_importers(self._target.typed_in())
        if importing is None:
            return paths, []
        known = importing | self._target.home()
        return [path for path in paths if path in known], [one for one in paths if one not in known]

    def _search_file(self, path: str, word: str) -> set[str]:
        """Search one file for ``word``; return the names by which others may know the function."""
        if not self._evaluator.names.facts.may_mention(path, word):
            return set()
        result = set[str]()
        self._locals = [word]
        # The list grows while it is read: no other file sees the variables of a function.
        for name in self._locals:
            in_file = self._in_file(path, name)
            if in_file is None:
                # It may hold a call all the same.
                why = f"{path} cannot be parsed"
                self._stop("unresolved", why, self._target.place)
                return set()
            result.update(*in_file)
        return result

    def _in_file(self, path: str, word: str) -> Iterable[set[str]] | None:
        """Look at all mentions in a file; return the other names that each gives."""
        if self._target.is_method:
            mentions = self._surroundings.mentions.mentions_in(path, word)
            return None if mentions is None else [self._as_method(item, word) for item in mentions]
        module = self._evaluator.load(path)
        if module is None:
            return None
        return [self._as_function(module, mention, word) for mention in module.mentions(word)]

    def _as_method(self, mention: AnyMention, word: str) -> set[str]:
        match mention:
            case Mention():
                return self._mentioned_names(mention, self._target.bound_by(mention))
            case Imported():
                return self._imported_names(mention)
            case Text():
                self._named_in(mention, word)
        return set()

    def _as_function(self, module: Module, node: ast.AST, word: str) -> set[str]:
        """Look at one mention of a function or a class; return the other name that it gives."""
        match node:
            case ast.Name() | ast.Attribute():
                bound = self._target.bound_arguments(module, node)
                if bound is not False:
                    made = mention_of(module, node, is_class=self._target.makes)
                    return self._mentioned_names(made, bound)
            case ast.alias():
                imported = imported_by(self._evaluator, module, node)
                return set() if imported is None else self._imported_names(imported)
            case ast.Constant(value=str() as text):
                self._look_at_text(module, node, text, word)
        return set()

    def _search_hierarchy(self, hierarchy: Hierarchy) -> None:
        """Look for ``cls(...)``, ``type(self)(...)`` and ``super().__init__(...)``."""
        lines = map(self._evaluator.classes.line, sorted(self._target.made))
        made = self._target.made.union(facts.qualified for line in lines for facts in line)
        for module, owner in hierarchy.definitions():
            name = module.full_name(owner)
            inherits = hierarchy.is_above(name, self._target.name)
            makes = name in made
            for node in module.walk(owner):
                bound = self._target.makes_by(module, node, inherits=inherits, makes=makes)
                if bound is not None and isinstance(node, ast.Call):
                    self._add(module.place(node), bound)

    def _add(self, place: Place, bound: int) -> None:
        self._sites[place.path, place.span.start, place.span.end] = CallSite(place, bound)

    def _stop(self, kind: Why, why: str, place: Place) -> None:
        known = self._obstacles.get((kind, why))
        if known is None:
            self._obstacles[kind, why] = Obstacle(kind, why, place)
        else:
            self._obstacles[kind, why] = replace(known, others=(*known.others, place))

    def _imported_names(self, found: Imported) -> set[str]:
        """Look at an import; return the other name that it gives to the function, if any."""
        if not self._target.is_imported_as(found.qualified):
            return set()
        if found.is_exported:
            path, name = found.place.path, found.name
            why = f"{path} exports `{name}`, which code outside the project may call"
            self._stop("outside", why, found.place)
        return {found.name} - {found.original}

    # ---------------------------------------------------------------------------- one mention
    def _mentioned_names(self, mention: Mention, bound: int | Literal[False] | None) -> set[str]:
        """Look at one mention; return the name that it gives to the function, if it does."""
        if bound is False:
            return set()
        if bound is None:
            if mention.kind in {"call", "value", "decorator"}:
                why = f"the target of `{mention.text}` is unknown"
                self._stop("unresolved", why, mention.place)
            return set()
        shown = self._target.shown
        if mention.is_call and mention.kind in {"call", "decorator"}:
            self._add(mention.used, bound)
        match mention.kind:
            case "alias" if self._is_followed(mention):
                if mention.is_in_function and mention.name not in self._locals:
                    self._locals.append(mention.name)
                return set() if mention.is_in_function else {mention.name}
            case "injected":
                why = f"`{shown}` is given to a framework, which calls it"
                self._stop("framework", why, mention.used)
            case "value" | "alias" | "decorator" as kind:
                how = "used as a decorator" if kind == "decorator" else "passed on as a value"
                self._stop("value", f"`{shown}` is {how}", mention.used)
        return set()

    def _is_followed(self, mention: Mention) -> bool:
        """Whether the other name that an assignment gives is always the function."""
        scope = mention.renamed_in
        if self._target.is_local or scope is None:
            return False
        return scope == self._target.owner if self._target.is_method else not scope.is_class

    def _look_at_text(self, module: Module, node: ast.Constant, text: str, word: str) -> None:
        owner = owner_in_text(word, text)
        if owner is None or self._target.is_local:
            return
        if not owner and self._leads_nowhere(module.path):
            return
        # The receiver of a method may be anything that has it.
        may_own = not owner or self._target.owner is not None
        modules = self._surroundings.module_values.last_names
        if (may_own or owner in modules) and may_name_in_text(self._evaluator, module, node):
            self._named_in(Text(module.place(node), text), word)

    def _leads_nowhere(self, path: str) -> bool:
        """Whether the name of a function, in the file at ``path``, leads to nothing.

        Code that looks for a name, as in `getattr(module, name)`, has the module as a value.
        """
        home = self._target.place.path
        # Others may have the modules of a library.
        is_plain = self._target.is_plain and not self._evaluator.names.layout.published
        values = self._surroundings.module_values
        is_elsewhere = path != home or not values.looks_up_itself(home)
        return is_plain and is_elsewhere and not values.travels(home)

    def _named_in(self, found: Text, word: str) -> None:
        self._stop("named", f"the text {found.text!r} names `{word}`", found.place)


def _too_many(word: str, paths: list[str]) -> str:
    return f"`{word}` occurs in {len(paths)} files, too many to follow"
