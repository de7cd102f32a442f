"""The comments of registrations, which move into the lifespan with the code that they describe.

A comment directly above a removed statement moves if all the code that it introduces is removed.
That is the code up to a blank line or another comment, except a ``return``. A comment on one event
goes above the call, any other above the lifespan. Comments in and after the statement always move,
except those that only silence a tool for the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step, emptied_blocks
from awaken.editing.comments import Comment, comments_in, only_suppresses
from awaken.project.source.lines.statement_lines import lines_of
from awaken.project.source.modules import Module


class StepComments(Struct):
    """The comments of one handler: above and after its call, and above its condition."""

    above: list[str] = field(default_factory=list)
    behind: str = ""
    around: list[str] = field(default_factory=list)


class Comments(Struct):
    """All that move: by the index of their step, and those that go above the ``lifespan``.

    ``lines_above`` and ``drops`` tell, for each statement that is edited, how many comment lines
    above it go with it, and which of its comments are not found in its file afterwards. ``inside``
    are those that stay with a rewritten statement.
    """

    steps: dict[int, StepComments] = field(default_factory=dict)
    lifespan: list[str] = field(default_factory=list)
    lines_above: dict[ast.stmt, int] = field(default_factory=dict)
    drops: dict[ast.stmt, list[str]] = field(default_factory=dict)
    inside: dict[ast.stmt, list[str]] = field(default_factory=dict)

    def comments_of(self, index: int) -> StepComments:
        """Return the comments of the step with this index."""
        return self.steps.setdefault(index, StepComments())


def moved_comments(home: Home, steps: Sequence[Step]) -> Comments:
    """Return the comments that move with ``steps`` into the lifespan of the application."""
    return _Moving(home, steps).all()


def suppressions_behind(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the comments in and after decorators that only silence a tool for their line."""
    for step in steps:
        for comment in _comments_inside(step.module, step.registration.node, ()):
            if _only_suppresses(comment):
                yield comment.text


class _Moving:
    """Looks at every statement that goes, those inside a condition before the condition."""

    def __init__(self, home: Home, steps: Sequence[Step]) -> None:
        self._home = home.module
        self._steps = steps
        self._found = Comments()
        self._blocks = emptied_blocks(steps)
        self._gone: dict[ast.stmt, list[int]] = {}
        self._modules: dict[ast.stmt, Module] = {}
        self._taken: set[tuple[str, int]] = set()
        for index, step in enumerate(steps):
            for statement in self._going(step):
                self._gone.setdefault(statement, []).append(index)
                self._modules[statement] = self._home if step.provider else step.module

    def all(self) -> Comments:
        for statement in sorted(self._gone, key=lambda node: isinstance(node, ast.If)):
            if self._has_its_lines(statement):
                self._take_above(statement)
                self._take_inside(statement)
        for step in self._steps:
            if step.statement is not None and step.function is None and not step.is_removed:
                self._keep_inside(step, step.statement)
        for index, step in enumerate(self._steps):
            if step.registration.form == "list" and step.module is self._home:
                self._take_from_list(index, step)
        return self._found

    def _going(self, step: Step) -> Iterator[ast.stmt]:
        """Yield the statements that go with ``step``."""
        if step.provider is not None:
            yield step.provider
        elif step.is_removed and step.statement is not None:
            yield step.statement
            yield from (block for block in self._blocks if step.statement in block.body)

    def _has_its_lines(self, statement: ast.stmt) -> bool:
        """Whether the lines of ``statement`` have no code that stays."""
        block = self._modules[statement].block_of(statement)
        beside = [
            node
            for node in block
            if lines_of(node).start < _last_line(statement)
            and lines_of(statement).start < _last_line(node)
        ]
        above = self._modules[statement].parent(statement)
        # `if debug: app.on_event(...)(f)`: the line belongs to the `if`.
        on_line = getattr(above, "lineno", 0) == statement.lineno
        return not on_line and all(node in self._gone for node in beside)

    # --------------------------------------------------------------------------------- comments
    def _take_above(self, statement: ast.stmt) -> None:
        lines = self._lines_above(statement)
        group = self._introduced_statements(statement) if lines else None
        if group is None:
            return
        module = self._modules[statement]
        indexes = sorted({index for node in group for index in self._gone[node]})
        self._put(statement, indexes, [text for _, text in lines])
        self._taken |= {(module.path, line) for line, _ in lines}
        edited = self._edited_statement(statement)
        # The edit of a whole block takes the comments inside it anyway.
        if edited is statement:
            self._found.lines_above[statement] = len(lines)
        self._drop_elsewhere(module, edited, [text for _, text in lines])

    def _take_inside(self, statement: ast.stmt) -> None:
        module, indexes = self._modules[statement], self._gone[statement]
        edited, texts = self._edited_statement(statement), list[str]()
        # Comments in code that is repeated move with that code.
        repeated = [self._steps[index].code for index in indexes]
        for comment in _comments_inside(module, statement, repeated):
            if (module.path, comment.line) in self._taken:
                continue
            self._taken.add((module.path, comment.line))
            if _only_suppresses(comment):
                self._found.drops.setdefault(edited, []).append(comment.text)
                continue
            self._drop_elsewhere(module, edited, [comment.text])
            if comment.line == _last_line(statement) and not isinstance(statement, ast.If):
                self._found.comments_of(indexes[0]).behind = comment.text
            else:
                texts.append(comment.text)
        self._put(statement, indexes, texts)

    def _take_from_list(self, index: int, step: Step) -> None:
        """Take the comments of one handler in a list, above it and after it."""
        handler = step.registration.handler
        listed = None if handler is None else self._home.parent(handler)
        if handler is None or not isinstance(listed, ast.List | ast.Tuple):
            return
        place = listed.elts.index(handler)
        top = _last_line(listed.elts[place - 1]) if place else listed.lineno
        is_last = place == len(listed.elts) - 1
        end = _last_line(listed if is_last else handler)
        keyword = self._home.parent(listed)
        whole = keyword if isinstance(keyword, ast.keyword) else listed
        comments = self._found.comments_of(index)
        for comment in _comments_inside(self._home, whole, [step.code]):
            is_own = top < comment.line <= end or (comment.line == top and not place)
            if not is_own or (self._home.path, comment.line) in self._taken:
                continue
            self._taken.add((self._home.path, comment.line))
            if comment.line == handler.lineno and not comment.alone:
                comments.behind = comment.text
            else:
                comments.above.append(comment.text)

    def _keep_inside(self, step: Step, statement: ast.stmt) -> None:
        """Note the comments of a statement that is rewritten, except the one after it."""
        for comment in _comments_inside(step.module, statement, [step.kept]):
            if comment.line == _last_line(statement):
                continue
            kept = self._found.drops if _only_suppresses(comment) else self._found.inside
            kept.setdefault(statement, []).append(comment.text)

    def _put(self, statement: ast.stmt, indexes: Sequence[int], texts: list[str]) -> None:
        """Put ``texts`` above the calls of the steps ``indexes``, which are in their order."""
        # It describes startup and shutdown, which are separate now.
        if len({self._steps[index].event for index in indexes}) > 1:
            self._found.lifespan += texts
            return
        comments = self._found.comments_of(indexes[0])
        if isinstance(statement, ast.If):
            comments.around += texts
        else:
            comments.above += texts

    def _drop_elsewhere(self, module: Module, edited: ast.stmt, texts: list[str]) -> None:
        """Note that ``texts`` leave their file, if they do."""
        if module.path != self._home.path:
            self._found.drops.setdefault(edited, []).extend(texts)

    def _edited_statement(self, statement: ast.stmt) -> ast.stmt:
        """Return the statement whose edit removes ``statement``."""
        return next((block for block in self._blocks if statement in block.body), statement)

    def _lines_above(self, statement: ast.stmt) -> list[tuple[int, str]]:
        """Return the comments directly above ``statement``, each with its line."""
        module = self._modules[statement]
        block = module.block_of(statement)
        index = block.index(statement)
        above = block[index - 1] if index else module.parent(statement)
        top = _last_line(above) if index else getattr(above, "lineno", 0)
        lines = module.source.text.splitlines()
        result: list[tuple[int, str]] = []
        for line in range(statement.lineno - 1, top, -1):
            text = lines[line - 1]
            if text[: statement.col_offset].strip() or text[statement.col_offset :][:1] != b"#":
                break
            result.insert(0, (line, text.strip().decode()))
        return result

    def _introduced_statements(self, statement: ast.stmt) -> list[ast.stmt] | None:
        """Return what a comment above ``statement`` introduces; None if not all of it goes."""
        block = self._modules[statement].block_of(statement)
        result = [statement]
        for node in block[block.index(statement) + 1 :]:
            if lines_of(node).start > _last_line(result[-1]) or isinstance(node, ast.Return):
                break
            # A comment that also speaks of what stays must stay with it.
            if node not in self._gone:
                return None
            result.append(node)
        return result


def _only_suppresses(comment: Comment) -> bool:
    return not comment.alone and only_suppresses(comment.text)


def _comments_inside(
    module: Module, node: ast.stmt | ast.expr | ast.keyword, repeated: Sequence[str]
) -> list[Comment]:
    """Return the comments in the lines of ``node``, with their lines in the file.

    The one behind it is not its own if another statement follows in its last line, and those in
    code that is ``repeated`` elsewhere move with that.
    """
    text, span = module.source.text, module.span(node)
    rest = text[span.end :].splitlines()[:1]
    behind = rest[0].decode() if rest and rest[0].strip().startswith(b"#") else ""
    known = [item.text for code in repeated for item in comments_in(code)]
    comments: list[Comment] = []
    for comment in comments_in(text[span.start : span.end].decode() + behind):
        if comment.text in known:
            known.remove(comment.text)
        else:
            comments.append(Comment(comment.line + node.lineno - 1, comment.text, comment.alone))
    return comments


def _last_line(node: ast.AST | None) -> int:
    return getattr(node, "end_lineno", None) or 0
