"""Reconciles the imports of one file once all its other edits are made.

Imports that the changes need are added at module level, in the file's own style. Imports that lost
their last use are removed, also from the body of a function.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from awaken.contract import (
    ChangeId,
    NeedImport,
    Place,
    Problem,
    ReleaseImport,
    Span,
    Surroundings,
)
from awaken.editing.import_lines import add_name, by_type, new_import, remove_name
from awaken.editing.pragmas import is_about_place
from awaken.engine.edits.file_slices import binds, line_of_statement, nodes_near_word
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import Splice
from awaken.engine.edits.style import (
    FileStyle,
    blank_lines_around,
    line_end,
    line_indent,
    line_start,
)
from awaken.engine.imports.import_order import (
    RELATIVE,
    ImportPlaces,
    ImportStatement,
    LinePlace,
    is_type_checking,
)
from awaken.project.names.import_origins import absolute_module
from awaken.project.source.f_strings import is_literal
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.workspace.sources import LINE_END_BYTES

_HYPHENATED = re.compile(r"\w+(-\w+)+")


class Imports(Struct, frozen=True):
    """The splices that reconcile a file's imports, and the needs that could not be met."""

    splices: tuple[Splice, ...] = ()
    problems: tuple[Problem, ...] = ()


class ImportContext(Struct, frozen=True):
    """The inputs of imports besides their file.

    ``first_party`` are the top-level packages of the project, which have a section of their own;
    ``taken`` are the names that other modules take from this one, which must stay.
    """

    first_party: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()


class Bound(Struct, frozen=True):
    """A name that a top-level import binds; ``typing_only`` in an ``if TYPE_CHECKING`` block."""

    name: str
    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    typing_only: bool


def reconcile(
    module: Module,
    needs: Sequence[OwnedEdit[NeedImport]],
    releases: Sequence[OwnedEdit[ReleaseImport]],
    style: FileStyle,
    context: ImportContext,
) -> Imports:
    """Return what to splice into the edited file ``module`` (named as the project knows it)."""
    work = _Reconciling(module, style, context)
    for wanted, (typing, changes) in _merge_needs(needs).items():
        work.need(wanted, typing, changes)
    for home, name in dict.fromkeys((edit.edit.module, edit.edit.name) for edit in releases):
        work.release(home, name)
    work.release_conditions()
    return Imports(tuple(work.splices()), tuple(work.problems))


class _Wanted(Struct, frozen=True):
    """One import that at least one change needs."""

    module: str
    name: str | None
    alias: str | None

    @property
    def bound_name(self) -> str:
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def text(self) -> str:
        """The text after ``import``."""
        name = self.name or self.module
        return f"{name} as {self.alias}" if self.alias else name


def _merge_needs(
    needs: Iterable[OwnedEdit[NeedImport]],
) -> dict[_Wanted, tuple[bool, list[ChangeId]]]:
    """Return each import once: whether only for typing, and the changes that need it."""
    result: dict[_Wanted, tuple[bool, list[ChangeId]]] = {}
    for owned in needs:
        edit = owned.edit
        wanted = _Wanted(edit.module, edit.name, None if edit.alias == edit.name else edit.alias)
        typing, changes = result.get(wanted, (True, []))
        result[wanted] = (typing and edit.type_checking, [*changes, owned.change])
    return result


class _Reconciling:
    """Additions and removals in the imports of one file."""

    def __init__(self, module: Module, style: FileStyle, context: ImportContext) -> None:
        self.problems: list[Problem] = []
        self._taken = context.taken
        self._module = module
        self._text = module.source.text
        self._style = style
        self._places = ImportPlaces(module, context.first_party)
        self._bounds = list(_bounds(module.tree))
        self._adds: dict[ImportStatement, list[str]] = {}
        self._removes: dict[ImportStatement, list[str]] = {}
        self._lines: list[tuple[_Wanted, LinePlace]] = []
        self._typing_lines: list[_Wanted] = []
        self._needed: set[str] = set()

    def need(self, wanted: _Wanted, typing: bool, changes: Sequence[ChangeId]) -> None:
        """Ensure that ``wanted`` is bound, before its first use where that is at run time."""
        self._needed.add(wanted.bound_name)
        same = [bound for bound in self._bounds if self._gives(bound, wanted)]
        if any(typing or self._is_early(bound, wanted.bound_name) for bound in same):
            return
        if self._is_taken(wanted):
            what = f"the name {wanted.bound_name} already means something else in this file"
            self._reject(what, changes)
            return
        for bound in same:
            # A run-time import serves both; two of one name would be a finding of every linter.
            if bound.typing_only:
                self._remove(bound)
        extended = self._extended_statement(wanted, typing)
        if extended is not None:
            self._adds.setdefault(extended, []).append(wanted.text)
        elif typing:
            self._typing_lines.append(wanted)
            # The block that is made for it needs its own condition imported.
            if not any(is_type_checking(statement) for statement in self._module.tree.body):
                self.need(_Wanted("typing", "TYPE_CHECKING", None), False, changes)
        else:
            self._add_line(wanted, changes)

    def _add_line(self, wanted: _Wanted, changes: Sequence[ChangeId]) -> None:
        before = self._first_use(wanted.bound_name)
        if wanted.name is not None and self._places.one_name_per_line:
            place = self._places.for_name(wanted.module, wanted.name, before=before)
        else:
            place = self._places.for_line(
                wanted.module,
                is_from=wanted.name is not None,
                member=wanted.name or "",
                before=before,
            )
        if place.at > before:
            self._reject(
                f"no line above the first use of {wanted.bound_name} can import it", changes
            )
            return
        self._lines.append((wanted, place))

    def _reject(self, message: str, changes: Sequence[ChangeId]) -> None:
        place = Place(self._module.path, Span(0, 0))
        self.problems.append(Problem(place, message, tuple(changes)))

    def release(self, home: str, name: str | None) -> None:
        """Remove an import if nothing in this file refers to it and no comment would be lost."""
        for bound, function in self._local(name or home):
            if self._is_released(bound, home, name):
                self._remove_unused(bound, function)
        # Imports of a package are part of its interface, and a star import may use them.
        if self._module.is_package or "*" in self._taken:
            return
        for bound in self._bounds:
            if bound.name in self._needed or bound.name in self._taken:
                continue
            if self._is_released(bound, home, name):
                self._remove_unused(bound)

    def release_conditions(self) -> None:
        """Remove the import of ``TYPE_CHECKING`` if all that asks for it goes."""
        conditions = {
            block.test
            for statement in self._removes
            if isinstance(block := self._module.parent(statement), ast.If)
            if not self._edited_text(statement)
            and self._can_go(statement, ())
            and len(block.body) == 1
        }
        asking = {name for condition in conditions for name in ast.walk(condition)}
        released = {node.id for node in asking if isinstance(node, ast.Name)}
        kept = {*self._needed, *self._taken}
        for bound in () if self._module.is_package or "*" in kept else self._bounds:
            if bound.name in released - kept and not self._is_used(bound.name, without=asking):
                self._remove(bound)

    def _local(self, word: str) -> Iterator[tuple[Bound, Function]]:
        """Yield what statements with ``word`` import in the body of a function, and that."""
        for statement in nodes_near_word(self._module, word):
            function = self._module.parent(statement)
            if isinstance(statement, ImportStatement) and isinstance(function, Function):
                for bound in _of_statement(statement):
                    yield bound, function

    def _remove_unused(self, bound: Bound, within: Function | None = None) -> None:
        if not self._is_used(bound.name, within=within):
            self._remove(bound)

    def _remove(self, bound: Bound) -> None:
        """Note that a name goes; several edits may release the same one."""
        names = self._removes.setdefault(bound.statement, [])
        written = bound.alias.asname or bound.alias.name  # `import a.b` binds `a`
        if written not in names:
            names.append(written)

    def _is_released(self, bound: Bound, home: str, name: str | None) -> bool:
        if bound.alias.asname == bound.alias.name:  # the spelling of a re-export
            return False
        if isinstance(bound.statement, ast.Import):
            return name is None and bound.alias.name == home
        return bound.alias.name == name and absolute_module(self._module, bound.statement) == home

    def _gives(self, bound: Bound, wanted: _Wanted) -> bool:
        if isinstance(bound.statement, ast.ImportFrom):
            names = (bound.alias.name, bound.alias.asname) == (wanted.name, wanted.alias)
            return names and absolute_module(self._module, bound.statement) == wanted.module
        if wanted.name is not None or bound.alias.asname != wanted.alias:
            return False
        submodule = wanted.alias is None and bound.alias.name.startswith(f"{wanted.module}.")
        return submodule or bound.alias.name == wanted.module

    def _is_early(self, bound: Bound, name: str) -> bool:
        """Whether a run-time import is above everything that uses its name."""
        if bound.typing_only:
            return False
        return self._module.span(bound.statement).start < self._first_use(name)

    def _first_use(self, name: str) -> int:
        """Return where the first top-level statement that refers to ``name`` starts."""
        uses = [
            self._module.span(node).start
            for node in nodes_near_word(self._module, name)
            if isinstance(node, ast.Name) and node.id == name
        ]
        if not uses:
            return len(self._text)
        # The whole statement: a decorator, a default, or the body of an `if` runs with it.
        starts = [self._start_of(statement) for statement in self._module.tree.body]
        return starts[bisect_right(starts, min(uses)) - 1]

    def _start_of(self, statement: ast.stmt) -> int:
        """Return where a statement starts, with its decorators."""
        decorators = getattr(statement, "decorator_list", [])
        return self._module.span(decorators[0] if decorators else statement).start

    def _is_taken(self, wanted: _Wanted) -> bool:
        """Whether something else at module level binds the name."""
        if not binds(self._module, wanted.bound_name):
            return False
        for binding in self._module.scopes.module.bindings.get(wanted.bound_name, ()):
            statement = self._module.statement_of(binding.node)
            if not isinstance(binding.node, ast.alias) or not isinstance(
                statement, ImportStatement
            ):
                return True
            bound = Bound(wanted.bound_name, statement, binding.node, typing_only=False)
            # `import a.b` and `import a.c` both bind `a`, and mean the same by it.
            package = (
                isinstance(statement, ast.Import)
                and wanted.name is None
                and wanted.alias is binding.node.asname is None
            )
            if not package and not self._gives(bound, wanted):
                return True
        return False

    def _extended_statement(self, wanted: _Wanted, typing: bool) -> ImportStatement | None:
        """Return the statement that already imports from the module and can take the name."""
        if wanted.name is None or (self._places.one_name_per_line and not typing):
            return None
        for bound in self._bounds:
            if (
                isinstance(bound.statement, ast.ImportFrom)
                and bound.typing_only is typing
                and bound.name != "*"
                and self._takes(bound.statement, wanted)
                and absolute_module(self._module, bound.statement) == wanted.module
                and (typing or self._is_early(bound, wanted.bound_name))
            ):
                return bound.statement
        return None

    def _takes(self, statement: ast.ImportFrom, wanted: _Wanted) -> bool:
        """Whether a renamed name and others may share the statement."""
        renamed = wanted.alias or any(name.asname for name in statement.names)
        return not renamed or self._places.combines_renamed

    def _is_used(
        self, name: str, *, within: ast.AST | None = None, without: Collection[ast.AST] = ()
    ) -> bool:
        """Whether the file refers to ``name``, in code, in strings or in type comments.

        Or, in code and in strings, the function ``within`` alone, or all nodes but ``without``.
        """
        word = re.compile(rf"\b{re.escape(name)}\b")
        comments = re.findall(r"#[ \t]*type:[^\r\n]*", self._text.decode())
        return any(map(word.search, comments)) or any(
            _refers(node, name) and not self._is_prose(node)
            for node in nodes_near_word(self._module, name)
            if node not in without
            if within is None or within in self._module.ancestors(node)
        )

    def _is_prose(self, node: ast.AST) -> bool:
        """Whether a string is text that nothing reads as a name: printed, raised or compared."""
        above = self._module.parent(node) if isinstance(node, ast.Constant) else None
        # `X-Session` is a header; only what evaluates it could take it for a subtraction.
        if above is not None and _HYPHENATED.fullmatch(str(getattr(node, "value", ""))):
            return b"eval" not in self._text
        while isinstance(above, ast.List | ast.Set | ast.Tuple | ast.keyword):
            above = self._module.parent(above)
        if isinstance(above, ast.Call):
            return isinstance(self._module.parent(above), ast.Raise)
        return isinstance(above, ast.Compare | ast.Expr) or is_literal(above)

    def splices(self) -> Iterator[Splice]:
        """Yield the changed statements, the removed lines and the new ones."""
        touched = dict.fromkeys([*self._adds, *self._removes])
        texts = {statement: self._edited_text(statement) for statement in touched}
        gone = {statement for statement, text in texts.items() if not text}
        # Twice: whether a block may be emptied depends on what else of it goes.
        gone = {statement for statement in gone if self._can_go(statement, gone)}
        for statement, text in texts.items():
            if text:
                span = self._module.span(statement)
                yield Splice(span.start, span.end, text.encode())
        new = list(self._new_lines(gone))
        # Additions first: a removal then leaves the lines alone that they were placed at.
        yield from new
        inserted = {splice.start: splice.text.decode() for splice in new}
        yield from self._removed_lines(gone, inserted)

    def _edited_text(self, statement: ImportStatement) -> str:
        text, style = self._module.text_of(statement), self._line_style(statement)
        for name in self._adds.get(statement, ()):
            text = add_name(text, name, style)
        for bound in self._removes.get(statement, ()):
            less = remove_name(text, bound)
            if less == "":
                return ""
            text = text if less is None else less
        return text

    def _line_style(self, statement: ast.stmt | None = None) -> Surroundings:
        indent = b"" if statement is None else line_indent(self._text, self._number_at(statement))
        return self._style.of_imports(indent)

    def _number_at(self, statement: ast.stmt) -> int:
        return self._module.span(statement).start

    def _can_go(self, statement: ImportStatement, gone: Collection[ast.stmt]) -> bool:
        """Whether the statement's whole line can go, with its block if that is then empty."""
        alone = line_of_statement(self._module, statement) is not None
        comment = self._comment_of(statement)
        if not alone or (comment and not is_about_place(comment)):
            return False
        block = self._module.parent(statement)
        if isinstance(block, Function):
            return bool(set(block.body) - set(gone))
        # `if TYPE_CHECKING:` goes with its last import, but not where it has an else.
        return (
            not isinstance(block, ast.If)
            or bool(set(block.body) - set(gone))
            or (not block.orelse and len(block.body) == 1)
        )

    def _removed_lines(
        self, gone: Collection[ImportStatement], new: Mapping[int, str]
    ) -> Iterator[Splice]:
        """Yield the removal of whole lines, with blank lines that would be left doubled.

        ``new`` is what is inserted where, which a removal must not swallow.
        """
        spans: list[tuple[int, int]] = []
        for start, end in sorted(map(self._lines_of, gone)):
            if spans and spans[-1][1] == start and start not in new:
                start, _ = spans.pop()  # noqa: PLW2901  one removal of lines that follow each other
            spans.append((start, end))
        for start, end in spans:
            above = self._blank_lines_above(start, new)
            _, after = blank_lines_around(self._text, end)
            behind = end
            for _ in range(after if above is None else min(above, after)):
                if behind not in new:
                    behind = line_end(self._text, behind)
            yield Splice(start, behind, b"")

    def _lines_of(self, statement: ImportStatement) -> tuple[int, int]:
        """Return the lines that go with a statement: those of its block if it is alone there."""
        block = self._module.parent(statement)
        alone = isinstance(block, ast.If) and len(block.body) == 1
        whole = self._module.span(block if alone and block is not None else statement)
        return line_start(self._text, whole.start), line_end(self._text, whole.end)

    def _blank_lines_above(self, at: int, new: Mapping[int, str]) -> int | None:
        """Return how many blank lines are above ``at`` then; None at the head of a block."""
        if at in new:
            lines = new[at].splitlines()
            return len(lines) - len("\n".join(lines).rstrip("\n").split("\n"))
        is_head = not at or self._text[:at].rstrip(b"\r\n").endswith(b":")
        return None if is_head else blank_lines_around(self._text, at)[0]

    def _new_lines(self, gone: Collection[ast.stmt]) -> Iterator[Splice]:
        by_place: dict[LinePlace, list[_Wanted]] = {}
        first: dict[str, LinePlace] = {}
        for wanted, place in sorted(self._lines, key=lambda line: by_type(line[0].name or "")):
            if wanted.alias is None and wanted.name is not None:
                first.setdefault(wanted.module, place)
        for wanted, place in self._lines:
            own = place if wanted.alias or not wanted.name else first[wanted.module]
            by_place.setdefault(own, []).append(wanted)
        result: dict[int, list[tuple[LinePlace, str]]] = {}
        sections: dict[str, int] = {}
        for place, lines in by_place.items():
            text = self._rendered_text(lines, self._line_style(), self._comment_at(place.at))
            result.setdefault(place.at, []).append((place, text))
            # A new section and a line of the one below it may go to one place.
            sections[text] = min(self._places.section(line.module) for line in lines)
        for place, text in self._typing_text(gone) if self._typing_lines else ():
            result.setdefault(place.at, []).append((place, text))
        for at, unsorted in result.items():
            parts = sorted(unsorted, key=lambda part: sections.get(part[1], RELATIVE + 1))
            before, after = parts[0][0].blank_before, parts[-1][0].blank_after
            before = 0 if self._is_first(at, gone) else before
            yield self._padded_insertion(
                LinePlace(at, before, after), self._style.newline.join(text for _, text in parts)
            )

    def _comment_at(self, at: int) -> str:
        """Return the comment of the import above or below ``at`` that allows its place, if any."""
        body = self._module.tree.body
        below = bisect_right(body, at, key=lambda statement: self._module.span(statement).end)
        comments = [
            self._comment_of(statement)
            for statement in body[max(below - 1, 0) : below + 1]
            if isinstance(statement, ImportStatement)
        ]
        return next((f"  {text}" for text in comments if is_about_place(text)), "")

    def _comment_of(self, statement: ImportStatement) -> str:
        """Return the comment of the line on which an import ends."""
        end = self._module.span(statement).end
        return self._text[end : line_end(self._text, end)].decode().strip()

    def _is_first(self, at: int, gone: Collection[ast.stmt]) -> bool:
        """Whether nothing is left above ``at`` when the statements ``gone`` are gone."""
        kept = bytearray(self._text[:at])
        for statement in gone:
            span = self._module.span(statement)
            if span.end <= at:
                kept[span.start : span.end] = b" " * (span.end - span.start)
        return not kept.strip()

    def _typing_text(self, gone: Collection[ast.stmt]) -> Iterator[tuple[LinePlace, str]]:
        """Yield the lines for type checkers, in a block of their own if the file has none."""
        block = self._typing_block(gone)
        if block is None:
            style = msgspec.structs.replace(self._line_style(), line_indent=self._style.indent)
            inside = self._rendered_text(self._typing_lines, style)
            yield self._places.for_typing_block(), f"if TYPE_CHECKING:{style.newline}{inside}"
            return
        style = self._line_style(block.body[0])
        by_place: dict[int, list[_Wanted]] = {}
        for wanted in self._typing_lines:
            is_from = wanted.name is not None
            at = self._places.in_block(block, wanted.module, is_from=is_from)
            by_place.setdefault(at, []).append(wanted)
        for at, lines in by_place.items():
            yield LinePlace(at), self._rendered_text(lines, style)

    def _typing_block(self, gone: Collection[ast.stmt]) -> ast.If | None:
        for block in self._module.tree.body:
            if not isinstance(block, ast.If) or not is_type_checking(block):
                continue
            on_lines = line_of_statement(self._module, block.body[0]) is not None
            if on_lines and set(block.body) - set(gone):
                return block
        return None

    def _rendered_text(
        self, lines: Sequence[_Wanted], style: Surroundings, comment: str = ""
    ) -> str:
        """Return the lines in the order of their sections, which blank lines set apart.

        The ``comment`` follows the first line of each import.
        """
        modules: dict[tuple[int, bool, str], list[_Wanted]] = {}
        for need in lines:
            key = self._places.section(need.module), need.name is not None, need.module
            modules.setdefault(key, []).append(need)
        text, before = "", None
        for (section, is_from, module), held in sorted(modules.items()):
            if before is not None and section != before and not style.line_indent:
                text += style.newline
            before = section
            names = [item.text for item in held]
            if not is_from:
                rendered = [f"import {name}" for name in names]
            elif self._places.one_name_per_line:
                rendered = [new_import(module, [name], style) for name in sorted(names)]
            else:
                rendered = [new_import(module, item, style) for item in self._statements(held)]
            for line in rendered:
                first, *others = line.splitlines()
                written = style.newline.join((first + comment, *others))
                text += f"{style.line_indent}{written}{style.newline}"
        return text

    def _statements(self, held: Sequence[_Wanted]) -> list[list[str]]:
        """Return the names of one module by the statements that import them."""
        if self._places.combines_renamed:
            return [[need.text for need in held]]
        plain = [need.text for need in held if need.alias is None]
        renamed = [[need.text] for need in held if need.alias is not None]
        every = [sorted(plain, key=by_type), *renamed] if plain else renamed
        return sorted(every, key=lambda names: by_type(names[0].partition(" ")[0]))

    def _padded_insertion(self, place: LinePlace, lines: str) -> Splice:
        """Return the insertion of ``lines``, with the blank lines that are missing around it."""
        text, newline = self._text, self._style.newline
        before, after = blank_lines_around(text, place.at)
        unfinished = place.at and LINE_END_BYTES.fullmatch(text[place.at - 1 : place.at]) is None
        head = newline * ((max(0, place.blank_before - before) if place.at else 0) + unfinished)
        tail = newline * max(0, place.blank_after - after) if text[place.at :].strip() else ""
        return Splice(place.at, place.at, f"{head}{lines}{tail}".encode())


def _bounds(tree: ast.Module) -> Iterator[Bound]:
    for statement in tree.body:
        inside = statement.body if is_type_checking(statement) else [statement]  # type: ignore[attr-defined]
        for item in inside:
            if isinstance(item, ImportStatement):
                yield from _of_statement(item, typing_only=item is not statement)


def _of_statement(statement: ImportStatement, *, typing_only: bool = False) -> Iterator[Bound]:
    for alias in statement.names:
        name = alias.asname or alias.name.partition(".")[0]
        yield Bound(name, statement, alias, typing_only)


def _refers(node: ast.AST, name: str) -> bool:
    """Whether ``node`` is the name, or a string that reads it: an annotation, in ``__all__``."""
    if isinstance(node, ast.Global | ast.Nonlocal):
        return name in node.names
    if isinstance(node, ast.Name):
        return node.id == name
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    try:
        # Every string might be an annotation, so whatever the parser says of other text is caught.
        tree = ast.parse(node.value.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(tree))
