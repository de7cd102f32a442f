"""Files that the user named: one that is not Python is said to be so, whatever words it holds.

Of a directory only files with a word of a rule are parsed, which every other file is spared.
"""

from __future__ import annotations

from collections.abc import Collection

from awaken.engine.report import Diagnostic
from awaken.workspace.discovery import Root
from awaken.workspace.file_reading import FileReader
from awaken.workspace.parsing import Unparsable, parse
from awaken.workspace.sources import is_python


def unparsable_named(
    root: Root, reader: FileReader, said: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Return why files of ``root`` that were named do not parse, without those in ``said``."""
    diagnostics = []
    for path in root.selected:
        source = reader.source(path) if is_python(path) and path not in said else None
        try:
            if source is not None:
                parse(source)
        except Unparsable as error:
            diagnostics.append(Diagnostic(path, error.line, str(error)))
    return tuple(diagnostics)
