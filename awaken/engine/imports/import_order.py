"""The place of a new import line: in its section, in its order, as isort and ruff would have it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from msgspec import Struct

from awaken.editing.import_lines import by_type
from awaken.engine.edits.file_slices import line_of_statement
from awaken.engine.edits.insertions import above_comments, end_of_imports, header_end, is_docstring
from awaken.engine.edits.style import line_end, line_start
from awaken.project.source.modules import Module
from awaken.workspace.sources import LINE_END_BYTES

FUTURE, STANDARD, THIRD_PARTY, FIRST_PARTY, RELATIVE = range(5)
ImportStatement = ast.Import | ast.ImportFrom


class LinePlace(Struct, frozen=True, order=True):
    """Where a line goes, and how many blank lines it wants before and after it, at least."""

    at: int
    blank_before: int = 0
    blank_after: int = 0


class ImportPlaces:
    """The import blocks of one file; ``first_party`` are the project's top-level packages."""

    def __init__(self, module: Module, first_party: frozenset[str]) -> None:
        self._module = module
        self._text = module.source.text
        self._first_party = first_party
        # Imports below the first code count apart: a name may be used before they run.
        groups, end = list(self._all_groups()), end_of_imports(module)
        self._groups = [group for group in groups if module.span(group[0]).start < end]
        self._later_groups = groups[len(self._groups) :]

    def section(self, name: str) -> int:
        """Return the section of a module by its dotted name."""
        top = name.partition(".")[0]
        if not top:
            return RELATIVE
        if top == "__future__":
            return FUTURE
        # The library of the Python that runs awaken; a name that came or went since is third-party.
        if top in sys.stdlib_module_names:
            return STANDARD
        return FIRST_PARTY if top in self._first_party else THIRD_PARTY

    @cached_property
    def combines_renamed(self) -> bool:
        """Whether the file imports renamed names in one statement with others.

        By default isort and ruff give each of them a statement of its own.
        """
        held = [one for group in self._groups for one in group if isinstance(one, ast.ImportFrom)]
        return any(len(node.names) > 1 and any(name.asname for name in node.names) for node in held)

    def for_line(self, name: str, *, is_from: bool, member: str = "", before: int) -> LinePlace:
        """Return where ``import name`` or ``from name import member`` goes.

        A section below code is taken only if it ends ``before`` the first use.
        """
        section = self.section(name)
        later = [item for item in self._later_groups if self._end_of(item[-1]) <= before]
        group = self._first_group_of(self._groups, section, name)
        if group is None and self._groups:
            group = self._first_group_of(later, section, name)
        if group is not None:
            same = [statement for statement in group if self._section_of(statement) == section]
            if _is_sorted(group):  # whatever is third-party here, it is one list for its author
                same = group
            return LinePlace(self._place_among(same, name, is_from=is_from, member=member))
        if not self._groups:
            return self._first_line()
        return self._new_group(section)

    def _first_group_of(
        self, groups: Sequence[list[ImportStatement]], section: int, name: str
    ) -> list[ImportStatement] | None:
        """Return the first group that imports from ``section``, preferably related to ``name``."""
        held = [group for group in groups if section in map(self._section_of, group)]
        return next((item for item in held if _has_related(item, name)), next(iter(held), None))

    @cached_property
    def one_name_per_line(self) -> bool:
        """Whether the file imports each name on a line of its own, as isort can be configured."""
        held = [one for group in self._groups for one in group if isinstance(one, ast.ImportFrom)]
        modules = [module_of(statement) for statement in held]
        return len(set(modules)) < len(modules) and all(len(node.names) == 1 for node in held)

    def for_name(self, module: str, name: str, *, before: int) -> LinePlace:
        """Return where ``from module import name`` goes in a file with one name per line."""
        same = [
            statement
            for group in self._groups
            for statement in group
            if isinstance(statement, ast.ImportFrom) and module_of(statement) == module
        ]
        if not same:
            return self.for_line(module, is_from=True, before=before)
        names = [statement.names[0].name.lower() for statement in same]
        after = [node for node, other in zip(same, names, strict=True) if other > name.lower()]
        if after and names == sorted(names):
            return LinePlace(above_comments(self._text, self._line_of(after[0])))
        return LinePlace(self._end_of(same[-1]))

    def for_typing_block(self) -> LinePlace:
        """Return where a new ``if TYPE_CHECKING:`` block goes."""
        at = end_of_imports(self._module)
        return LinePlace(at, 1, self._blank_before_code(at))

    def in_block(self, block: ast.If, name: str, *, is_from: bool) -> int:
        """Return where the line goes in an ``if TYPE_CHECKING:`` block."""
        imports = [statement for statement in block.body if isinstance(statement, ImportStatement)]
        if imports:
            return self._place_among(imports, name, is_from=is_from)
        return self._line_of(block.body[0])

    def _all_groups(self) -> Iterable[list[ImportStatement]]:
        group: list[ImportStatement] = []
        for statement in self._module.tree.body:
            if not isinstance(statement, ImportStatement):
                follows = False
            else:
                follows = bool(group) and not self._gap(group[-1], statement)
            if group and not follows:
                yield group
                group = []
            if isinstance(statement, ImportStatement):
                group.append(statement)
        if group:
            yield group

    def _gap(self, one: ast.stmt, other: ast.stmt) -> bool:
        between = self._text[self._end_of(one) : self._line_of(other)]
        return any(not line.strip() for line in LINE_END_BYTES.split(between)[:-1])

    def _section_of(self, statement: ImportStatement) -> int:
        return self.section(module_of(statement))

    def _place_among(
        self, group: Sequence[ImportStatement], name: str, *, is_from: bool, member: str = ""
    ) -> int:
        """Return where the line goes among imports of its section, keeping their order."""
        # The strictest order that the file keeps decides, so the more precise ones come first.
        orders: list[Order] = [_plain_first, _by_module]
        if member:
            orders = [_with_member(_plain_first), _with_member(_by_module), *orders]
        for key in orders:
            keys = [
                key(module_of(node), isinstance(node, ast.ImportFrom), node.names[0].name)
                for node in group
            ]
            if keys == sorted(keys):
                wanted = key(name, is_from, member)
                after = [node for node, other in zip(group, keys, strict=True) if other > wanted]
                if after:
                    return above_comments(self._text, self._line_of(after[0]))
                return self._end_of(group[-1])
        top = name.partition(".")[0]
        related = [node for node in group if module_of(node).partition(".")[0] == top]
        return self._end_of((related or list(group))[-1])

    def _new_group(self, section: int) -> LinePlace:
        sections = [[self._section_of(statement) for statement in group] for group in self._groups]
        # A file that mixes sections in one group would not want a second group for one line.
        if len(sections) == 1 and len(set(sections[0])) > 1:
            lower = [
                s for s, held in zip(self._groups[0], sections[0], strict=True) if held < section
            ]
            return LinePlace(
                self._end_of(lower[-1]) if lower else self._line_of(self._groups[0][0])
            )
        below = [
            group for group, held in zip(self._groups, sections, strict=True) if min(held) < section
        ]
        if below:
            at = self._end_of(below[-1][-1])
            return LinePlace(at, 1, self._blank_before_code(at))
        first = self._line_of(self._groups[0][0])
        return LinePlace(max(above_comments(self._text, first), header_end(self._text)), 1, 1)

    def _first_line(self) -> LinePlace:
        body = self._module.tree.body
        at = self._end_of(body[0]) if body and is_docstring(body[0]) else header_end(self._text)
        return LinePlace(at, 1, self._blank_before_code(at))

    def _blank_before_code(self, at: int) -> int:
        """Return how many blank lines are between imports and the code after ``at``."""
        for statement in self._module.tree.body:
            if self._module.span(statement).start >= at:
                definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
                return 2 if isinstance(statement, definition) else 1
        return 0

    def _line_of(self, statement: ast.stmt) -> int:
        start = line_of_statement(self._module, statement)
        return (
            line_start(self._text, self._module.span(statement).start) if start is None else start
        )

    def _end_of(self, statement: ast.stmt) -> int:
        return line_end(self._text, self._module.span(statement).end)


def module_of(statement: ImportStatement) -> str:
    """Return the module that an import names, with leading dots where it is relative."""
    if isinstance(statement, ast.Import):
        return statement.names[0].name
    return "." * statement.level + (statement.module or "")


def _has_related(group: Sequence[ImportStatement], name: str) -> bool:
    """Whether a group imports from the same top-level package as ``name``."""
    top = name.partition(".")[0]
    return any(module_of(statement).partition(".")[0] == top for statement in group)


def is_type_checking(statement: ast.stmt) -> bool:
    """Whether ``statement`` is ``if TYPE_CHECKING:`` in either spelling."""
    if not isinstance(statement, ast.If):
        return False
    test = statement.test
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _is_sorted(group: Sequence[ImportStatement]) -> bool:
    """Whether all imports of a group are in one order, be they of several sections."""
    for key in (_plain_first, _by_module):
        keys = [key(module_of(node), isinstance(node, ast.ImportFrom), "") for node in group]
        if keys == sorted(keys):
            return True
    return False


Order = Callable[[str, bool, str], tuple[object, ...]]
"""What imports are sorted by: their module, whether they begin with ``from``, their first name."""


def _plain_first(module: str, is_from: bool, member: str) -> tuple[object, ...]:
    del member
    return is_from, module.lower()


def _by_module(module: str, is_from: bool, member: str) -> tuple[object, ...]:
    del member
    return module.lower(), is_from


def _with_member(order: Order) -> Order:
    """Return ``order`` with statements of one module sorted by their first name."""

    def key(module: str, is_from: bool, member: str) -> tuple[object, ...]:
        return *order(module, is_from, member), by_type(member)

    return key
