"""A program with one site per level, and an engine that answers with a report made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from awaken import api
from awaken.cli import main
from awaken.contract import ChangeId, Finding, Level, Place, SiteId, Span
from awaken.engine.report import ChangeSummary, Diagnostic, FileChange, Report, RootReport
from awaken.engine.writing.applying import Applied
from awaken.workspace.sources import decode

BEFORE = b"a = query(1)\nb = query(2)\nc = query(3)\nd = query(4)\n"
AFTER = BEFORE.replace(b"query(1)", b"select(1)")
ORDER = (Level.SAFE, Level.UNSAFE, Level.MANUAL, Level.ADVICE)


def _finding(level: Level, message: str) -> Finding:
    line = ORDER.index(level)
    span = Span(line * 13 + 4, line * 13 + 12)
    return Finding(
        site=SiteId(f"site-{level}"),
        rule="query-to-select",
        level=level,
        place=Place("app.py", span),
        scope="<module>",
        message=f"{message} {level}",
        reason="query-to-select/no" if level is Level.MANUAL else None,
        help="do it by hand" if level is Level.MANUAL else "",
        change=ChangeId(f"change-{level}") if level in ORDER[:2] else None,
    )


def _change(finding: Finding) -> ChangeSummary:
    return ChangeSummary(
        id=finding.change or ChangeId(""),
        rule=finding.rule,
        title=finding.message,
        level=finding.level,
        sites=(finding.site,),
        requires=(),
        paths=(),
    )


def make_report(
    root: Path,
    *levels: Level,
    diagnostics: tuple[Diagnostic, ...] = (),
    message: str = "this is",
) -> Report:
    """Return a report with one finding per level; the safe one is rewritten."""
    source = decode("app.py", BEFORE)
    found = {level: _finding(level, message) for level in levels}
    done = [found[Level.SAFE]] if Level.SAFE in found else []
    files = [FileChange("app.py", source, source.with_text(AFTER), tuple(done))] if done else []
    waiting = [found[Level.UNSAFE]] if Level.UNSAFE in found else []
    return Report(
        roots=(
            RootReport(
                root=root,
                targets=(),
                findings=tuple(found.values()),
                changes=tuple(map(_change, done)),
                pending=tuple(map(_change, waiting)),
                files=tuple(files),
                sources={"app.py": source},
                diagnostics=diagnostics,
                files_read=1,
                seconds=0.0,
            ),
        ),
        rules=("query-to-select",),
    )


class FakeEngine:
    """Stands for ``awaken.api``: remembers what it was asked, and answers as it was told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.levels: tuple[Level, ...] = ()
        self.diagnostics: tuple[Diagnostic, ...] = ()
        self.message = "this is"
        self.error: BaseException | None = None
        self.paths: list[Path] = []
        self.options = api.Options()
        self.progress: Callable[[str, int, int], None] | None = None
        self.applied: list[str] = []
        self.path = "app.py"
        self.journal = Path("state", "1.done")

    def run(
        self,
        paths: Sequence[Path],
        options: api.Options,
        *,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Report:
        self.paths, self.options, self.progress = list(paths), options, progress
        if self.error is not None:
            raise self.error
        report = make_report(
            self.root, *self.levels, diagnostics=self.diagnostics, message=self.message
        )
        if self.path != "app.py":
            (root,) = report.roots
            files = tuple(structs.replace(file, path=self.path) for file in root.files)
            report = structs.replace(report, roots=(structs.replace(root, files=files),))
        if options.settings.unsafe_fixes:
            (root,) = report.roots
            admitted = structs.replace(root, changes=root.changes + root.pending, pending=())
            return structs.replace(report, roots=(admitted,))
        return report

    def apply(self, report: Report, *, command: str) -> Applied:
        self.applied.append(command)
        paths = []
        for root in report.roots:
            for file in root.files:
                paths.append(root.root / file.path)
                paths[-1].write_bytes(file.after.raw())
        return Applied("1" if paths else None, tuple(paths), self.journal if paths else None)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Return the engine of this test; the test stands in the root of its program."""
    root = tmp_path / "program"
    root.mkdir()
    (root / "app.py").write_bytes(BEFORE)
    fake = FakeEngine(root)
    monkeypatch.setattr(api, "run", fake.run, raising=False)
    monkeypatch.setattr(api, "apply", fake.apply, raising=False)
    monkeypatch.chdir(root)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return fake


Awaken = Callable[..., tuple[int, str, str]]


@pytest.fixture
def awaken(capfd: pytest.CaptureFixture[str]) -> Awaken:
    """Return a function that runs awaken in this process: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(arguments)
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def shop(tmp_path, monkeypatch):
    # Child processes import this file without the other folders of tests.
    from real_program import GOOD, Program  # noqa: PLC0415

    program = Program(tmp_path / "shop", {"shop.py": GOOD})
    monkeypatch.chdir(program.root)
    return program


@pytest.fixture
def package(tmp_path, monkeypatch):
    from migrated_programs import PACKAGE  # noqa: PLC0415

    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
