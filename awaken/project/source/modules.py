"""One parsed file: its tree, the byte offsets of its nodes, and the nodes around each of them."""

from __future__ import annotations

import ast
import bisect
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, KeysView, Sequence
from copy import copy
from itertools import accumulate, chain, pairwise, takewhile
from typing import Any, TypeVar

from awaken.contract import Place, Span
from awaken.project.source.bindings import (
    Import,
    bound_once,
    imports_in,
    names_bound_by,
    renamed_imports,
    renaming_assignments,
)
from awaken.project.source.looked_at import NamedPart, PartKind
from awaken.project.source.memo import RECORDER, cached_in_file, kept_answer, of_file
from awaken.project.source.scopes import ScopeTable
from awaken.project.source.texts.named_parts import NamedParts, note_read, noting_tree
from awaken.project.source.trees import (
    ORIGINAL_NAME,
    SHARED,
    Function,
    FunctionOrLambda,
    asks_for_main,
    children,
    last_word,
    nodes_and_parents,
    position,
    variable_of,
    walk,
)
from awaken.project.source.worklist import groups_of
from awaken.workspace.sources import LINE_END_BYTES, SourceFile

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_BLOCKS = ("body", "orelse", "finalbody")
_IN_BLOCKS = ast.stmt | ast.ExceptHandler | ast.match_case
_EXCERPT = 60
_AS = re.compile(rb"\sas[\s\\]")  # few files rename an import: the others need no walk

Value = TypeVar("Value")
Node = TypeVar("Node", bound=ast.AST)


class Module:
    """One file of a snapshot with its ``ast``; made for one question, then thrown away.

    ``name`` is the dotted name by which the project knows the file. Everything beyond the tree is
    computed when first asked for.
    """

    def __init__(self, source: SourceFile, tree: ast.Module, name: str) -> None:
        self.path = source.path
        self.name = name
        self.size = len(source.text)
        self._source = source
        self.tree = noting_tree(tree, self.path)
        self.memo: dict[Hashable, Any] = {}  # what others worked out about this tree
        self.own: dict[Hashable, Any] = {}  # facts of the file alone: all copies share them
        if self._renamed:
            self.parts.renamed = sorted(self._renamed.values())
            with RECORDER.without_record():
                self._keep_original_names(self.nodes(ast.Name))

    @property
    def source(self) -> SourceFile:
        """The file itself, with all its text."""
        note_read(self.path)
        return self._source

    def is_of(self, source: SourceFile) -> bool:
        """Whether this is the tree of ``source``."""
        return self._source is source

    @of_file
    def parts(self) -> NamedParts:
        """The named parts of the file, which note what is seen of them."""
        return NamedParts(self.path, self._source.text, self._line_starts, self._parents)

    def named_part(self, kind: PartKind, name: str) -> NamedPart:
        """Return the part of the file that binds, or mentions, ``name`` at its top."""
        return self.scopes.parts.part(kind, name, self._by_word)

    def _keep_original_names(self, names: Iterable[ast.AST]) -> None:
        """Keep with each name that the file gives to something imported how its home calls it."""
        renamed = {name for name, _ in self._renamed.values()}
        for node in names:
            if type(node) is ast.Name and node.id in renamed and type(node.ctx) is ast.Load:
                once = self._bound_once.get(node.id)
                places = [once] if once else [x.node for x in self.scopes.bindings_of(node)]
                original = {self._renamed[part][1] for part in places if part in self._renamed}
                if len(original) == 1:
                    setattr(node, ORIGINAL_NAME, original.pop())

    @of_file
    def _imports(self) -> list[Import]:
        return imports_in(self.tree)

    @of_file
    def _bound_once(self) -> dict[str, ast.AST]:
        renaming = {target.id: target for target, _, _ in renaming_assignments(self.tree)}
        return bound_once(names_bound_by(self._imports) | renaming, self.nodes, self.ancestors)

    @of_file
    def _renamed(self) -> dict[ast.AST, tuple[str, str]]:
        """The names that the file gives to something imported, each with the original."""
        result = renamed_imports(self._imports if _AS.search(self._source.text) else ())
        renaming = [*renaming_assignments(self.tree)]
        imported = names_bound_by(self._imports) if renaming else {}
        for target, root, original in renaming:
            is_once = root.id in imported and root.id in self._bound_once
            if root.id in imported and (is_once or self.scopes.only_binding(root, "import")):
                result[target] = target.id, original
        return result

    def with_own_memo(self) -> Module:
        """Return the same file for another project: its tree and scopes, but an empty memo."""
        other = copy(self)
        other.memo = {}
        return other

    def memoize(self, key: Hashable, find: Callable[[], Value]) -> Value:
        """Return what ``find`` gave for ``key`` the first time, while this tree is kept.

        Nothing that it gives may lead back to the file: its tree would never be freed.
        """
        return kept_answer(self.memo, key, find)

    def names_given_to(self, word: str) -> list[str]:
        """Return the other names that the file gives to what is called ``word`` at home."""
        return sorted({name for name, original in self._renamed.values() if original == word})

    @property
    def is_package(self) -> bool:
        """Whether the file is the ``__init__.py`` of a package."""
        return self.path.rsplit("/", 1)[-1] in {"__init__.py", "__init__.pyi"}

    @of_file
    def scopes(self) -> ScopeTable:
        """The scopes of the file and the names bound in them."""
        return ScopeTable(self.tree, self._parents.get, self.parts)

    @of_file
    def _line_starts(self) -> list[int]:
        lines = self._source.text.splitlines(keepends=True)
        starts = list(accumulate(map(len, lines), initial=0))
        # A text without an end of its last line has no line after it.
        return starts if not lines or lines[-1].endswith((b"\n", b"\r")) else starts[:-1]

    @of_file
    def _nodes_and_parents(self) -> tuple[list[ast.AST], dict[ast.AST, ast.AST]]:
        return nodes_and_parents(self.tree)

    @of_file
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return self._nodes_and_parents[1]

    def span(self, node: ast.AST) -> Span:
        """Return the bytes of ``source.text`` that ``node`` takes.

        The span of a definition is without decorators. Positions inside f-strings are wrong before
        Python 3.12 (see ``in_fstring``). Nodes without a position of their own (``arguments``,
        ``withitem``, ``comprehension``) take what their children take. Raises ValueError for nodes
        without any position, such as operators or an empty ``arguments``.
        """
        line = getattr(node, "lineno", None)
        if line is None:
            if isinstance(node, ast.Module):
                return Span(0, len(self._source.text))
            spans = [self.span(child) for child in children(node)]
            if not spans:
                raise ValueError(f"{type(node).__name__} has no position")
            return Span(min(spans).start, max(span.end for span in spans))
        starts = self._line_starts
        return Span(
            starts[line - 1] + node.col_offset,  # type: ignore[attr-defined]
            starts[node.end_lineno - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )

    def place(self, node: ast.AST, note: str = "") -> Place:
        """Return the place of ``node`` in this file, with a note if it needs one."""
        return Place(self.path, self.span(node), note)

    def text_of(self, node: ast.AST) -> str:
        """Return the source text of ``node``, as written in the file."""
        span = self.span(node)
        return self._source.text[span.start : span.end].decode("utf-8")

    def excerpt(self, node: ast.AST) -> str:
        """Return the source of ``node`` on one line, cut to what fits into a sentence.

        Of a statement with a block this is what comes before the block.
        """
        text = self.text_of(node)
        block = getattr(node, "body", None)
        if isinstance(node, ast.stmt) and isinstance(block, list):
            start, end = self.span(node).start, self.span(block[0]).start
            text = self._source.text[start:end].decode()
        text = " ".join(text.split())
        return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 3]}..."

    def parse_string(self, constant: ast.Constant) -> ast.expr | None:
        """Return the expression of a string annotation, as if it were in its place.

        All its nodes have the position and the scope of the string; None if it is no expression.
        """
        kept: ast.expr | None = self.memo.get(constant)
        if kept is not None or not isinstance(constant.value, str):
            return kept
        try:
            parsed = ast.parse(constant.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        parents = self._parents
        # From here the nodes inside lead to the scope of the string.
        parents[parsed] = constant
        for node in walk(parsed):
            ast.copy_location(node, constant)
            for child in ast.iter_child_nodes(node):
                if type(child) not in SHARED:
                    parents[child] = node
        if self._renamed:
            self._keep_original_names(walk(parsed))
        self.memo[constant] = parsed
        return parsed

    def line_column(self, span: Span) -> tuple[int, int]:
        """Return the line and the column in characters of the start of ``span``, both from 1."""
        line = bisect.bisect_right(self._line_starts, span.start)
        before = self._source.text[self._line_starts[line - 1] : span.start]
        return line, len(before.decode("utf-8", "replace")) + 1

    def parent(self, node: ast.AST | None) -> ast.AST | None:
        """Return the node that holds ``node``; None for the module and for shared operators."""
        return None if node is None else self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what encloses ``node``, from its parent to the module."""
        current = self._parents.get(node)
        while current is not None:
            yield current
            current = self._parents.get(current)

    def ancestors_inside(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what encloses ``node`` below the function or lambda around it."""
        return takewhile(lambda part: not isinstance(part, FunctionOrLambda), self.ancestors(node))

    def steps_up(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield ``node`` and what encloses it, each with its parent, up to the module."""
        return pairwise(chain((node,), self.ancestors(node)))

    def walk(self, node: ast.AST | None = None) -> Iterator[ast.AST]:
        """Yield ``node`` (by default the tree) and all below it in the order of the source."""
        order = self._nodes_and_parents[0]
        if node is None:
            note_read(self.path)
            return iter(order)
        numbers = self._numbers
        if node not in numbers:
            return walk(node)
        # The nodes of a block are a piece of all: only its last statement is walked through.
        last = node
        while (below := children(last)) and below[-1] in numbers:
            last = below[-1]
        return chain(order[numbers[node] : numbers[last]], walk(last))

    @of_file
    def _numbers(self) -> dict[ast.AST, int]:
        """The numbers of statements, and of parts that have blocks, among all nodes."""
        order = enumerate(self._nodes_and_parents[0])
        return {node: number for number, node in order if isinstance(node, _IN_BLOCKS)}

    @of_file
    def _by_type(self) -> dict[type[ast.AST], list[ast.AST]]:
        return groups_of(self._nodes_and_parents[0], type)

    def nodes(self, kind: type[Node]) -> Sequence[Node]:
        """Return all nodes of the file of a concrete ``kind``, in source order; of AST, all."""
        note_read(self.path)
        if kind is ast.AST:
            return self._nodes_and_parents[0]  # type: ignore[return-value]
        return self._by_type.get(kind, ())  # type: ignore[return-value]

    @cached_in_file
    def nodes_of(self, *kinds: type[ast.AST]) -> list[Any]:
        """Return all nodes of the file of one of these concrete ``kinds``, in source order."""
        note_read(self.path)
        return [node for node in self._nodes_and_parents[0] if type(node) in kinds]

    def nodes_below(self, node: ast.AST | None, kind: type[Node]) -> Iterator[Node]:
        """Yield what ``walk`` does, but only the nodes of a ``kind``, which may be abstract."""
        return (part for part in self.walk(node) if isinstance(part, kind))

    @property
    def functions(self) -> list[Function]:
        """All functions of the file but lambdas, in source order."""
        return self.nodes_of(ast.FunctionDef, ast.AsyncFunctionDef)

    @of_file
    def _by_word(self) -> dict[str, list[ast.AST]]:
        nodes = defaultdict[str, list[ast.AST]](list)
        name, attribute, constant, load = ast.Name, ast.Attribute, ast.Constant, ast.Load
        # By hand, and by exact type: it looks at every node.
        for part in self._nodes_and_parents[0]:
            node: Any = part
            kind = type(node)
            if kind is name:
                if type(node.ctx) is load:
                    nodes[node.id].append(node)
            elif kind is attribute:
                if type(node.ctx) is load:
                    nodes[node.attr].append(node)
            elif kind is constant:
                if type(node.value) is str:
                    nodes[last_word(node.value)].append(node)
            elif kind is ast.alias:
                nodes[node.name].append(node)
        return nodes

    def mentions(self, word: str) -> Sequence[ast.AST]:
        """Return what reads ``word``, or may, in source order; nothing that stores or deletes it.

        These are names and attributes that are read, imports of it, and strings that end with it,
        as ``"package.module:word"``.
        """
        nodes = self._by_word.get(word, ())
        self.scopes.parts.note_mentions(word, nodes)
        return nodes

    def words(self) -> KeysView[str]:
        """Return all words of which the file has mentions."""
        note_read(self.path)
        return self._by_word.keys()

    @of_file
    def _calls(self) -> dict[int, list[ast.Call]]:
        calls: dict[int, list[ast.Call]] = {}
        for node in self.nodes(ast.Call):
            start = self._line_starts[node.lineno - 1] + node.col_offset
            calls.setdefault(start, []).append(node)
        return calls

    def calls_at(self, span: Span) -> list[ast.Call]:
        """Return the calls that take exactly ``span``: one, except inside f-strings."""
        note_read(self.path)
        return [call for call in self._calls.get(span.start, []) if self.span(call) == span]

    def expressions_at(self, spans: Collection[Span]) -> Iterator[ast.expr]:
        """Yield the expressions that take exactly one of ``spans``, in source order."""
        return (node for node in self.nodes_at(spans) if isinstance(node, ast.expr))

    def nodes_at(self, spans: Collection[Span]) -> Iterator[ast.expr | ast.stmt]:
        """Yield the expressions and statements that take exactly one of ``spans``, outer first."""
        note_read(self.path)
        for start in sorted({span.start for span in spans}):
            node = self._beginning.get(start)
            while node is not None:
                if self.span(node) in spans:
                    yield node
                parts = (part for part in children(node) if isinstance(part, ast.expr | ast.stmt))
                begun = position(node)
                node = next((part for part in parts if position(part) == begun), None)

    @of_file
    def _beginning(self) -> dict[int, ast.expr | ast.stmt]:
        """The outermost expression, or the statement, at each place where one begins."""
        starts, result = self._line_starts, dict[int, ast.expr | ast.stmt]()
        for node in self._nodes_and_parents[0]:
            if isinstance(node, ast.expr | ast.stmt):
                result.setdefault(starts[node.lineno - 1] + node.col_offset, node)
        return result

    @of_file
    def _functions(self) -> dict[int, Function]:
        nodes = [scope.node for scope in self.scopes.scopes]
        return {self.span(node).start: node for node in nodes if isinstance(node, Function)}

    def function_at(self, start: int) -> Function | None:
        """Return the function that begins at a byte of the file; None if there is none."""
        function = self._functions.get(start)
        self.parts.note_node(function)
        return function

    @of_file
    def _classes(self) -> dict[Span, ast.ClassDef]:
        nodes = [scope.node for scope in self.scopes.scopes]
        return {self.span(node): node for node in nodes if isinstance(node, ast.ClassDef)}

    def class_at(self, span: Span) -> ast.ClassDef | None:
        """Return the class that takes exactly ``span``; None if there is none."""
        node = self._classes.get(span)
        self.parts.note_node(node)
        return node

    def enclosing_function(self, node: ast.AST) -> FunctionOrLambda | None:
        """Return the function or lambda whose body or parameter list holds ``node``.

        Decorators, defaults and annotations are evaluated outside the function they belong to.
        """
        return self.scopes.scope_of(node).enclosing_function()

    def enclosing_def(self, node: ast.AST) -> Function | None:
        """Return the function that ``node`` is in, or that it decorates; lambdas aside."""
        return next((part for part in self.ancestors(node) if isinstance(part, Function)), None)

    @of_file
    def _returns(self) -> dict[FunctionOrLambda | None, list[ast.Return]]:
        return groups_of(self.nodes(ast.Return), self.enclosing_function)

    def returns_of(self, function: FunctionOrLambda) -> Sequence[ast.Return]:
        """Return the ``return`` statements of a function itself, in order."""
        return self._returns.get(function, ())

    def returned_by(self, function: FunctionOrLambda) -> list[ast.expr]:
        """Return the expressions that a function itself returns, in order."""
        if isinstance(function, ast.Lambda):
            return [function.body]
        return [node.value for node in self.returns_of(function) if node.value is not None]

    def outputs_of(self, function: FunctionOrLambda) -> list[ast.expr]:
        """Return the expressions that a function itself returns or yields, in order."""
        yielded = [
            node.value for node in self._yields.get(function, ()) if isinstance(node, ast.Yield)
        ]
        return sorted([*self.returned_by(function), *filter(None, yielded)], key=position)

    def outermost_def(self, node: ast.AST) -> Function | None:
        """Return the function around ``node``, or ``node``, that is in no other function."""
        around = [part for part in (node, *self.ancestors(node)) if isinstance(part, Function)]
        return around[-1] if around else None

    def fresh_local(self, node: ast.AST, *candidates: str, taken: Collection[str] = ()) -> str:
        """Return a fresh name, as `Scopes.fresh_name` does, for the function around ``node``."""
        within = self.enclosing_function(node)
        return self.scopes.fresh_name(*candidates, taken=taken, within=within)

    def enclosing_coroutine(self, node: ast.AST) -> ast.AsyncFunctionDef | None:
        """Return the ``async def`` that itself runs ``node``; None where something else does.

        The code of a generator expression runs where it is iterated, maybe elsewhere.
        """
        for scope in self.scopes.scope_of(node).chain():
            if isinstance(scope.node, ast.GeneratorExp):
                return None
            if isinstance(scope.node, FunctionOrLambda):
                return scope.node if isinstance(scope.node, ast.AsyncFunctionDef) else None
        return None

    @of_file
    def _yields(self) -> dict[FunctionOrLambda | None, list[ast.expr]]:
        kinds = (ast.Yield, ast.YieldFrom)
        yields: list[Any] = [node for kind in kinds for node in self._by_type.get(kind, ())]
        return groups_of(sorted(yields, key=position), self.enclosing_function)

    def yields_of(self, function: Function) -> Sequence[ast.Yield | ast.YieldFrom]:
        """Return what makes a function a generator, in order."""
        return self._yields.get(function, ())  # type: ignore[return-value]

    def is_generator(self, function: Function) -> bool:
        """Whether ``function`` yields: a call of it runs nothing, and gives what iterates."""
        return function in self._yields

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the innermost class whose body holds ``node``, also through its methods."""
        scope = self.scopes.scope_of(node)
        while scope is not None:
            if isinstance(scope.node, ast.ClassDef) and scope.kind == "class":
                return scope.node
            scope = scope.parent  # type: ignore[assignment]
        return None

    def scope_name(self, node: ast.AST) -> str:
        """Return the dotted names of the definitions around ``node``, ``<module>`` for none."""
        names = self.scopes.scope_of(node).definition_names()
        return ".".join(names) if names else "<module>"

    def key_of(self, node: ast.AST) -> tuple[str, int]:
        """Return a key that is equal for the same definition, also where the tree is another."""
        return self.path, self.span(node).start

    def full_name(self, definition: Definition | None) -> str:
        """Return the qualified name of a function or class of the file; empty of None."""
        return "" if definition is None else f"{self.name}.{self.qualname(definition)}"

    @cached_in_file
    def qualname(self, definition: Definition) -> str:
        """Return what Python stores as ``__qualname__``: ``Shop.open``, ``make.<locals>.Shop``."""
        return self.scopes.scope_of(definition).qualname_of(definition.name)

    def call_of(self, function: ast.AST) -> ast.Call | None:
        """Return the call that calls ``function``, an expression; None where nothing does."""
        call = self.parent(function)
        return call if isinstance(call, ast.Call) and call.func is function else None

    def method_call_on(self, receiver: ast.AST) -> ast.Call | None:
        """Return the call of a method of ``receiver``, an expression; None where none is called."""
        method = self.parent(receiver)
        return self.call_of(method) if isinstance(method, ast.Attribute) else None

    def call_taking(self, argument: ast.AST) -> ast.Call | None:
        """Return the call that is passed ``argument``, by its position or name; None elsewhere."""
        above = self.parent(argument)
        call = self.parent(above) if isinstance(above, ast.keyword) else above
        return call if isinstance(call, ast.Call) and call.func is not argument else None

    def variable_of(self, value: ast.AST) -> ast.Name | None:
        """Return the variable that an assignment or a block gives exactly ``value``, or None."""
        above = self.parent(value)
        kept = above.optional_vars if isinstance(above, ast.withitem) else variable_of(above)
        return kept if isinstance(kept, ast.Name) and kept is not value else None

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """Return ``node`` or the innermost statement around it; None for the module."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self._parents.get(current)
        return current

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements of the block of ``statement``, itself included, in order."""
        above = self.parent(statement)
        blocks = (getattr(above, name, None) for name in _BLOCKS)
        return next(
            (item for item in blocks if isinstance(item, list) and statement in item), [statement]
        )

    def text_alongside(self, node: ast.AST) -> tuple[bytes, bytes]:
        """Return the text before ``node`` on its first line, and after it on its last."""
        note_read(self.path)
        span, text = self.span(node), self._source.text
        first = max(text.rfind(end, 0, span.start) for end in (b"\n", b"\r")) + 1
        line_end = LINE_END_BYTES.search(text, span.end)
        last = len(text) if line_end is None else line_end.start()
        return text[first : span.start].strip(), text[span.end : last].strip()

    def is_under_main(self, node: ast.AST) -> bool:
        """Whether ``node`` is under ``if __name__ == "__main__":``."""
        return any(
            isinstance(above, ast.If) and below in above.body and asks_for_main(above.test)
            for below, above in self.steps_up(node)
        )

    def in_fstring(self, node: ast.AST) -> bool:
        """Whether ``node`` is inside an f-string."""
        return any(isinstance(above, ast.JoinedStr) for above in self.ancestors(node))


def nodes_in(
    modules: Iterable[Module], kind: type[Node] | tuple[type[Node], ...]
) -> Iterator[tuple[Module, Node]]:
    """Yield the nodes of some kinds in some files, each with its file; for ``ast.AST`` all."""
    for module in modules:
        nodes = module.nodes_of(*kind) if isinstance(kind, tuple) else module.nodes(kind)
        for node in nodes:
            yield module, node


def same_node(module: Module, node: ast.AST, other_module: Module, other: ast.AST) -> bool:
    """Whether two nodes are the same place of the same file, even of two trees.

    A file may be parsed more than once, so the nodes of one place need not be one object.
    """
    if module is other_module:
        return node is other
    return (
        type(node) is type(other)
        and module.path == other_module.path
        and module.span(node) == other_module.span(other)
    )


Load = Callable[[str], Module | None]
"""What parses the file at a path."""
