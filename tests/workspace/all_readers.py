"""All that a run and ``doctor`` read of a project, without the rest of what they do."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from awaken.contract import UserError
from awaken.engine.baseline import DEFAULT_NAME, read_baseline
from awaken.engine.formatting.formatter import detect, formatting
from awaken.settings.model import Said
from awaken.settings.resolve import resolve
from awaken.workspace.discovery import Root, find_files, marker_of
from awaken.workspace.file_reading import FileReader
from awaken.workspace.manifests.manifest_declarations import Declarations
from awaken.workspace.manifests.publication import read_publication
from awaken.workspace.manifests.pytest_setup import pytest_setup
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.parsing import Unparsable, parse
from awaken.workspace.reading import enclosure_of
from awaken.workspace.suppressions import suppressions_in


def read_everything(root: Path) -> tuple[str, ...]:
    """Read it, and return the Python files; raises nothing for whatever they hold."""
    targets = read_targets(root)
    targets.guarantees("a", ">=1")
    declarations = Declarations(root)
    for name in ("sqlalchemy", "python", "a"):
        declarations.statements_about(name)
    read_publication(root)
    pytest_setup(root, declarations)
    formatting(root)
    found = find_files(Root(root))
    marker_of(found.root)
    detect(root).fingerprint(found.files)
    for source in FileReader(root, found.files).sources().values():
        suppressions_in(source)
        with suppress(Unparsable):
            parse(source)
    with suppress(UserError):
        resolve(root, Said(), rules=())
    with suppress(UserError):
        read_baseline(root / DEFAULT_NAME, root, enclosure_of(root).read)
    return found.files
