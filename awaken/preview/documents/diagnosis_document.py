"""A diagnosis as one JSON document, for programs.

::

    {"version": 1,                      grows only by new keys; a higher number breaks
     "machine": {"awaken", "python", "executable", "platform", "packages": {NAME: VERSION},
                 "processes", "processes_origin", "state", "cache"},
     "roots": [{"path", "lone", "marker": {"file", "line", "why"},
                "settings_files", "settings": {KEY: {"value", "origin"}},
                "overrides": [{"paths", "ignore", "unsafe_fixes", "origin"}],
                "files", "selected", "left_out": [{"by", "files", "directories", "names"}],
                "nested", "publication": {"published", "why", "path", "line"},
                "python": LIBRARY, "libraries": [LIBRARY],
                "drivers": [{"name", "database", "urls", "async_urls", "library": LIBRARY}],
                "formatter": {"declared": [{"name", "origin", "executable"}], "chosen",
                              "line_length", "line_length_origin"},
                "tests": {"uses_pytest", "pytest": [DECLARATION], "settings",
                          "plugins": [{"name", "declared": [DECLARATION], "mode", "mode_origin"}],
                          "test_paths", "fixture_loop_scope", "test_loop_scope"},
                "git": {"top", "changed", "untracked"},
                "rules": [{"name", "runs", "why"}],
                "passes": [{"name", "kind", "target", "origin", "trusted"}],
                "pending", "undoable", "remarks": [REMARK]}],
     "remarks": [REMARK],
     "summary": {"roots", "errors", "advice"}}

    LIBRARY      {"name", "specifier", "origin", "assumed", "declared": [DECLARATION]}
    DECLARATION  {"path", "line", "specifier", "locked"}
    REMARK       {"severity": "error" or "advice", "message", "cure", "path", "line"}

Everything is as ``awaken.engine.diagnosing.diagnosis`` says of its fields. ``path``, ``top`` and
the paths in ``nested``, ``settings_files`` and remarks are relative to the current directory; those
of a declaration, a marker and a publication are relative to their root. ``cache`` is null with
``--no-cache``, ``git`` where there is no repository, ``chosen`` (a name) where no formatter is
used; ``origin`` of a setting is null for a default. A line is 1-based, 0 where it is unknown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from awaken.engine.diagnosing.diagnosis import Diagnosis, Remark, RootDiagnosis
from awaken.preview.documents.document import encoded_table
from awaken.preview.documents.settings_text import patterns_in, setting_rows
from awaken.preview.paths import relative

VERSION = 1

_Table = dict[str, Any]


def diagnosis_document(diagnosis: Diagnosis, current: Path) -> bytes:
    """Return the document for ``diagnosis``, paths relative to ``current``, as indented UTF-8."""
    whole: _Table = {
        "version": VERSION,
        "machine": diagnosis.machine,
        "roots": [_root(root, current) for root in diagnosis.roots],
        "remarks": [_remark(remark, None, current) for remark in diagnosis.remarks],
        "summary": {
            "roots": len(diagnosis.roots),
            "errors": diagnosis.errors,
            "advice": diagnosis.advice,
        },
    }
    return encoded_table(msgspec.to_builtins(whole, enc_hook=str), indent=2)


def _root(root: RootDiagnosis, current: Path) -> _Table:
    repository = root.repository
    git = repository and {
        "top": relative(repository.top, "", current),
        "changed": repository.changed,
        "untracked": repository.untracked,
    }
    return {
        "path": relative(root.root, "", current),
        "lone": root.lone,
        "marker": root.marker,
        **_settings(root, current),
        "files": root.files,
        "selected": root.selected,
        "left_out": root.excluded,
        "nested": [relative(path, "", current) for path in root.nested],
        "publication": root.publication,
        "python": root.python,
        "libraries": root.libraries,
        "drivers": [
            {
                "name": driver.name,
                "database": driver.driver.database,
                "urls": driver.driver.urls,
                "async_urls": driver.driver.async_urls,
                "library": driver.library,
            }
            for driver in root.drivers
        ],
        "formatter": {
            **_table(root.formatting),
            "chosen": root.formatting.first_executable and root.formatting.first_executable.name,
        },
        "tests": root.tests,
        "git": git,
        "rules": root.rules,
        "passes": root.passes,
        "pending": root.pending,
        "undoable": root.undoable,
        "remarks": [_remark(remark, root.root, current) for remark in root.remarks],
    }


def _settings(root: RootDiagnosis, current: Path) -> _Table:
    resolved = root.settings
    return {
        "settings_files": [relative(file.parent, file.name, current) for file in resolved.files],
        "settings": {
            row.key: {"value": row.value, "origin": row.origin or None}
            for row in setting_rows(resolved)
        },
        "overrides": [
            {
                "paths": list(patterns_in(override.paths, resolved.root)),
                "ignore": override.ignore,
                "unsafe_fixes": override.unsafe_fixes,
                "origin": override.origin,
            }
            for override in resolved.overrides
        ],
    }


def _remark(remark: Remark, root: Path | None, current: Path) -> _Table:
    table = _table(remark)
    if root is not None and remark.path:
        table["path"] = relative(root, remark.path, current)
    return table


def _table(value: msgspec.Struct) -> _Table:
    to_builtins: _Table = msgspec.to_builtins(value, enc_hook=str)
    return to_builtins
