"""The plan of session-to-async for a program that is given as texts."""

from __future__ import annotations

import gc
import runpy
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync
from awaken.contract import Constraints
from awaken.project import Project, Snapshot
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode


def program_of(texts, *, published=False):
    """Return the program whose files, by their paths, have these texts."""
    sources = {path: decode(path, text.encode()) for path, text in texts.items()}
    settings = ProjectSettings(published, reads=SessionToAsync.reads)
    return Project(Snapshot(sources), Targets(), settings=settings)


def session_to_async(texts, **options):
    """Return what the rule plans for such a program, with these options of its own."""
    constraints = Constraints(options=SessionToAsync.options(**options))
    return SessionToAsync().plan(program_of(texts), constraints)


def reason_of(finding):
    """Return the reason of a finding without the rule, empty if there is none."""
    return (finding.reason or "").partition("/")[2]


def rewritten(*, options=None, targets=None, **texts):
    """Return what the rule makes of files with these texts, and what it reports."""
    files = {f"{name}.py": text.encode() for name, text in texts.items()}
    case = Case(
        name="it",
        family="sqlalchemy",
        rule="session-to-async",
        directory=Path(),
        settings=Settings(
            unsafe=True, published=False, options=options or {}, targets=targets or {}
        ),
        before=files,
        after=files,
        program={},
    )
    return run_case(case)


def printed(script, files, directory, capsys, monkeypatch):
    """Return what a script prints that is run among files, which are written to a directory."""
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_bytes(text)
        module = name.removesuffix(".py")
        # What is set is taken away at the end, and what was there comes back.
        monkeypatch.setitem(sys.modules, module, None)
        del sys.modules[module]
    monkeypatch.syspath_prepend(directory)
    runpy.run_path(str(directory / script), run_name="__main__")
    return capsys.readouterr().out


@contextmanager
def forgotten_coroutines() -> Iterator[None]:
    """Make an error of each coroutine that is made inside and never awaited."""
    # What was there before is not looked through again: in a long run that takes seconds.
    gc.freeze()
    try:
        with warnings.catch_warnings():
            # It would be an error only in its destructor.
            warnings.simplefilter("error")
            yield
            gc.collect()
    finally:
        gc.unfreeze()
