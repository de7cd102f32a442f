"""Shared inputs of the search for callers: files, classes, modules as values."""

from __future__ import annotations

import ast
import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.project.graph.callers.composed_names import Lookup, lookups_in
from awaken.project.graph.callers.method_mentions import Mentions
from awaken.project.graph.classes.hierarchies import Hierarchy
from awaken.project.graph.classes.override_sets import Overrides
from awaken.project.names.functions.definitions import Functions
from awaken.project.names.module_layout import Layout
from awaken.project.source.memo import Recorded, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.undefined import may_define
from awaken.project.source.trees import Function, last_name
from awaken.project.source.words import COMPOSING, Words
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.calls.loaded_files import MAKING, NAMING
from awaken.project.values.domain import ModuleOf, Unknown
from awaken.project.values.evaluation import Evaluator

_MOST_SEARCHED = 1000
_ANYTHING = frozenset({""})
"""In place of the name of a function: an object that is more than what callers pass to it."""


class Surroundings:
    """The program around a function."""

    def __init__(self, evaluator: Evaluator, words: Words) -> None:
        self.evaluator = evaluator
        self.words = words
        functions = Functions(evaluator.names, evaluator.names.facts)
        self.overrides = Overrides(evaluator.classes, functions, words)
        self.importers = Importers(evaluator.names.layout, words)
        self.module_values = _ModuleValues(evaluator, words, self.importers)
        self.mentions = Mentions(evaluator)
        self.without_calls = Recorded[tuple[str, str], None]()
        """Names of functions with files of which it is known that no mention of the name may be a
        call of a function that the file cannot import."""

    @cached_method
    def hierarchy(self, qualified: str) -> Hierarchy:
        """Return the class ``qualified`` of the project with its relatives."""
        return Hierarchy(
            self.evaluator, self.words.files_with, self.overrides, self.hierarchy, qualified
        )

    def lookups_near(self, paths: Collection[str]) -> Iterator[tuple[Module, Lookup]]:
        """Yield the lookups of the files at ``paths``."""
        composing = filter(self._may_compose, sorted(self._composing.intersection(paths)))
        for module in self.evaluator.modules_at(composing):
            yield from ((module, lookup) for lookup in lookups_in(module))

    def lookups_of(self, path: str, name: str) -> Iterator[tuple[Place, str]]:
        """Yield where ``name`` of the module at ``path`` may be looked up, with the texts."""
        for place, text, pattern in self._lookups_at(path):
            if re.fullmatch(pattern, name):
                yield place, text

    @cached_method
    def _lookups_at(self, path: str) -> list[tuple[Place, str, str]]:
        """Return the lookups of any name, each with its text and the pattern of what it reads."""
        holders = self.module_values.holders(path)
        near = {file for file in holders if file == path or self._may_look_up(file, path)}
        return [
            (module.place(lookup.node), module.excerpt(lookup.node), lookup.pattern(module))
            for module, lookup in self.lookups_near(near)
            if self._may_read(path, module, lookup)
        ]

    def _may_look_up(self, file: str, path: str) -> bool:
        """Whether a file may look up names of another, which is at ``path``."""
        takers = self.module_values.takers(path)
        takes_it = not takers.isdisjoint(self._takers_looking_up(file))
        return takes_it or path in self._modules_looked_up(file)

    # Many files ask, and a large program does not keep the tree of this one in between.
    @cached_method
    def _takers_looking_up(self, path: str) -> frozenset[str]:
        """Return the functions of a file that look up names in what they are called with."""
        lookups = self.lookups_near([path])
        takers = (_takers(module, lookup.owner) for module, lookup in lookups if lookup.owner)
        return frozenset().union(*takers)

    @cached_method
    def _modules_looked_up(self, path: str) -> frozenset[str]:
        """Return the files in which a file may look up names, but not what callers give it."""
        return frozenset(
            value.path
            for module, lookup in self.lookups_near([path])
            if lookup.owner is not None and _takers(module, lookup.owner) >= _ANYTHING
            for value in self.evaluator.values(module, lookup.owner)
            if isinstance(value, ModuleOf)
        )

    def _may_read(self, path: str, module: Module, lookup: Lookup) -> bool:
        """Whether ``lookup``, in a file, may read the names of the module at ``path``."""
        owner = lookup.owner
        if owner is None:
            return module.path == path
        own, takers = _takers(module, owner), self.module_values.takers(path)
        if own.isdisjoint(takers | _ANYTHING) and module.path != path:
            return False
        values = self.evaluator.values(module, owner)
        if any(isinstance(value, Unknown) for value in values):
            is_own = module.path == path and self.module_values.may_be_asked(path)
            return not own.isdisjoint(takers) or (is_own and lookup.name is not None)
        return ModuleOf(path) in values

    @cached_method
    def _may_compose(self, path: str) -> bool:
        return self.words.may_compose(path)

    @cached_property
    def _composing(self) -> frozenset[str]:
        """The files in which names may be put together at run time."""
        return frozenset(path for word in COMPOSING for path in self.words.files_with(word))


_LOADING = {_function.rpartition(".")[2] for _function in NAMING}


class _ModuleValues:
    """Finds the modules that files use as values; each file is read once, for all of them."""

    def __init__(self, evaluator: Evaluator, words: Words, importers: Importers) -> None:
        self._evaluator = evaluator
        self._words = words
        self._importers = importers

    def travels(self, path: str) -> bool:
        """Whether the module at ``path`` may be used as a value: anything may then hold it."""
        dotted = self._evaluator.names.layout.name_of(path)
        last = dotted.rpartition(".")[2]
        # Words first: they parse no file.
        if not self._loading.isdisjoint(self._words.files_with(last)):
            return True
        files = self._files_of(last, MOST_FILES)
        return files is None or any(dotted in self._used_in(file) for file in files)

    def users(self, path: str) -> list[str]:
        """Return the files that use the module at ``path`` as a value, if they are few."""
        dotted = self._evaluator.names.layout.name_of(path)
        files = self._files_of(dotted.rpartition(".")[2], MOST_FILES) or ()
        return [file for file in files if dotted in self._used_in(file)]

    @cached_method
    def takers(self, path: str) -> frozenset[str]:
        """Return the names of what is called with the module at ``path``."""
        dotted = self._evaluator.names.layout.name_of(path)
        taking = (self._takers_in(file).get(dotted, ()) for file in self.users(path))
        return frozenset().union(*taking)

    @cached_method
    def _takers_in(self, path: str) -> dict[str, set[str]]:
        """Return the names of what the file at ``path`` calls with modules, by their names."""
        takers = defaultdict[str, set[str]](set)
        for module in self._evaluator.modules_at([path]):
            for node in _values(module, self.last_names):
                call = module.call_taking(node)
                name = self._evaluator.names.qualified_name(module, node) if call else None
                if call is not None and name is not None:
                    takers[name].add(last_name(call.func))
        return takers

    @cached_method
    def holders(self, path: str) -> frozenset[str]:
        """Return the files of which a variable or parameter may be the module at ``path``."""
        files = {file for name in self.takers(path) for file in self._words.files_with(name)}
        return frozenset({path, *self.users(path), *files})

    def may_be_asked(self, path: str) -> bool:
        """Whether any code may ask the module at ``path`` for a name that is a text."""
        return self.travels(path) or self.looks_up_itself(path)

    def looks_up_itself(self, path: str) -> bool:
        """Whether a file may look for its own names by texts."""
        module = self._evaluator.load(path)
        return module is None or may_define(module) or "modules" in module.words()

    @cached_method
    def is_value(self, name: str) -> bool:
        """Whether an expression may give the module of this dotted name, of the project or not.

        ``travels`` asks for modules that are loaded by an unknown name as well.
        """
        last = name.rpartition(".")[2]
        files, with_name = self._files_of(last, _MOST_SEARCHED), self._words.files_with(last)
        is_own = self._evaluator.names.layout.path_of(name) is not None
        if files is None or (is_own and not self._making.isdisjoint(with_name)):
            return True
        asked = self._naming.intersection(with_name).union(files)
        return any(
            module is None or self._gives(module, name)
            for module in map(self._evaluator.load, sorted(asked))
        )

    def _gives(self, module: Module, name: str) -> bool:
        """Whether a file uses the module as a value, or loads it by its name."""
        last = name.rpartition(".")[2]
        # A name that is not qualified may be that of a package's variable.
        used = self._used_names(module, {last})
        return not used.isdisjoint({name, None}) or any(
            self._is_loaded(module, node) for node in module.mentions(last)
        )

    def _is_loaded(self, module: Module, node: ast.AST) -> bool:
        """Whether a text is the name of a module that is loaded."""
        taking = module.parent(node) if isinstance(node, ast.Constant) else None
        match taking:
            case ast.Call(func=function):
                return last_name(function) in _LOADING
            case ast.Subscript(value=owner):
                return last_name(owner) == "modules"
        return False

    @property
    def _loading(self) -> frozenset[str]:
        """The files that may load others by their paths or their names."""
        return self._making.union(self._naming)

    @cached_property
    def _making(self) -> frozenset[str]:
        return frozenset(self._words.files_with(MAKING.rpartition(".")[2]))

    @cached_property
    def _naming(self) -> frozenset[str]:
        files = self._words.files_with
        named = {path for word in sorted(_LOADING) for path in files(word)}
        return frozenset(named.union({*files("sys")}.intersection(files("modules"))))

    @cached_method
    def _files_of(self, last: str, most: int) -> list[str] | None:
        """Return the files that may use a module called ``last``; None if they are too many.

        ``most`` files are searched for it at most.
        """
        files = self._words.files_with(last)
        if len(files) <= most:
            files = [file for file in files if self._words.may_use_module(file, last)]
        return files if len(files) <= MOST_FILES else None

    @cached_method
    def _used_in(self, path: str) -> frozenset[str]:
        """Return the dotted names of the modules that the file at ``path`` uses as values."""
        module = self._evaluator.load(path)
        return frozenset() if module is None else self._modules_in(module)

    @cached_property
    def last_names(self) -> frozenset[str]:
        """The last names of all modules and packages."""
        dotted = map(self._evaluator.names.layout.name_of, self._words.python())
        return frozenset(name.rpartition(".")[2] for name in dotted)

    def _modules_in(self, module: Module) -> frozenset[str]:
        path_of = self._evaluator.names.layout.path_of
        used = self._used_names(module, self.last_names)
        return frozenset(item for item in used if item and path_of(item) is not None)

    def _used_names(self, module: Module, lasts: Collection[str]) -> set[str | None]:
        """Return the dotted names of what a file uses, or renames for files that import it."""
        names = self._evaluator.names
        renamed = {
            alias.asname
            for alias in module.nodes(ast.alias)
            if alias.asname and alias.name.rpartition(".")[2] in {*lasts} - {alias.asname}
        }
        importing = self._importers.direct(module.path) if renamed else ()
        return {names.qualified_name(module, node) for node in _values(module, lasts)} | {
            names.attribute(module.path, name)
            for name in sorted(renamed)
            if any(
                self._words.imports(path, word)
                for path in importing
                for word in (name, "*")
                if path != module.path
            )
        }


def _takers(module: Module, owner: ast.expr) -> frozenset[str]:
    """Return the function of which ``owner`` is a parameter, and whether it may be more."""
    parameter = module.scopes.parameter_of(owner)
    function = None if parameter is None else parameter.scope.node
    if parameter is None or not isinstance(function, Function):
        return _ANYTHING
    own = frozenset({function.name})
    return own if parameter.value is None else own | _ANYTHING


def _values(module: Module, lasts: Collection[str]) -> Iterator[ast.Name | ast.Attribute]:
    """Yield the names that may be modules, whose last names are given, and are not read from."""
    bound = (
        (alias.asname or alias.name.partition(".")[0], alias) for alias in module.nodes(ast.alias)
    )
    imported = {
        name for name, alias in bound if name in lasts or alias.name.rpartition(".")[2] in lasts
    }
    for word in sorted(module.words() & imported.union(lasts)):
        for node in module.mentions(word):
            match node:
                case ast.Name() if word in imported:
                    pass
                case ast.Attribute() if word in lasts:
                    pass
                case _:
                    continue
            # ``module.name`` only reads from it; anything else may hand it on.
            match module.parent(node):
                case ast.Attribute(attr=name) if name not in {"__dict__", "__getattribute__"}:
                    pass
                case _:
                    yield node


_CODE_LOADERS = sorted(name_list("loaders_of_code"))
_MOST_IMPORTERS = 200  # half a second of searches; of what more files import, all are searched


class Importers:
    """Finds importers by the words of import statements: too many rather than too few."""

    def __init__(self, layout: Layout, words: Words) -> None:
        self._layout = layout
        self._words = words

    def with_importers(self, paths: Iterable[str]) -> frozenset[str] | None:
        """Return ``paths`` and all files that import one of them, directly or not.

        None where these are too many: then nearly everything imports everything.
        """
        result = dict.fromkeys(sorted(paths))
        waiting = [*result]
        while waiting:
            new = [path for path in self.direct(waiting.pop()) if path not in result]
            result |= dict.fromkeys(new)
            waiting += new
            # Each further importer may take a search.
            if len(result) > _MOST_IMPORTERS:
                return None
        return frozenset(result)

    @cached_method
    def may_meet(self, first: str, second: str) -> bool:
        """Whether a process may run both files, so that one gets objects of the other.

        Some file imports both then, or files load others by text. Frameworks load folders, and what
        loads them is not below: files of one folder at the top may always meet.
        """
        sides = [] if self._may_load_any else [*map(self._importers_of, (first, second))]
        if not sides or None in sides:
            return True
        files, others = (side or frozenset() for side in sides)
        folders, other_folders = ({path.partition("/")[0] for path in x} for x in (files, others))
        if folders & other_folders or not all("/" in path for path in files | others):
            return True
        return self._names_any_of(files, others) or self._names_any_of(others, files)

    @cached_property
    def _may_load_any(self) -> bool:
        """Whether code may load any file: that of others, or by a name or a path."""
        return self._layout.published or any(map(self._words.files_with, _CODE_LOADERS))

    @cached_method
    def _importers_of(self, path: str) -> frozenset[str] | None:
        return self.with_importers([path])

    def _names_any_of(self, paths: Iterable[str], others: Iterable[str]) -> bool:
        """Whether a text in one of ``paths`` begins with the name of one of ``others``."""
        names = [self._layout.name_of(path) for path in sorted(others)]
        quoted = [f"{quote}{name}".encode() for name in names for quote in "\"'"]
        texts = map(self._words.text, sorted(paths))
        return any(name in text for text in texts for name in quoted)

    @cached_method
    def direct(self, path: str) -> list[str]:
        """Return the files that may import the file at ``path`` itself, sorted."""
        # Sorted: which files are asked before the limit is reached is evidence.
        return sorted(self._importing(path))

    def _importing(self, path: str) -> set[str]:
        package, _, last = self._layout.name_of(path).rpartition(".")
        folder = path.rpartition("/")[0]
        if path.endswith("__init__.py"):
            folder = folder.rpartition("/")[0]
        # A relative import names no package, but only neighboring files or those below can write
        # it.
        beside = f"{folder}/" if folder else ""
        paths = self._words.python()
        # They are sorted. No path goes on with the last of all characters.
        neighbours = paths[bisect(paths, beside) : bisect(paths, f"{beside}\U0010ffff")]
        parent = package.rpartition(".")[2]
        if not last:
            result = set[str]()
        elif not parent or len(neighbours) > MOST_FILES:
            named = self._words.imported_in(last)
            importing = set(self._words.imported_in(last, parent) if parent else named)
            result = {name for name in named if name in importing or name.startswith(beside)}
        else:
            result = set(self._words.imported_in(last, parent))
            result.update(name for name in neighbours if self._words.imports(name, last))
        if path.rpartition("/")[2] == "conftest.py":
            # Tests are given the fixtures of such a file without an import.
            result.update(neighbours)
        return result
