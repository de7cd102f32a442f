"""Reports built by hand, so that each form can be tested without a rule or the engine."""

from __future__ import annotations

from pathlib import Path

from awaken.contract import ChangeId, Finding, Level, Place, SiteId, Span
from awaken.engine.report import (
    ChangeSummary,
    Diagnostic,
    FileChange,
    Report,
    RootReport,
    TargetVersion,
)
from awaken.workspace.sources import SourceFile, decode

RULE = "query-to-select"


def source(path: str, raw: bytes) -> SourceFile:
    return decode(path, raw)


def finding(file: SourceFile, text: str, level: Level = Level.SAFE, **values: object) -> Finding:
    """Return a finding at the first occurrence of ``text`` in ``file``."""
    start = file.text.index(text.encode())
    rewritten = level in {Level.SAFE, Level.UNSAFE}
    site = f"{file.path}:{start}"
    defaults = {
        "site": SiteId(site),
        "rule": RULE,
        "level": level,
        "place": Place(file.path, Span(start, start + len(text.encode()))),
        "scope": "<module>",
        "message": "write this query as select()",
        "reason": f"{RULE}/unknown-entity" if level is Level.MANUAL else None,
        "help": "name the class in the call" if level is Level.MANUAL else "",
        "change": ChangeId(f"change of {site}") if rewritten else None,
    }
    return Finding(**{**defaults, **values})


def change_of(found: Finding, *paths: str) -> ChangeSummary:
    assert found.change is not None
    return ChangeSummary(
        id=found.change,
        rule=found.rule,
        title=found.message,
        level=found.level,
        sites=(found.site,),
        requires=(),
        paths=paths,
    )


def file_change(
    path: str, before: bytes | None, after: bytes, findings: tuple[Finding, ...] = ()
) -> FileChange:
    old = None if before is None else decode(path, before)
    return FileChange(path, old, decode(path, after), findings)


def root_report(root: Path, *files: FileChange, **values: object) -> RootReport:
    """Return a root whose findings are those of ``files``, unless ``findings`` says otherwise."""
    findings = values.pop("findings", tuple(found for file in files for found in file.findings))
    assert isinstance(findings, tuple)
    done = {found.change for file in files for found in file.findings}
    changes = [change_of(found) for found in findings if found.change]
    sources = {file.path: file.before for file in files if file.before is not None}
    defaults = {
        "targets": (TargetVersion("python", ">=3.11", "pyproject.toml"),),
        "changes": tuple(change for change in changes if change.id in done),
        "pending": tuple(change for change in changes if change.id not in done),
        "diagnostics": (),
        "files_read": len(sources),
        "seconds": 0.1,
        "sources": sources,
    }
    return RootReport(root=root, findings=findings, files=files, **{**defaults, **values})


def report(*roots: RootReport, diagnostics: tuple[Diagnostic, ...] = ()) -> Report:
    return Report(roots, (RULE,), diagnostics)
