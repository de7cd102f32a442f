"""Names that something else is put in the place of: functions of libraries and of the program."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.testing.passed_mocks import patch_of
from awaken.project.frameworks.testing.replaced.in_force import InForces
from awaken.project.frameworks.testing.replacements import assigned_attributes, bound_variable
from awaken.project.graph.computed_names import ComputedNames
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.replacing import UNTOLD, Put, may_put, puts_in, words_of
from awaken.project.source.test_files import is_of_program
from awaken.project.source.trees import keyword_of, last_name, root_of, written_name
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NotRelevant,
    Producer,
    Session,
    Value,
    Values,
    union,
)

_ITEMS = [b"dict(", b"update("]
_NAMESPACES = [b"__dict__", b"globals", b"modules", b"vars"]
_RUNNING = [b" exec(", b"\nexec("]
_COROUTINE_MOCK = "AsyncMock"
_ENTERING = ("__enter__", "__aenter__")


class Replaced(Struct, frozen=True):
    """Where something is put in the place of a name.

    ``keeps_kind`` says that it gives a coroutine, or that it is what ``patch`` or a spy makes of
    the replaced function: of a coroutine function they make one. ``gives_sessions`` says that
    calling it gives sessions of SQLAlchemy, as a factory for tests does. ``lacks`` are methods for
    ``with`` that something it gives does not have. ``class_name`` is that of a class that is put
    there, and nothing else.
    """

    place: Place
    keeps_kind: bool = False
    gives_sessions: bool = False
    lacks: frozenset[str] = frozenset()
    class_name: str = ""


class _Target(Struct, frozen=True):
    """The replaced name: its dotted ``names``, as far as the text says them.

    Put ``number`` of those of the name ``word`` in the file at ``path`` replaces it; of a computed
    name the word is empty. ``is_untold`` says that it may be anything of its last name; ``owner``
    is the last word of how its object is written.
    """

    path: str
    word: str
    number: int
    names: frozenset[str] = frozenset()
    is_untold: bool = False
    owner: str = ""


class ReplacedNames:
    """Answers for one project: what a name means where tests put something in its place."""

    def __init__(
        self, evaluator: ProgramEvaluator, computed: ComputedNames, in_force: InForces
    ) -> None:
        self._evaluator = evaluator
        self._in_force = in_force
        self._computed = computed

    def replacements_of(self, module: Module, node: ast.expr) -> tuple[Replaced, ...]:
        """Return what is put in the place of what ``node`` names, while ``node`` may run.

        ``node`` is called: a name or an attribute. The function may be replaced, as its library
        defines it or as the file names it. So may its module, its class, or the attribute of an
        unknown object.
        """
        kept = self._is_kept(module, node)
        own = f"{module.name}.{written_name(node)}"
        return tuple(
            replaced
            for target in self._meant_targets(module, node)
            for replaced in [self._replacement(target)]
            if (not kept or own in target.names or not self._is_later(replaced.place, module))
            and self._in_force.may_run(replaced.place, module, node)
        )

    def of_library(self, module: Module, node: ast.expr, qualified: str) -> tuple[Replaced, ...]:
        """Return what is put in the place of a library's function that a rewrite calls at ``node``.

        ``qualified`` is its name there, ``asyncio.create_task``; the file may not use it yet.
        """
        word = qualified.rpartition(".")[2]
        names = {qualified, f"{module.name}.{qualified}", f"{module.name}.{word}"}
        named = (
            item for item in self._targets(word) if item.is_untold or self._replaces(item, names)
        )
        return tuple(
            replaced
            for item in (*named, *self._computed_targets(names))
            for replaced in [self._replacement(item)]
            if self._in_force.may_run(replaced.place, module, node)
        )

    def anywhere(self, module: Module, node: ast.expr) -> tuple[Replaced, ...]:
        """Return what is put in its place in any test, whether or not ``node`` may run then."""
        return tuple(self._replacement(target) for target in self._meant_targets(module, node))

    def of_name(self, dotted: str) -> tuple[Replaced, ...]:
        """Return what is put in the place of a variable or class of a file, by its name there."""
        home, _, name = dotted.rpartition(".")
        last = home.rpartition(".")[2]
        named = (
            target
            for target in self._targets(name)
            if self._replaces(target, {dotted})
            or target.is_untold
            or (target.owner == last and not self._target_names(target))
        )
        return tuple(map(self._replacement, (*named, *self._computed_targets({dotted}))))

    def _is_kept(self, module: Module, node: ast.expr) -> bool:
        """Whether the file got what ``node`` names when it was imported, by ``from a import b``."""
        if not isinstance(node, ast.Name):
            return False
        bindings = module.scopes.bindings_of(node)
        return bool(bindings) and all(
            binding.kind == "import" and binding.scope.kind == "module" for binding in bindings
        )

    def _is_later(self, put: Place, module: Module) -> bool:
        """Whether something is replaced when a file is imported for certain: in other tests."""
        home = self._evaluator.load(put.path)
        if home is None or not self._in_force.ends(put):
            return False
        name = module.name.rpartition(".")[2]
        imports = (one for one in home.mentions(name) if isinstance(one, ast.alias | ast.Constant))
        return not any(home.enclosing_function(node) is not None for node in imports)

    def _meant_targets(self, module: Module, node: ast.expr) -> Iterator[_Target]:
        names = self._names(module, node)
        is_of_object = isinstance(node, ast.Attribute) and not self._is_of_module(module, node)
        last = written_name(node)
        words = {name.rpartition(".")[2] for name in names}
        for word in sorted(words if not isinstance(root_of(node), ast.Name) else {last, *words}):
            for target in self._targets(word, is_called=word == last):
                if self._replaces(target, names) or (
                    word == last
                    and (target.is_untold or (is_of_object and not self._target_names(target)))
                ):
                    yield target
        yield from self._computed_targets(names, last if is_of_object else "")

    # ------------------------------------------------------------------------- what a node names
    def _names(self, module: Module, node: ast.expr) -> set[str]:
        """Return the dotted names of a function and of what has it, here and at home."""
        names: set[str] = set()
        part: ast.expr = node
        while True:
            qualified = self._evaluator.names.qualified_name(module, part)
            if qualified is not None:
                names.add(qualified)
            root = root_of(part)
            if isinstance(root, ast.Name) and _is_of_file(module, root):
                names.add(f"{module.name}.{ast.unparse(part)}")
            for value in self._evaluator.values(module, part):
                names |= self._names_of(value)
            if not isinstance(part, ast.Attribute):
                return {name for name in names if name}
            for value in self._evaluator.values(module, part.value):
                if isinstance(value, ClassOf | InstanceOf):
                    names |= self._names_of_method(value.qualified, part.attr)
            part = part.value

    def _names_of(self, value: Value) -> set[str]:
        match value:
            case FunctionOf(module=home, node=ast.FunctionDef() | ast.AsyncFunctionDef() as node):
                return {home.full_name(node)}
            case ClassOf(qualified=name) | InstanceOf(qualified=name) | External(qualified=name):
                return {name}
        return set()

    def _names_of_method(self, qualified: str, name: str) -> set[str]:
        classes = self._evaluator.classes
        related = [qualified, *classes.all_subclasses(qualified)]
        related += [facts.qualified for facts in classes.line(qualified)]
        related += classes.library_ancestors(qualified)
        return {f"{word}.{name}" for word in related}

    def _is_of_module(self, module: Module, node: ast.Attribute) -> bool:
        if self._evaluator.names.qualified_name(module, node) is not None:
            return True
        values = self._evaluator.values(module, node.value)
        return bool(values) and all(isinstance(value, ModuleOf) for value in values)

    # --------------------------------------------------------------------------- what is replaced
    @cached_items
    def _targets(self, word: str, *, is_called: bool = True) -> Iterator[_Target]:
        """Return what replaces anything of the name ``word``.

        For a value that is not called itself, but has a method that is, the evaluator knows the
        values that methods assign on ``self``: these replace nothing.
        """
        for path in self._files_that_put(word):
            is_own = not is_called and is_of_program(path)
            if not may_put(self._evaluator.text(path), word, on_self=not is_own):
                continue
            module = self._evaluator.load(path)
            if module is None:
                continue
            for number, put in enumerate(puts_in(module).get(word, ())):
                if not (is_own and put.is_of_self):
                    names = frozenset(self._written_names(module, put))
                    is_untold = put.owner is None and not names
                    owner = "" if put.owner is None else last_name(put.owner)
                    yield _Target(path, word, number, names, is_untold, owner)

    def _files_that_put(self, word: str) -> list[str]:
        """Return the files whose text may hold a put of ``word``, sorted."""
        files_with = self._evaluator.files_with
        files_with([word.encode()])  # the others are searched for in these alone
        items = set(files_with(_ITEMS)).intersection(files_with(_NAMESPACES))
        keyword = items.union(files_with([b"multiple("]))
        keyword.intersection_update(files_with([f"{word}=".encode()]))
        files = keyword.union(files_with(words_of(word)), files_with(_RUNNING))
        # ``input"`` ends like ``put"``.
        return sorted(files.intersection(self._evaluator.files_naming(word) or files))

    def _computed_targets(self, names: Collection[str], of_any: str = "") -> Iterator[_Target]:
        """Yield what may replace one of ``names``, but computes the name that it replaces."""
        places = self._computed.places_setting(names, of_any)
        yield from (_Target(path, "", number) for path, number in places)

    def _replaces(self, target: _Target, names: set[str]) -> bool:
        """Whether it replaces one of ``names``; values are asked last, and then all callers."""
        known = not names.isdisjoint(target.names)
        return known or not names.isdisjoint(self._target_names(target))

    def _written_names(self, module: Module, put: Put) -> Iterator[str]:
        """Yield the names of what is replaced, as written."""
        end = f".{put.last}"
        names = self._evaluator.names
        if put.owner is not None:
            qualified = names.qualified_name(module, put.owner)
            yield from (f"{name}{end}" for name in [qualified] if name is not None)
            return
        owner = put.name.rpartition(".")[0]
        if owner != UNTOLD:
            yield put.name
            yield from (f"{names.defined_name(owner)}{end}" for _ in owner[:1])
        # A class is itself, whatever file names it; a function is what one file calls.
        defined = names.defined_name(put.name)
        if self._evaluator.classes.facts(defined) is not None:
            yield defined

    @cached_method
    def _target_names(self, target: _Target) -> frozenset[str]:
        """Return the names of what is replaced, also those of the values of its owner."""
        module, put = self._put_of(target)
        end = f".{put.last}"
        values = () if put.owner is None else self._evaluator.values(module, put.owner)
        # An object that has a name is one of its class, whose code may run with it.
        return target.names.union(
            f"{name}{end}" for value in values for name in self._owner_names(value)
        )

    def _owner_names(self, value: Value) -> set[str]:
        match value:
            case ModuleOf(path=path):
                return {self._evaluator.names.layout.name_of(path)}
        return self._names_of(value)

    def _put_of(self, target: _Target) -> tuple[Module, Put]:
        module = self._evaluator.load(target.path)
        if module is None:
            raise ValueError("a file that parsed once parses again")
        return module, puts_in(module)[target.word][target.number]

    @cached_method
    def _replacement(self, target: _Target) -> Replaced:
        return self._made_of(*self._put_of(target))

    def _made_of(self, module: Module, put: Put) -> Replaced:
        place, value = module.place(put.node), put.value
        # `patch("shop.Session", return_value=session)` makes the mock by itself.
        made = put.node if value is None else value
        result = keyword_of(made, "return_value") if isinstance(made, ast.Call) else None
        results = [] if result is None else [self._evaluator.values(module, result)]
        if value is None:
            results += self._assigned_results(module, put)
            is_call = isinstance(made, ast.Call)
            if isinstance(made, ast.Call) and not results and not keyword_of(made, "new_callable"):
                results.append((NotRelevant("a mock", mock=True),))
            return Replaced(place, is_call, lacks=self._lacking(module, put, results))
        values = self._evaluator.values(module, value)
        is_mock = isinstance(value, ast.Call) and last_name(value.func) == _COROUTINE_MOCK
        are_coroutines = (
            not isinstance(value, ast.Call)
            and bool(values)
            and all(
                isinstance(item, FunctionOf) and isinstance(item.node, ast.AsyncFunctionDef)
                for item in values
            )
        )
        results += [self._given_by(item) for item in values]
        gives_sessions = bool(results) and all(
            items and all(isinstance(item, Session) and not item.unless for item in items)
            for items in results
        )
        lacks = self._lacking(module, put, results)
        match values:
            case (ClassOf(qualified=class_name),):
                pass
            case _:
                class_name = ""
        return Replaced(place, is_mock or are_coroutines, gives_sessions, lacks, class_name)

    def _lacking(self, module: Module, put: Put, results: Sequence[Values]) -> frozenset[str]:
        """Return the methods for ``with`` that one of the values that are given does not have.

        A mock gives another mock to ``with``, unless the test sets its result.
        """
        is_told = any(f".{method}".encode() in module.source.text for method in _ENTERING)
        return frozenset(
            method
            for method in _ENTERING
            for item in union(*results)
            if (isinstance(item, NotRelevant) and item.mock and not is_told)
            or (
                isinstance(item, InstanceOf)
                and self._evaluator.lacks(item, method, module, put.node)
            )
        )

    def _assigned_results(self, module: Module, put: Put) -> list[Values]:
        """Return what a test assigns to `factory.return_value` of the variable of a patch."""
        patch = patch_of(module, put.node) if isinstance(put.node, ast.Call) else None
        around = None if patch is None else module.enclosing_def(put.node)
        if patch is None or around is None:
            return []
        told = assigned_attributes(module, around, bound_variable(module, patch))
        return [self._evaluator.values(module, value) for at, value in told if at == "return_value"]

    def _given_by(self, value: Value) -> Values:
        """Return what calling ``value`` gives, as far as it is known."""
        match value:
            case Producer(how="factory" | "callable", inner=inner):
                return inner
            case FunctionOf():
                return self._evaluator.results_of(value)
            case ClassOf(qualified=name):
                return (InstanceOf(name),)
        return ()


def _is_of_file(module: Module, node: ast.Name) -> bool:
    """Whether a name is one of the file, or of Python, and not of a function or class."""
    owner = module.scopes.owner(node.id, module.scopes.scope_of(node))
    return owner is None or owner.kind == "module"
