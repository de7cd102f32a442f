"""The callers of a function: call sites in sight, and all that may hide another one.

The search starts from the text: only files in which the name of the function stands as a word are
parsed, and those in which an alias of it does. A call counts if its function may be the one asked
for; receivers of methods are followed without asking what *their* callers pass, so that a search
never starts another one.

The sites are all there are only if nothing stands in ``obstacles``. Not looked for: names put
together at run time outside the files of the function itself (``getattr(module, prefix + name)``),
code in strings, and callers in files that do not parse.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heappop, heappush
from typing import Literal

from awaken.contract import Place, Span
from awaken.project.graph.composed_names import COMPOSING, composing, fits
from awaken.project.graph.hierarchies import Hierarchy
from awaken.project.graph.module_values import ModuleValues
from awaken.project.names.decorators import (
    MANAGERS,
    OVERLOADS,
    REMEMBERING,
    TRANSPARENT,
    decorator_names,
    decorators_of,
    method_kind,
)
from awaken.project.names.tables import NameTarget
from awaken.project.names.usages import Usage, is_annotation, usage_of
from awaken.project.names.visibility import is_public
from awaken.project.source.bindings import Binding, Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.source.words import Words
from awaken.project.values.domain import (
    ClassOf,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    Producer,
    Unknown,
    Values,
)
from awaken.project.values.evaluation import Evaluator

Why = Literal[
    "outside", "value", "framework", "named", "dynamic", "unresolved", "inherited", "many"
]

_MOST_FILES = 100  # to parse for one function; half of it loses no finding (benchmarks/limits.md)
# Their callers are never all in sight, so less can come of a search. Half makes two sites of quetz
# manual, twice as many save none.
_MOST_FILES_OF_PUBLIC = 15
_MOST_ALIASES = 5  # names of one function; each is a search of its own through all files
_CALLS_NOTHING_ELSE = TRANSPARENT | REMEMBERING | MANAGERS | OVERLOADS
_NAMING = {"import", "assignment", "class"}
_REPLACING = {"delattr", "multiple", "object", "patch", "setattr"}
"""Functions that are given a name in a string to put something else in its place."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """One call in sight: where the call stands, and how many parameters it gives by itself.

    ``bound`` is 1 where the receiver is the first argument: ``self`` or ``cls``.
    """

    place: Place
    bound: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What may hide a call; ``why`` is one clause, ``place`` where it stands.

    ``outside``: the name is public and the project published, so others may call it; ``value``: it
    is passed on as a value; ``framework``: something that is no code of the project calls it;
    ``named``: a string holds its name; ``dynamic``: names are put together near it;
    ``unresolved``: a call that may be meant; ``inherited``: a base outside the project may call
    it; ``many``: too much to search.
    ``others`` are further places of which the same is to be said.
    """

    kind: Why
    why: str
    place: Place
    others: tuple[Place, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Callers:
    """The calls of one function in the order of their paths and places, and what may hide more."""

    sites: tuple[CallSite, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def complete(self) -> bool:
        """Whether ``sites`` are all calls that there are."""
        return not self.obstacles


class CallIndex:
    """Finds the callers of functions when asked, and keeps the places that it found."""

    def __init__(
        self,
        evaluator: Evaluator,
        words: Words,
    ) -> None:
        self._evaluator = evaluator
        self.words = words
        self._kept: dict[tuple[str, int], Callers] = {}
        self.module_values = ModuleValues(evaluator, words)
        self._hierarchies: dict[str, Hierarchy] = {}

    def of(self, module: Module, function: Function) -> Callers:
        """Return who calls ``function``, a function or method of ``module``."""
        self.search([(module, function)])
        return self._kept[_key(module, function)]

    def search(self, functions: Iterable[tuple[Module, Function]]) -> None:
        """Find who calls ``functions``, so that ``of`` knows: a file is parsed once for them all.

        Their trees are not kept, so they may be made one after the other.
        """
        searches: dict[tuple[str, int], _Search] = {}
        for module, function in functions:
            key = _key(module, function)
            if key not in self._kept and key not in searches:
                # Else following a receiver would search for its callers, and so on without an end.
                with self._evaluator.without_callers():
                    searches[key] = _Search(self._evaluator, self, module, function)
        with self._evaluator.without_callers():
            _run_together([one.run() for one in searches.values()])
        for key, search in searches.items():
            self._kept[key] = search.found()

    def hierarchy(self, qualified: str) -> Hierarchy:
        """Return the class ``qualified`` of the project with its relatives."""
        if qualified not in self._hierarchies:
            self._hierarchies[qualified] = Hierarchy(
                self._evaluator, self.words.files_with, self.hierarchy, qualified
            )
        return self._hierarchies[qualified]

    @cached_property
    def composing(self) -> frozenset[str]:
        """The files in which names may be put together at run time."""
        return frozenset(path for word in COMPOSING for path in self.words.files_with(word))


@dataclass(frozen=True, slots=True)
class _Definition:
    """Where a definition stands: by place, for a search outlives the tree that it began with."""

    path: str
    kind: type[ast.AST]
    span: Span

    @classmethod
    def of(cls, module: Module, node: ast.AST) -> _Definition:
        return cls(module.path, type(node), module.span(node))

    def is_at(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` of ``module`` is this definition."""
        if module.path != self.path or type(node) is not self.kind:
            return False
        return module.span(node) == self.span


class _Search:
    """One search for the callers of one function; holds no tree."""

    def __init__(
        self, evaluator: Evaluator, index: CallIndex, module: Module, function: Function
    ) -> None:
        self._evaluator = evaluator
        self._index = index
        scope = _scope_around(module, function)
        owner = scope.node if isinstance(scope.node, ast.ClassDef) else None
        self._owner_name = owner.name if owner is not None else ""
        self._makes = owner is not None and function.name == "__init__"
        self._name = function.name
        self._shown = self._owner_name or self._name if self._makes else self._name
        self._place = module.place(function)
        self._definition = _Definition.of(module, function)
        self._owner = _Definition.of(module, owner) if owner is not None else None
        self._is_local = scope.kind not in {"module", "class"}
        self._qualified = f"{module.name}.{module.qualname(function)}"
        self._method_kind = method_kind(decorator_names(evaluator.names, module, function))
        self._hierarchy: Hierarchy | None = None
        self._made: set[str] = set()
        self._sites: dict[tuple[str, int, int], CallSite] = {}
        self._obstacles: dict[tuple[Why, str], Obstacle] = {}
        if owner is not None:
            self._hierarchy = index.hierarchy(f"{module.name}.{module.qualname(owner)}")
            if self._makes:
                self._made = self._hierarchy.made_by_init()
        self._look_at_definition(module, function, scope)

    def found(self) -> Callers:
        """Return what was found."""
        sites = sorted(self._sites.values(), key=lambda site: (site.place.path, site.place.span))
        return Callers(tuple(sites), tuple(self._obstacles.values()))

    # ------------------------------------------------------------------------- the definition
    def _look_at_definition(self, module: Module, function: Function, scope: Scope) -> None:
        for decorator, name in decorators_of(self._evaluator.names, module, function):
            if name not in _CALLS_NOTHING_ELSE:
                text = module.excerpt(decorator)
                why = f"`{function.name}` is decorated by `{text}`, which may call it"
                self._stop("framework", why, module.place(decorator))
        if function.name.startswith("test") or function.name.startswith("pytest_"):
            self._stop("framework", f"pytest may call `{function.name}`", self._place)
        if function.name.startswith("__") and function.name.endswith("__") and not self._makes:
            self._stop("framework", f"Python itself calls `{function.name}`", self._place)
        names = ".".join([*scope.definition_names(), self._shown])
        # What a function defines, nobody can import.
        if self._is_public(module, names) and scope.enclosing_function() is None:
            why = f"code outside the project may call `{self._shown}` as well"
            self._stop("outside", why, self._place)
        if self._hierarchy is not None:
            self._look_at_hierarchy(self._hierarchy)
        if not self._is_local:
            self._look_for_dynamic_names()
            outside = self._index.words.elsewhere(self._shown)
            if outside is not None:
                why = f"{outside.path} names `{self._shown}`"
                self._obstacles["named", why] = Obstacle("named", why, outside)

    def _is_public(self, module: Module, name: str) -> bool:
        """Whether code outside the project may know ``name``: nobody imports an application."""
        return self._evaluator.names.layout.published and is_public(module, name)

    def _look_at_hierarchy(self, hierarchy: Hierarchy) -> None:
        hidden = hierarchy.hidden_base()
        if hidden is not None:
            why = f"`{self._owner_name}` inherits from {hidden}, which may call it"
            self._stop("inherited", why, self._place)
        if hierarchy.descendants and hierarchy.is_too_large:
            why = f"`{self._owner_name}` stands in too many files"
            self._stop("many", why, self._place)

    def _look_for_dynamic_names(self) -> None:
        """Look for ``getattr(self, f"_do_{name}")`` and ``globals()[name]`` beside the function."""
        paths = {self._place.path} | (
            self._hierarchy.paths() if self._hierarchy is not None else set()
        )
        for path in sorted(paths & self._index.composing):
            module = self._evaluator.load(path)
            for node in composing(module) if module is not None else ():
                if module is not None and self._may_name(module, node):
                    why = f"`{module.excerpt(node)}` may name `{self._shown}`"
                    self._stop("dynamic", why, module.place(node))

    def _may_name(self, module: Module, node: ast.Call | ast.Subscript) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, name, *_]):
                if self._owner is None and isinstance(owner, ast.Name):
                    return owner.id == "sys" and fits(name, self._shown)
                above = module.parent(node)
                called = isinstance(above, ast.Call) and above.func is node
                composed = not isinstance(name, ast.Name | ast.Attribute | ast.Constant)
                may_name = (called or composed) and fits(name, self._shown)
                return may_name and self._may_own(module, owner)
            case ast.Subscript(value=ast.Call(func=ast.Name(id="globals" | "vars")), slice=name):
                return self._owner is None and fits(name, self._shown)
        return False

    def _may_own(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` may be something that has the method."""
        if self._hierarchy is None:
            return True
        values = self._evaluator.values(module, node)
        hierarchy, name = self._hierarchy, self._name
        return any(hierarchy.reaches(value, name) is not False for value in values)

    # ----------------------------------------------------------------------------- the search
    def run(self) -> Iterator[str]:
        """Search everything; yield the path of each file before it is looked at."""
        words = [self._shown]
        if self._makes and self._hierarchy is not None:
            words += sorted({name.rpartition(".")[2] for name in self._made} - set(words))
            self._search_hierarchy(self._hierarchy)
        seen: set[tuple[str, str]] = set()
        # Subclasses that are made by this `__init__` are no aliases.
        first = len(words)
        while words:
            word = words.pop(0)
            for path in self._files(word):
                if (word, path) not in seen:
                    yield path
                    seen.add((word, path))
                    found = self._search_file(path, word)
                    words += sorted(one for one in found if one not in words)
            if len({one for one, _ in seen}) > _MOST_ALIASES + first:
                self._stop("many", "it has too many names", self._place)
                return

    def _files(self, word: str) -> list[str]:
        if self._is_local:
            # The name of a function inside another one is not seen outside of that.
            return [self._place.path]
        paths = self._index.words.files_with(word)
        known = any(kind == "outside" for kind, _ in self._obstacles)
        if len(paths) > (_MOST_FILES_OF_PUBLIC if known else _MOST_FILES):
            why = f"`{word}` stands in {len(paths)} files"
            self._stop("many", why, self._place)
            return []
        return paths

    def _search_file(self, path: str, word: str) -> set[str]:
        """Search one file for ``word``; return the other names that it gives to the function."""
        module = self._evaluator.load(path)
        if module is None:
            # It may hold a call all the same.
            why = f"{path} cannot be parsed"
            self._stop("unresolved", why, self._place)
            return set()
        aliases: set[str] = set()
        for node in module.mentions(word):
            match node:
                case ast.Name() | ast.Attribute():
                    aliases |= self._mentioned(module, node)
                case ast.alias():
                    aliases |= self._imported(module, node, node.asname or word)
                case ast.Constant(value=str() as text):
                    self._look_at_text(module, node, text, word)
        return aliases

    def _search_hierarchy(self, hierarchy: Hierarchy) -> None:
        """Look for ``cls(...)``, ``type(self)(...)`` and ``super().__init__(...)``."""
        for module, owner in hierarchy.definitions():
            inherits = f"{module.name}.{module.qualname(owner)}" not in self._made
            for node in module.walk(owner):
                bound = self._makes_by(module, node, inherits=inherits)
                if bound is not None and isinstance(node, ast.Call):
                    self._add(module, node, bound)

    def _makes_by(self, module: Module, node: ast.AST, *, inherits: bool) -> int | None:
        """Return how many arguments a call binds that reaches the ``__init__``; None for others."""
        match node:
            case ast.Call(func=ast.Name(id="cls")):
                return 1
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
                return 1 if name == "__init__" and inherits else None
            case ast.Call(func=ast.Attribute(value=base, attr="__init__")):
                # ``Base.__init__(self, ...)`` passes `self` itself.
                return 0 if self._evaluator.names.qualified(module, base) in self._made else None
            case ast.Call(func=ast.Call() | ast.Attribute() as made):
                return 1 if ast.unparse(made) in {"type(self)", "self.__class__"} else None
            case _:
                return None

    def _add(self, module: Module, call: ast.Call, bound: int) -> None:
        place = module.place(call)
        self._sites[place.path, place.span.start, place.span.end] = CallSite(place, bound)

    def _stop(self, kind: Why, why: str, place: Place) -> None:
        known = self._obstacles.get((kind, why))
        if known is None:
            self._obstacles[kind, why] = Obstacle(kind, why, place)
        else:
            self._obstacles[kind, why] = replace(known, others=(*known.others, place))

    def _imported(self, module: Module, alias: ast.alias, name: str) -> set[str]:
        """Look at an import; return the other name that it gives to the function, if any."""
        if not self._imports(module, alias):
            return set()
        if module.is_package and self._is_public(module, name):
            why = f"{module.path} exports `{name}`, which code outside the project may call"
            self._stop("outside", why, module.place(alias))
        return {name} - {alias.name}

    def _imports(self, module: Module, alias: ast.alias) -> bool:
        statement = module.parent(alias)
        if not isinstance(statement, ast.ImportFrom):
            return False
        target = NameTarget("from", statement.module or "", alias.name, statement.level)
        name = self._evaluator.names.imported(module.path, target)
        # An import that cannot be followed may bring it.
        return name is None or name in self._targets()

    def _targets(self) -> set[str]:
        return self._made or {self._qualified}

    # ---------------------------------------------------------------------------- one mention
    def _mentioned(self, module: Module, node: ast.Name | ast.Attribute) -> set[str]:
        """Look at one mention; return the name that it gives to the function, if it does."""
        bound = self._bound(module, node)
        if bound is False:
            return set()
        use = usage_of(module, node, is_class=self._makes)
        if bound is None:
            if use.kind in {"call", "value", "decorator"}:
                text = module.excerpt(use.node)
                why = f"what `{text}` calls is not known"
                self._stop("unresolved", why, module.place(node))
            return set()
        return self._used(module, use, bound)

    def _used(self, module: Module, use: Usage, bound: int) -> set[str]:
        shown = self._shown
        match use.kind:
            case "call":
                if isinstance(use.node, ast.Call):
                    self._add(module, use.node, bound)
            case "alias" if self._is_followed(module, use):
                return {use.name}
            case "injected":
                why = f"`{shown}` is given to a framework, which calls it"
                self._stop("framework", why, module.place(use.node))
            case "decorator":
                why = f"`{shown}` is used as a decorator"
                self._stop("value", why, module.place(use.node))
            case "value" | "alias":
                why = f"`{shown}` is passed on as a value"
                self._stop("value", why, module.place(use.node))
        return set()

    def _is_followed(self, module: Module, use: Usage) -> bool:
        """Whether the other name that an assignment gives is always the function."""
        scope = module.scopes.scope_of(use.node)
        bindings = scope.bindings.get(use.name, [])
        if self._is_local or len(bindings) != 1:
            return False
        if scope.kind == "class":
            if self._owner is None or self._makes:
                return False
            return self._owner.is_at(module, scope.node)
        return self._owner is None or self._makes

    def _bound(self, module: Module, node: ast.Name | ast.Attribute) -> int | Literal[False] | None:
        """Return how many arguments the mention binds; False if another thing is meant.

        None where it cannot be told.
        """
        if self._owner is None or self._makes:
            refers = self._refers(module, node)
            if not refers:
                return refers
            return 1 if self._makes else 0
        if isinstance(node, ast.Name):
            bindings = module.scopes.bindings_of(node)
            return 0 if _defines(module, bindings, self._definition) else False
        return self._bound_method(module, node)

    def _refers(self, module: Module, node: ast.Name | ast.Attribute) -> bool | None:
        """Whether a name or a dotted name means the function, or the class that it makes."""
        if isinstance(node, ast.Name):
            return self._name_refers(module, node)
        if self._is_local:
            return False
        name = self._evaluator.names.qualified(module, node)
        if name is not None:
            return name in self._targets()
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        path = self._place.path
        is_imported = isinstance(root, ast.Name) and any(
            one.kind == "import" for one in module.scopes.bindings_of(root)
        )
        if not is_imported and not self._index.module_values.travels(path):
            return False
        return _any(self._module_refers(node, self._evaluator.values(module, node.value)))

    def _module_refers(self, node: ast.Attribute, owners: Values) -> Iterator[bool | None]:
        for owner in owners:
            match owner:
                case ModuleOf():
                    name = self._evaluator.names.attribute(owner.path, node.attr)
                    yield None if name is None else name in self._targets()
                case Unknown():
                    yield None
                case _:
                    yield False

    def _name_refers(self, module: Module, node: ast.Name) -> bool | None:
        bindings = module.scopes.bindings_of(node)
        wanted = self._owner if self._makes else self._definition
        if wanted is not None and _defines(module, bindings, wanted):
            return True
        if self._is_local:
            return False
        # Parameters and loop variables get it only where it is passed on, which is noted there.
        if bindings and not any(one.kind in _NAMING for one in bindings):
            return False
        name = self._evaluator.names.qualified(module, node)
        if name is not None:
            return name in self._targets()
        if not any(one.kind == "import" for one in bindings):
            # A star import may have brought the name.
            return None if module.scopes.import_stars and not bindings else False
        return _any(self._is_target(one) for one in self._evaluator.values(module, node))

    def _is_target(self, value: object) -> bool | None:
        match value:
            case Unknown():
                return None
            case FunctionOf():
                return self._definition.is_at(value.module, value.node)
            case ClassOf():
                return value.qualified in self._made
            case _:
                return False

    def _bound_method(self, module: Module, node: ast.Attribute) -> int | Literal[False] | None:
        hierarchy = self._hierarchy
        if hierarchy is None:
            return False
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "super":
            around = module.enclosing_class(node)
            qualified = f"{module.name}.{module.qualname(around)}" if around else ""
            reaches: bool | None = hierarchy.is_above(qualified, self._name)
            return self._given(InstanceOf(qualified)) if reaches else False
        found: list[int | Literal[False] | None] = []
        for value in self._receivers(module, node):
            reaches = hierarchy.reaches(value, self._name)
            found.append(self._given(value) if reaches else reaches)
        numbers = {one for one in found if one is not None and one is not False}
        # Called on instances and on the class by one call: what is bound cannot be told.
        if len(numbers) > 1 or None in found:
            return None
        return numbers.pop() if numbers else False

    def _receivers(self, module: Module, node: ast.Attribute) -> Values:
        """Return what stands in front of a name, for which all methods of that name ask.

        It is kept unless it holds trees of other files.
        """
        key = ("receivers", node)
        kept: Values | None = module.memo.get(key)
        if kept is not None:
            return kept
        found = self._evaluator.values(module, node.value)
        if not any(isinstance(one, FunctionOf | Producer) for one in found):
            module.memo[key] = found
        return found

    def _given(self, receiver: object) -> int:
        """Return how many parameters a receiver fills: its class or itself, or nothing."""
        match self._method_kind:
            case "static":
                return 0
            case "class":
                return 1
            case "instance":
                return 0 if isinstance(receiver, ClassOf) else 1

    def _look_at_text(self, module: Module, node: ast.Constant, text: str, word: str) -> None:
        if not re.fullmatch(rf"(?:[\w.:/-]*[.:/])?{re.escape(word)}(?:\(\))?", text):
            return
        above = module.parent(node)
        # Docstrings and annotations call nothing.
        if isinstance(above, ast.Expr) or is_annotation(module, node):
            return
        if isinstance(above, ast.Call) and node in above.args:
            called = above.func
            if last_name(called) in _REPLACING:
                return
        if self._is_local:
            return
        self._stop("named", f"the text {text!r} names `{word}`", module.place(node))


def _key(module: Module, function: Function) -> tuple[str, int]:
    # By place: the file may be parsed again, with other nodes.
    return module.path, module.span(function).start


def _run_together(searches: Iterable[Iterator[str]]) -> None:
    """Run searches that say to which file each goes on, so that they go through files together.

    Each goes its own way, word by word and file by file, whatever the others look for.
    """
    waiting: dict[str, list[Iterator[str]]] = {}
    ahead, behind, current = list[str](), list[str](), ""

    def go_on(search: Iterator[str]) -> None:
        path = next(search, None)
        if path is None:
            return
        if path not in waiting:
            heappush(ahead if path > current else behind, path)
        waiting.setdefault(path, []).append(search)

    for search in searches:
        go_on(search)
    while waiting:
        if not ahead:
            ahead, behind = behind, ahead
        current = heappop(ahead)
        for search in waiting.pop(current):
            go_on(search)


def _defines(module: Module, bindings: Sequence[Binding], wanted: _Definition) -> bool:
    """Whether one of ``bindings``, which are of ``module``, is the definition ``wanted``."""
    return any(wanted.is_at(module, one.node) for one in bindings)


def _any(answers: Iterator[bool | None]) -> bool | None:
    """Return True if one answer is, else None if one is, else False."""
    found = list(answers)
    return True if True in found else (None if None in found else False)


def _scope_around(module: Module, function: Function) -> Scope:
    scope = module.scopes.scope_of(function)
    # A generic function stands in the scope around its type parameters.
    while scope.kind == "type-params" and scope.parent is not None:
        scope = scope.parent
    return scope
