"""Relation of each mention of a name to the methods of that name, whatever their class.

They hold no tree: a file is parsed once for all methods of one name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.names.file_facts import Arguments, written_arguments
from awaken.project.names.module_tables import NameTarget
from awaken.project.names.usages import UsageKind, is_annotation, usage_of
from awaken.project.names.visibility import is_listed, is_public, is_seen
from awaken.project.source.memo import RECORDER, Recorded
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import Values, holds_tree
from awaken.project.values.evaluation import Evaluator

_REPLACING = {"delattr", "multiple", "object", "patch", "setattr"}
"""Functions that are given a name in a string to put something else in its place."""
_PATH = re.compile(r"//|(?:^|/)\.{1,2}/")  # of a file or a URL


class Definition(Struct, frozen=True):
    """The place of a definition: a search outlives the tree that it began with."""

    path: str
    kind: type[ast.AST]
    span: Span

    @classmethod
    def of(cls, module: Module, node: ast.AST) -> Definition:
        """Return the place of the definition ``node`` of ``module``."""
        return cls(module.path, type(node), module.span(node))

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return self.kind is ast.ClassDef

    def is_at(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` of ``module`` is this definition."""
        if module.path != self.path or type(node) is not self.kind:
            return False
        return module.span(node) == self.span


class Receiver(Struct, frozen=True):
    """The receiver of a method at its name: its ``values``.

    ``above`` is the class in which ``super().name`` is written, "" for none; None for all else.
    """

    values: Values
    above: str | None = None


class Mention(Struct, frozen=True):
    """A mention at ``place``: after a receiver, or bare, as one of these ``definitions``.

    ``used`` is what uses it, of the ``kind`` of a ``Usage``, and ``text`` how that is written. A
    call passes ``arguments``, None if it unpacks any. The scope of ``renamed_in`` gives it the
    other name ``name``, and gives that to nothing else.
    """

    place: Place
    receiver: Receiver | None
    definitions: tuple[Definition, ...]
    kind: UsageKind
    used: Place
    is_call: bool
    text: str
    name: str = ""
    renamed_in: Definition | None = None
    arguments: Arguments | None = None

    @property
    def is_in_function(self) -> bool:
        """Whether the other name is a variable of a function, which no other file sees."""
        scope = self.renamed_in
        return scope is not None and not issubclass(scope.kind, ast.Module) and not scope.is_class


class Text(Struct, frozen=True):
    """A string that names a method, at ``place``."""

    place: Place
    text: str


class Imported(Struct, frozen=True):
    """An import at ``place`` of what is ``qualified``, None where it cannot be followed.

    It gets the name ``name``, or keeps ``original``; ``is_exported`` where other programs may
    import it from there.
    """

    place: Place
    qualified: str | None
    original: str
    name: str
    is_exported: bool


AnyMention = Mention | Text | Imported


class Mentions:
    """The mentions of one program by file and name, each worked out once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._kept = Recorded[tuple[str, str], tuple[AnyMention, ...]]()

    def mentions_in(self, module_path: str, word: str) -> tuple[AnyMention, ...] | None:
        """Return the mentions of ``word`` in a file; None if it does not parse."""
        key = module_path, word
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        with RECORDER.with_record():
            module = self._evaluator.load(module_path)
            if module is None:
                return None
            kept = tuple(self._any_mentions_in(module, word))
            if not any(isinstance(item, Mention) and _holds_tree(item.receiver) for item in kept):
                self._kept[key] = kept
        return kept

    def _any_mentions_in(self, module: Module, word: str) -> Iterator[AnyMention]:
        for node in module.mentions(word):
            match node:
                case ast.Attribute():
                    yield mention_of(module, node, self._receiver(module, node))
                case ast.Name():
                    yield mention_of(module, node)
                case ast.alias():
                    imported = imported_by(self._evaluator, module, node)
                    if imported is not None:
                        yield imported
                case ast.Constant(value=str() as text):
                    is_named = owner_in_text(word, text) is not None
                    if is_named and may_name_in_text(self._evaluator, module, node):
                        yield Text(module.place(node), text)

    def _receiver(self, module: Module, node: ast.Attribute) -> Receiver:
        if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super":
            around = module.enclosing_class(node)
            return Receiver((), module.full_name(around))
        return Receiver(self._evaluator.values(module, node.value))


def _holds_tree(receiver: Receiver | None) -> bool:
    return receiver is not None and holds_tree(receiver.values)


def mention_of(
    module: Module,
    node: ast.Attribute | ast.Name,
    receiver: Receiver | None = None,
    *,
    is_class: bool = False,
) -> Mention:
    """Return the mention that ``node`` is of a function, or with ``is_class`` of a class."""
    use = usage_of(module, node, is_class=is_class)
    bindings = module.scopes.bindings_of(node)
    renamed_in = None
    if use.kind == "alias":
        scope = module.scopes.scope_of(node)
        if len(scope.bindings_of(use.name)) == 1:
            renamed_in = Definition.of(module, scope.node)
    return Mention(
        module.place(node),
        receiver,
        tuple(Definition.of(module, item.node) for item in bindings if item.kind == "function"),
        use.kind,
        module.place(use.node),
        isinstance(use.node, ast.Call),
        module.excerpt(use.node),
        use.name,
        renamed_in,
        written_arguments(use.node) if isinstance(use.node, ast.Call) else None,
    )


def imported_by(evaluator: Evaluator, module: Module, alias: ast.alias) -> Imported | None:
    """Return what ``from ... import ...`` imports by an alias; None for ``import ...``."""
    statement = module.parent(alias)
    if not isinstance(statement, ast.ImportFrom):
        return None
    target = NameTarget("from", statement.module or "", alias.name, statement.level)
    qualified = evaluator.names.imported_name(module.path, target)
    name = alias.asname or alias.name
    is_exported = module.is_package and is_seen(evaluator.names, module, name)
    return Imported(module.place(alias), qualified, alias.name, name, is_exported)


def owner_in_text(word: str, text: str) -> str | None:
    """Return the part before ``word`` in a text such as ``app.main:word()``, or "".

    None where the text does not name it.
    """
    named = re.fullmatch(rf"(?:([\w.:/-]*)[.:/])?{re.escape(word)}(?:\(\))?", text)
    if named is None or _PATH.search(text):
        return None
    return re.split(r"[.:/]+", (named[1] or "").rstrip(":").removesuffix(".py"))[-1]


def may_name_in_text(evaluator: Evaluator, module: Module, node: ast.Constant) -> bool:
    """Whether a string may be there for what it names to be called."""
    above = module.parent(node)
    # Docstrings and annotations call nothing.
    if isinstance(above, ast.Expr) or is_annotation(module, node):
        return False
    if isinstance(above, ast.Call) and node in above.args and last_name(above.func) in _REPLACING:
        return False
    # Nobody imports from the ``__all__`` of a program, and a public name says as much.
    is_private = evaluator.names.layout.published and not is_public(module, str(node.value))
    return is_private or not is_listed(module, node)
