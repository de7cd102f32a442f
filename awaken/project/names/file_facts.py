"""The facts of one file: what its text alone says, small enough to keep for all files."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Span
from awaken.project.names.module_tables import (
    ModuleTable,
    NotedTable,
    dotted_name,
    table_of,
    target_of,
)
from awaken.project.source.bindings import Scope
from awaken.project.source.expressions.made_classes import made_classes, made_fields
from awaken.project.source.looked_at import WatchedSnapshot, facts_search, told_by
from awaken.project.source.memo import RECORDER, cached_in_file
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    first_parameter,
    last_name,
    parameters_of,
    root_of,
    unpacks,
    without_arguments,
)
from awaken.project.source.words import WordSet, may_mention
from awaken.workspace.sources import SourceFile


class WrittenName(Struct, frozen=True, array_like=True):
    """An expression that names something, as written in its file.

    ``text`` is its source without comments. ``dotted`` are the parts of ``a.b.c``, none if it is
    something else. The first is bound at the ``top`` of the file, in a ``local`` scope, or
    ``nowhere`` in it. With ``made`` it is the function that makes a class with certain fields.
    """

    text: str
    dotted: tuple[str, ...] = ()
    bound: Literal["top", "local", "nowhere"] = "nowhere"
    made: bool = False


class WrittenClass(Struct, frozen=True, array_like=True):
    """One class as written. ``unique`` is False where the file defines the name twice.

    ``members`` are the names that its body binds, ``assigned`` those that it sets on ``self``. One
    that is ``made`` has no body: a call makes it.
    """

    qualname: str
    span: Span
    bases: tuple[WrittenName, ...]
    decorators: tuple[WrittenName, ...]
    keywords: tuple[tuple[str, str], ...]
    unique: bool = True
    members: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    made: bool = False

    @property
    def attributes(self) -> frozenset[str]:
        """All names that it gives its instances."""
        return self.members | self.assigned


class WrittenDecorator(Struct, frozen=True, array_like=True):
    """One decorator of a function; ``called`` says whether it is given arguments."""

    name: WrittenName
    called: bool


class WrittenFunction(Struct, frozen=True, array_like=True):
    """One function as written: ``start`` is the byte at which its ``def`` begins.

    ``alone`` is False where its scope gives the name to something that is no function as well.
    ``gives`` says what a call gives, whatever its decorators do: a ``coroutine``, a ``generator``,
    or ``anything`` that it returns.
    """

    start: int
    decorators: tuple[WrittenDecorator, ...]
    alone: bool
    parameters: Parameters
    gives: Literal["coroutine", "generator", "anything"]


class FileNames(Struct, frozen=True, array_like=True):
    """The names of the module scope of a file, and its classes by ``__qualname__``."""

    table: ModuleTable
    classes: dict[str, WrittenClass]


class FileUses(Struct, frozen=True, array_like=True):
    """The uses of names in a file.

    ``renamed`` gives the other names that something gets anywhere in the file, by import or
    assignment. ``called`` are the last names of what is called, ``stored`` those of attributes that
    are assigned. ``functions`` are all functions and methods by their ``__qualname__``, several
    where a name is defined several times.
    """

    renamed: dict[str, tuple[str, ...]]
    called: frozenset[str]
    stored: frozenset[str]
    functions: dict[str, tuple[WrittenFunction, ...]]


FactsKind = Literal["names", "uses", "mentioned"]
FACTS: Mapping[FactsKind, type[Struct]] = {
    "names": FileNames,
    "uses": FileUses,
    "mentioned": WordSet,
}
"""The facts of one file that are made together, whatever its path and the other files.

The words that are ``mentioned`` are those of its mentions (``Module.mentions``), as far as they are
names.
"""
_KIND_OF: Mapping[str, FactsKind] = {
    "name": "names",
    "others": "names",
    "open": "names",
    "class": "names",
    "classes": "names",
    "renamed": "uses",
    "called": "uses",
    "stored": "uses",
    "function": "uses",
    "functions": "uses",
    "mentioned": "mentioned",
}
KnownFacts = Mapping[FactsKind, MutableMapping[bytes, Any]]
"""Facts by their kind and the text that they are of."""


def answer_of(module: Module, part: str, word: str = "") -> bytes | None:
    """Return a digest of a part of the facts of a file, or of ``word`` in it; None for nothing.

    For ``mentioned`` and ``stored`` it says whether ``word`` is in it, as far as that is certain.

    Raises UnicodeEncodeError for half a surrogate pair in a literal.
    """
    return _answer(facts_of(module, _KIND_OF[part]), part, word)


def _answer(facts: Any, part: str, word: str) -> bytes | None:
    if part == "mentioned":
        return b"" if _mentions(facts, word) else None
    if part == "stored":
        return b"" if word in facts.stored else None
    said = _without_places(facts, part, word)
    if not said:
        return None
    # Sets and dictionaries have an order of their own in each process.
    encoded = msgspec.msgpack.encode(said, order="deterministic")
    return hashlib.blake2b(encoded, digest_size=16).digest()


def _without_places(facts: Any, part: str, word: str) -> Any:
    """Return a part of the facts without places, which an edit above moves."""
    match part:
        case "name":
            return facts.table.names.get(word)
        case "others":
            return sorted(facts.table.other_names(word))
        case "open":
            return facts.table.stars, facts.table.exports, facts.table.dynamic
        case "class":
            written = facts.classes.get(word)
            return None if written is None else _without_place(written)
        case "classes":
            return [_without_place(item) for item in facts.classes.values()]
        case "function":
            return [_without_place(item) for item in facts.functions.get(word, ())]
        case "functions":
            return {
                name: [_without_place(item) for item in several]
                for name, several in facts.functions.items()
            }
    return getattr(facts, part)


def _without_place(written: WrittenClass | WrittenFunction) -> WrittenClass | WrittenFunction:
    if isinstance(written, WrittenClass):
        return replace(written, span=Span(0, 0))
    return replace(written, start=0)


def _mentions(mentioned: WordSet, word: str) -> bool:
    return not word.isidentifier() or mentioned.has(word.encode())


class FactsIndex:
    """Answers with the facts of the files of one snapshot, which notes the parts that are asked.

    ``load`` gives the tree of a file. ``searched`` does, too, without a note that the file is read.
    ``known`` holds facts by the text. It grows, and all snapshots of a run may share it; that of
    ``awaken.project.store`` is on disk as well.
    """

    def __init__(
        self,
        snapshot: WatchedSnapshot,
        load: Load,
        searched: Load,
        known: KnownFacts | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._load = load
        self._searched = searched
        self._kept: dict[tuple[str, FactsKind], Any] = {}
        self._noted: dict[tuple[str, str, str], dict[str, bytes] | None] = {}
        self._tables: dict[str, NotedTable | None] = {}
        self.known: KnownFacts = {kind: {} for kind in FACTS} if known is None else known

    def table(self, path: str) -> NotedTable | None:
        """Return the top-level names of a file; None if there is none, or it does not parse."""
        if path not in self._tables:
            facts: FileNames | None = self._facts_at(path, "names")
            note = partial(self._note, path)
            self._tables[path] = None if facts is None else NotedTable(facts.table, note)
        table = self._tables[path]
        if table is None:
            self._snapshot.looked_at.note_read(path)
        return table

    def written_class(self, path: str, qualname: str) -> WrittenClass | None:
        """Return the class of a file with this ``__qualname__``, or None."""
        facts: FileNames | None = self._noted_facts(path, "class", qualname)
        return None if facts is None else facts.classes.get(qualname)

    def written_functions(self, path: str, qualname: str) -> tuple[WrittenFunction, ...]:
        """Return the functions of a file with this ``__qualname__``."""
        facts: FileUses | None = self._noted_facts(path, "function", qualname)
        return () if facts is None else facts.functions.get(qualname, ())

    def classes(self, path: str) -> tuple[WrittenClass, ...]:
        """Return the classes of a file; none if it does not parse."""
        facts: FileNames | None = self._noted_facts(path, "classes")
        return () if facts is None else tuple(facts.classes.values())

    def functions(self, path: str) -> dict[str, tuple[WrittenFunction, ...]]:
        """Return the functions of a file by their ``__qualname__``; none if it does not parse."""
        facts: FileUses | None = self._noted_facts(path, "functions")
        return {} if facts is None else facts.functions

    def aliases_in(self, path: str) -> dict[str, tuple[str, ...]]:
        """Return the other names that a file gives to something; none if it does not parse."""
        facts: FileUses | None = self._noted_facts(path, "renamed")
        return {} if facts is None else facts.renamed

    def called_names(self, path: str) -> frozenset[str]:
        """Return the last names of what a file calls; none if it does not parse."""
        facts: FileUses | None = self._noted_facts(path, "called")
        return frozenset() if facts is None else facts.called

    def stores(self, path: str, name: str) -> bool:
        """Whether the file at ``path`` assigns an attribute ``name``; not if it does not parse."""
        # Bytes first: they parse no file.
        written = rb"\.%s\s*(?:=(?!=)|[,:)\]]|in\b)" % name.encode()
        if not re.search(written, self._snapshot.file_to_search(path).text):
            self._snapshot.looked_at.note_facts(path, "stored", name, None)
            return False
        facts: FileUses | None = self._noted_facts(path, "stored", name)
        return facts is not None and name in facts.stored

    def may_mention(self, path: str, word: str) -> bool:
        """Whether the file at ``path`` may have mentions of ``word``, also if it does not parse."""
        # Bytes first: they parse no file.
        if not self._may_hold_mention(path, word):
            self._snapshot.looked_at.note_facts(path, "mentioned", word, None)
            return False
        mentioned: WordSet | None = self._noted_facts(path, "mentioned", word)
        return mentioned is None or _mentions(mentioned, word)

    def _may_hold_mention(self, path: str, word: str) -> bool:
        if path not in self._snapshot or not word.isascii():
            return True
        text = self._snapshot.file_to_search(path).text
        return text in self.known["mentioned"] or may_mention(word.encode(), text)

    def _noted_facts(self, path: str, part: str, word: str = "") -> Any:
        """Return the facts of a file with the ``part`` that the caller uses."""
        self._note(path, part, word)
        return self._facts_at(path, _KIND_OF[part])

    def _note(self, path: str, part: str, word: str) -> None:
        """Note the answer of the file at ``path``; a read of it if the answer has no bytes."""
        key = path, part, word
        if key not in self._noted:
            self._noted[key] = self._answer_at(path, part, word)
        answer = self._noted[key]
        if answer is None:
            self._snapshot.looked_at.note_read(path)
        else:
            self._snapshot.looked_at.note_answers(facts_search(path, part, word), answer)

    def _answer_at(self, path: str, part: str, word: str) -> dict[str, bytes] | None:
        facts = self._facts_at(path, _KIND_OF[part])
        try:
            answer = None if facts is None else _answer(facts, part, word)
        except UnicodeEncodeError:
            return None
        return None if facts is None else told_by(path, answer)

    def _facts_at(self, path: str, kind: FactsKind) -> Any:
        key = path, kind
        if key not in self._kept:
            source = self._snapshot.file_to_search(path) if path in self._snapshot else None
            self._kept[key] = None if source is None else self._by_content(source, kind)
        return self._kept[key]

    def mentioning(self, word: str, paths: Iterable[str]) -> Iterator[Module]:
        """Yield those of the files at ``paths`` that parse and may have mentions of ``word``."""
        mentioning = (path for path in paths if self.may_mention(path, word))
        return filter(None, map(self._load, mentioning))

    def _by_content(self, source: SourceFile, kind: FactsKind) -> Any:
        known = self.known[kind].get(source.text)
        if known is None:
            module = self._searched(source.path)
            # A syntax error is not kept: the next reader needs its message.
            if module is None:
                return None
            # The caller notes which part of the facts it uses.
            with RECORDER.without_record():
                known = self.known[kind][source.text] = facts_of(module, kind)
        return known


@cached_in_file
def facts_of(module: Module, kind: FactsKind) -> Any:
    """Return one kind of facts of ``module``."""
    if kind == "names":
        return FileNames(table_of(module), _classes(module))
    if kind == "mentioned":
        return WordSet.of(word.encode() for word in module.words() if word.isidentifier())
    # One walk, by exact type.
    calls, yields, stored = list[ast.Call](), list[ast.expr](), set[str]()
    for node in module.walk():
        node_type = type(node)
        if node_type is ast.Call:
            calls.append(node)  # type: ignore[arg-type]
        elif node_type is ast.Yield or node_type is ast.YieldFrom:
            yields.append(node)  # type: ignore[arg-type]
        elif node_type is ast.Attribute and type(node.ctx) is ast.Store:  # type: ignore[attr-defined]
            stored.add(node.attr)  # type: ignore[attr-defined]
    generators = {module.enclosing_function(yield_) for yield_ in yields}
    return FileUses(
        renamed={name: tuple(sorted(others)) for name, others in _renamed_values(module).items()},
        called=frozenset(name for call in calls if (name := last_name(call.func))),
        stored=frozenset(stored),
        functions=_functions(module, generators),
    )


def _functions(
    module: Module, generators: Collection[FunctionOrLambda | None]
) -> dict[str, tuple[WrittenFunction, ...]]:
    written_functions: dict[str, list[WrittenFunction]] = {}
    for scope in module.scopes.scopes:
        node = scope.node
        if scope.kind != "function" or not isinstance(node, Function):
            continue
        around = module.scopes.scope_of(node)
        bindings = around.bindings_of(node.name)
        function = WrittenFunction(
            module.span(node).start,
            tuple(_decorator(module, decorator) for decorator in node.decorator_list),
            all(binding.kind == "function" for binding in bindings),
            written_parameters(node.args),
            "generator"
            if node in generators
            else "coroutine"
            if isinstance(node, ast.AsyncFunctionDef)
            else "anything",
        )
        written_functions.setdefault(module.qualname(node), []).append(function)
    return {name: tuple(functions) for name, functions in written_functions.items()}


def _decorator(module: Module, node: ast.expr) -> WrittenDecorator:
    return WrittenDecorator(
        _written_name(module, without_arguments(node)), isinstance(node, ast.Call)
    )


def _renamed_values(module: Module) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {}
    for scope in module.scopes.scopes:
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                if binding.kind not in {"import", "assignment", "walrus"}:
                    continue
                target = target_of(module, binding)
                original = target.name or target.text.rpartition(".")[2]
                if target.kind in {"from", "alias"} and original != name:
                    result.setdefault(original, set()).add(name)
    return result


def _assigned_values(module: Module) -> dict[ast.ClassDef, set[str]]:
    """Return the attributes that the methods of each class set on their first parameter."""
    result: dict[ast.ClassDef, set[str]] = {}
    for node in module.walk():
        # By exact type: one of a hundred nodes.
        if type(node) is not ast.Attribute or type(node.ctx) is not ast.Store:
            continue
        function = module.enclosing_function(node)
        owner = None if function is None else module.scopes.scope_of(function).node
        if not isinstance(owner, ast.ClassDef) or not isinstance(node.value, ast.Name):
            continue
        if function is not None and first_parameter(function) == node.value.id:
            result.setdefault(owner, set()).add(node.attr)
    return result


def _classes(module: Module) -> dict[str, WrittenClass]:
    written_classes: dict[str, WrittenClass] = {}
    scopes = [scope for scope in module.scopes.scopes if scope.kind == "class"]
    assigned = _assigned_values(module) if scopes else {}
    for scope in scopes:
        if isinstance(scope.node, ast.ClassDef):
            own = frozenset(assigned.get(scope.node, ()))
            _add(written_classes, _class(module, scope, scope.node, own))
    for call, made in made_classes(module).items():
        *bases, func = (_written_name(module, base) for base in made.bases)
        _add(
            written_classes,
            WrittenClass(
                qualname=made.qualname,
                span=module.span(call),
                bases=(*bases, replace(func, text=ast.unparse(call), made=True)),
                decorators=(),
                keywords=(),
                members=frozenset(made.fields),
                made=True,
            ),
        )
    return written_classes


def _add(written: dict[str, WrittenClass], added: WrittenClass) -> None:
    """Add a class; which of two of one name it means is decided at run time, so none is certain."""
    other = written.get(added.qualname)
    if other is not None:
        members, own = other.members | added.members, other.assigned | added.assigned
        added = replace(added, unique=False, members=members, assigned=own)
    written[added.qualname] = added


def _class(
    module: Module, scope: Scope, node: ast.ClassDef, assigned: frozenset[str]
) -> WrittenClass:
    fields = (made_fields(base) or () for base in node.bases)
    return WrittenClass(
        qualname=module.qualname(node),
        span=module.span(node),
        bases=tuple(_written_base(module, base) for base in bases_of(module, node)),
        decorators=tuple(
            _written_name(module, decorator) for decorator in decorators_of(module, node)
        ),
        keywords=tuple((part.arg or "**", ast.unparse(part.value)) for part in node.keywords),
        members=frozenset(scope.bindings).union(*fields),
        assigned=assigned,
    )


def bases_of(module: Module, node: ast.ClassDef) -> list[ast.expr]:
    """Return the bases of a class; ``Base[int]`` inherits from `Base`.

    Those of a tuple that only one statement writes are bases: ``class Final(*BASES)``.
    """
    bases = [part for base in node.bases for part in _bases_in(module, base)]
    return [base.value if isinstance(base, ast.Subscript) else base for base in bases]


def _bases_in(module: Module, base: ast.expr) -> list[ast.expr]:
    if isinstance(base, ast.Starred):
        value = module.scopes.only_value(base.value) or base.value
        return value.elts if isinstance(value, ast.Tuple) else [base]
    return [base]


def decorators_of(_module: Module, node: ast.ClassDef) -> list[ast.expr]:
    """Return what decorates a class, without the arguments that it is given."""
    return [without_arguments(decorator) for decorator in node.decorator_list]


def _written_base(module: Module, base: ast.expr) -> WrittenName:
    """Return a base; one that a call makes has the name of the function, and is ``made``."""
    if not isinstance(base, ast.Call) or made_fields(base) is None:
        return _written_name(module, base)
    return replace(_written_name(module, base.func), text=ast.unparse(base), made=True)


def _written_name(module: Module, node: ast.expr) -> WrittenName:
    dotted, first = dotted_name(node), root_of(node)
    text = ast.unparse(node) if dotted is None else dotted
    if dotted is None or not isinstance(first, ast.Name):
        return WrittenName(text)
    bindings = module.scopes.bindings_of(first)
    parts = dotted.split(".")
    if not bindings:
        return WrittenName(text, tuple(parts))
    top = module.scopes.module.bindings
    # A private name is bound by the name that the compiler gives it.
    parts[0] = bindings[0].name
    return WrittenName(text, tuple(parts), "top" if bindings == top.get(parts[0]) else "local")


class Parameters(Struct, frozen=True, array_like=True):
    """The parameters of a function; ``needed`` are those without a default.

    ``rest`` says whether it takes any number of positional arguments, ``others`` any by name.
    """

    positional: tuple[str, ...]
    named: tuple[str, ...]
    needed: frozenset[str]
    rest: bool
    others: bool

    def behind_first(self) -> Parameters:
        """Return what a caller passes to a method that is bound."""
        return Parameters(self.positional[1:], self.named, self.needed, self.rest, self.others)

    def takes(self, declared: Parameters) -> bool:
        """Whether a call that fits ``declared`` may fit this as well."""
        if declared.rest or declared.others:
            return True
        asked = [name for name in declared.positional if name in declared.needed]
        if len(self.positional) < len(asked) and not self.rest and not self.others:
            return False
        names = {*declared.positional, *declared.named}
        beyond = (*self.positional[len(declared.positional) :], *self.named)
        if any(name in self.needed and name not in names for name in beyond):
            return False
        by_name = {name for name in declared.named if name in declared.needed}
        return self.others or by_name <= {*self.positional, *self.named}

    def bind(self, arguments: Arguments | None) -> bool:
        """Whether a call with ``arguments`` can run; else it raises TypeError.

        None are those of a call that unpacks some: they may be anything.
        """
        if arguments is None:
            return True
        rest, names = self.positional[arguments.positional :], set(arguments.names)
        if arguments.positional > len(self.positional) and not self.rest:
            return False
        by_name = {*rest, *self.named}
        return self.needed.intersection(by_name) <= names and (self.others or names <= by_name)


class Arguments(Struct, frozen=True, array_like=True):
    """The arguments of a call that unpacks none: how many by position, and the names of others."""

    positional: int
    names: frozenset[str]


def written_arguments(call: ast.Call) -> Arguments | None:
    """Return what ``call`` passes; None if it unpacks anything."""
    if unpacks(call):
        return None
    return Arguments(len(call.args), frozenset(keyword.arg or "" for keyword in call.keywords))


def written_parameters(arguments: ast.arguments) -> Parameters:
    """Return the parameters of a function."""
    positional = [*arguments.posonlyargs, *arguments.args]
    collecting = {arguments.vararg, arguments.kwarg}
    return Parameters(
        tuple(argument.arg for argument in positional),
        tuple(argument.arg for argument in arguments.kwonlyargs),
        frozenset(
            argument.arg
            for argument, default in parameters_of(arguments)
            if default is None and argument not in collecting
        ),
        arguments.vararg is not None,
        arguments.kwarg is not None,
    )
