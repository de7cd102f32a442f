"""The projects whose codemods run, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from awaken.engine.remembering.trusted_projects import TrustedProject
from awaken.preview.streams.visible import visible


def trust_lines(projects: Iterable[TrustedProject]) -> Iterator[str]:
    """Yield one line per project, with its codemods."""
    for project in projects:
        passes = (f"{name} ({each.code})" for name, each in project.passes.items())
        yield visible(f"{project.root}: {', '.join(passes)}")
