"""Sets keys of settings files, ``asyncio_mode`` of pytest say: all else stays byte for byte.

A setting that cannot be written is left to do by hand, and the change is kept: rewritten code
without the setting is a better start than nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from awaken.contract import ChangeId, Place, Problem, SetKey, Span
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap
from awaken.engine.manifests.whole_texts import (
    CannotAdd,
    EditedFiles,
    difference,
    editable_text,
    with_text,
)
from awaken.engine.report import LeftToDo
from awaken.workspace.sources import SourceFile


def set_keys(
    edits: Sequence[OwnedEdit[SetKey]],
    source_of: Callable[[str], SourceFile | None],
) -> EditedFiles:
    """Return the files with every key that ``edits`` set, the new ones as well.

    ``source_of`` gives a file as it is now. Changes that set one key to the same value agree; of
    others, the later ones are a problem.
    """
    wanted: dict[tuple[str, tuple[str, ...], str], list[OwnedEdit[SetKey]]] = {}
    problems: list[Problem] = []
    for owned in edits:
        edit = owned.edit
        same = wanted.setdefault((edit.path, edit.table, edit.key), [])
        if same and same[0].edit.value != edit.value:
            what = f"another change sets {edit.key} in {edit.path} to {same[0].edit.value!r}"
            problems.append(Problem(Place(edit.path, Span(0, 0)), what, (owned.change,)))
        else:
            same.append(owned)
    files: dict[str, tuple[SourceFile, SpanMap]] = {}
    left: dict[tuple[str, int, str, str], tuple[list[str], dict[ChangeId, None]]] = {}
    for (path, _, _), agreeing in wanted.items():
        edit = agreeing[0].edit
        source = files[path][0] if path in files else source_of(path)
        try:
            new, moved = _edited_file(source, edit)
        except CannotAdd as error:
            table = f"[{'.'.join(edit.table)}]" if edit.table else ""
            lines, asking = left.setdefault((path, error.line, table, str(error)), ([], {}))
            lines.append(line_for(edit))
            asking.update(dict.fromkeys(item.change for item in agreeing))
            continue
        if moved:
            before = files[path][1] if path in files else SpanMap()
            files[path] = (new, before.then(moved))
    # The keys of one table are one step.
    steps = (
        LeftToDo(path, line, "\n".join(lines), table, why, tuple(asking))
        for (path, line, table, why), (lines, asking) in left.items()
    )
    return EditedFiles(files, tuple(steps), tuple(problems))


def _edited_file(source: SourceFile | None, edit: SetKey) -> tuple[SourceFile, SpanMap]:
    """Return the file with the key, and the way back. Raises CannotAdd."""
    if ".." in PurePosixPath(edit.path).parts:
        raise CannotAdd("it is outside of the project")
    source = source or (SourceFile(edit.path, b"") if edit.may_create else None)
    if source is None:
        raise CannotAdd("awaken reads no such file")
    return with_text(source, _with_key(editable_text(source), edit))


def _with_key(text: str, edit: SetKey) -> str:
    """Return ``text`` with the key. Raises CannotAdd."""
    suffix = PurePosixPath(edit.path).suffix
    if suffix == ".toml":
        # tomlkit takes as long to import as a small program to check, and few changes need it.
        from awaken.engine.manifests.toml_keys import with_toml_key  # noqa: PLC0415

        new, replaced = with_toml_key(text, edit)
    elif suffix in {".cfg", ".ini"}:
        from awaken.engine.manifests.ini_keys import with_ini_key  # noqa: PLC0415  few programs

        new, replaced = with_ini_key(text, edit)
    else:
        raise CannotAdd(f"awaken sets no keys in {suffix or 'such'} files")
    for splice in difference(text.encode(), new.encode()):
        gone = text.encode()[splice.start : splice.end].decode(errors="replace")
        if gone not in replaced:
            raise CannotAdd("no library writes it without touching other lines")
    return new


def line_for(edit: SetKey) -> str:
    """Return the line, or lines, that a user writes for it."""
    if edit.path.endswith(".toml"):
        from awaken.engine.manifests.toml_keys import toml_line  # noqa: PLC0415  as above

        return toml_line(edit)
    from awaken.engine.manifests.ini_keys import ini_value  # noqa: PLC0415  as above

    return f"{edit.key} = {ini_value(edit.value)}"
