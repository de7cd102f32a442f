"""The files of each change when it is made alone: of many changes in one file, made together once.

To make a change costs a parse of its whole file, several times. Changes that edit nodes on lines of
their own, and need the same imports, are made at once; then the file of one alone is the file
before the run with that change's lines, and with the imports. Some of them are made alone as well:
where one differs, all are.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from awaken.contract import Change, ChangeId, NeedImport, NodeEdit, ReleaseImport, Span, TextEdit
from awaken.engine.asking.staged_runs import Planned, StagedReport
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.engine.report import FileChange
from awaken.workspace.parsing import parse
from awaken.workspace.sources import SourceFile, is_python

_FEWEST = 6
"""Changes of a file that are worth it: the group is made once, and three of them alone."""


class AloneFiles:
    """Shows the changes of a run alone; ``files_of`` gives what ``StagedReport`` does."""

    def __init__(self, staged: StagedReport) -> None:
        self._staged = staged
        self._known: dict[tuple[Path, ChangeId], tuple[FileChange, ...]] = {}
        self._grouped: set[tuple[Path, int]] = set()

    def files_of(self, root: Path, change: ChangeId) -> tuple[FileChange, ...]:
        """Return what ``change``, with the changes that it requires, does to files."""
        phase = root, self._staged.phase_of(root, change)
        if phase not in self._grouped:
            self._grouped.add(phase)
            for group in _groups(self._staged.plan_of_phase(*phase)):
                self._known |= self._made_files(root, group)
        if (root, change) not in self._known:
            self._known[root, change] = self._staged.files_of(root, change)
        return self._known[root, change]

    def _made_files(
        self, root: Path, group: Sequence[_Member]
    ) -> Mapping[tuple[Path, ChangeId], tuple[FileChange, ...]]:
        """Return the files of each change of a group; nothing where they are not independent."""
        ids = [member.change.id for member in group]
        together = self._staged.made_together(root, ids)
        path = group[0].path
        if together is None or path not in together.maps:
            return {}
        planned = self._staged.plan_of_phase(root, self._staged.phase_of(root, ids[0]))
        before = planned.before[path]
        files = {
            (root, member.change.id): tuple(_file_change(planned, member, before, text))
            for member, text in zip(group, _texts(before, group, together), strict=True)
        }
        for at in (0, len(ids) // 2, -1):
            if files[root, ids[at]] != self._staged.files_of(root, ids[at]):
                return {}
        return files


class _Member(Struct, frozen=True):
    """A change that edits nodes of one file, in the bytes ``start`` to ``end``: whole lines."""

    change: Change
    path: str
    start: int
    end: int


def _groups(planned: Planned) -> Iterator[list[_Member]]:
    """Yield changes of one file that need the same imports, each on lines of its own, in order."""
    alike: defaultdict[tuple[str, frozenset[object]], list[_Member]] = defaultdict(list)
    for change in planned.changes:
        member = _member(planned, change)
        if member is not None:
            imports = frozenset(
                (edit.module, edit.name, edit.alias, edit.type_checking)
                for edit in change.edits
                if isinstance(edit, NeedImport)
            )
            alike[member.path, imports].append(member)
    for members in alike.values():
        members.sort(key=lambda item: (item.start, item.end))
        apart = [
            item
            for item, previous, following in zip(
                members, [None, *members], [*members[1:], None], strict=False
            )
            if (previous is None or previous.end < item.start)
            and (following is None or item.end < following.start)
        ]
        if len(apart) >= _FEWEST:
            yield apart


def _member(planned: Planned, change: Change) -> _Member | None:
    paths = {getattr(edit, "path", "") for edit in change.edits}
    nodes = [edit for edit in change.edits if isinstance(edit, NodeEdit | TextEdit)]
    is_plain = all(
        isinstance(edit, NodeEdit | TextEdit | NeedImport | ReleaseImport) for edit in change.edits
    )
    if change.requires or not is_plain or not nodes or len(paths) > 1:
        return None
    path = nodes[0].path
    if not is_python(path) or path not in planned.before:
        return None
    # Whether an import may go depends on which others are made.
    released = {(x.module, x.name) for x in change.edits if isinstance(x, ReleaseImport)}
    if released and not released.isdisjoint(_imports(planned.before[path])):
        return None
    text = planned.before[path].text
    start = text.rfind(b"\n", 0, min(edit.anchor.start for edit in nodes)) + 1
    end = text.find(b"\n", max(edit.anchor.end for edit in nodes))
    return _Member(change, path, start, len(text) if end < 0 else end + 1)


@lru_cache(maxsize=1)
def _imports(source: SourceFile) -> frozenset[tuple[str, str | None]]:
    """Return the module and the name of each import of a file; the name of ``import x`` is None."""
    result: set[tuple[str, str | None]] = set()
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            result |= {(alias.name, None) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            result |= {(node.module or "", alias.name) for alias in node.names}
    return frozenset(result)


def _texts(
    before: SourceFile, group: Sequence[_Member], together: EditedSnapshot
) -> Iterator[bytes]:
    """Yield the text of the file with each change of ``group`` alone.

    The file is cut where the lines of each change begin. The part above all of them has the
    imports, which every one needs.
    """
    moved, old = together.maps[group[0].path], before.text
    new = together.snapshot[group[0].path].text
    cuts = [member.start for member in group]
    new_cuts = [moved.to_after(Span(cut, cut)).start for cut in cuts]
    for at, cut in enumerate(cuts):
        stop = cuts[at + 1] if at + 1 < len(cuts) else len(old)
        new_stop = new_cuts[at + 1] if at + 1 < len(cuts) else len(new)
        own = new[new_cuts[at] : new_stop]
        yield new[: new_cuts[0]] + old[cuts[0] : cut] + own + old[stop:]


def _file_change(
    planned: Planned, member: _Member, before: SourceFile, text: bytes
) -> Iterable[FileChange]:
    if text != before.text:
        findings = tuple(planned.findings_of([member.change]))
        yield FileChange(member.path, before, before.with_text(text), findings)
