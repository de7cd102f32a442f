"""Runs a rule on a case's program, in a directory of its own, and says what came of it."""

from __future__ import annotations

import difflib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import format_exception

from msgspec import Struct, structs

from awaken import api
from awaken.contract import Finding, Level, SiteId
from awaken.engine.planning.engine_reasons import ROLLED_BACK
from awaken.engine.report import Diagnostic, RootReport
from awaken.kit.rule import Rule
from awaken.passes.pass_settings import PassPlace
from awaken.preview.markdown.rule_page import levels
from awaken.settings import Settings
from awaken.testing.cases import Case, ExpectedFinding

__tracebackhide__ = True  # pytest shows no frames of this file: its messages say what is wrong

_MANIFEST = b'[project]\nname = "case"\nversion = "0"\n'


class CaseResult(Struct, frozen=True):
    """The result of a rule for a case's program.

    ``files`` are the bytes of every file as the run would leave them; nothing was written.
    ``tracebacks`` say where a rule raised in this process.
    """

    case: Case
    rules: Sequence[Rule] | None
    report: RootReport
    files: Mapping[str, bytes]
    tracebacks: Sequence[str] = ()

    @property
    def findings(self) -> tuple[ExpectedFinding, ...]:
        """The findings, and what only explain shows, in the words of ``case.toml``, sorted."""
        every = (*self.report.findings, *self.report.explained_only)
        findings = [self._in_case_words(finding) for finding in every]
        return tuple(sorted(findings, key=_in_order))

    def _in_case_words(self, finding: Finding) -> ExpectedFinding:
        place = finding.place
        line = line_number(self.report.sources[place.path].text, place.span.start)
        return ExpectedFinding(line, finding.level, place.path, finding.reason)


def _in_order(finding: ExpectedFinding) -> tuple[str, int, str, str]:
    """Two findings of one line may both be without a reason, which has no order."""
    return finding.path, finding.line, finding.level, finding.reason or ""


class RolledBack(AssertionError):
    """A check rolled back a change."""


def run_case(  # noqa: PLR0913
    case: Case,
    rules: Sequence[Rule] | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    excluded: frozenset[SiteId] = frozenset(),
    jobs: int = 1,
    paths: Sequence[str] = (),
) -> CaseResult:
    """Run the case's rule on ``files`` (the case's program before) and return what came of it.

    Raises RolledBack if a check rolls back a change: rules plan only changes that hold. Foreign
    code may plan anything.

    ``rules`` are those to choose from, None for every installed one; ``excluded`` are sites to
    leave alone. ``paths`` are the files that the run is about, none for those that the case names.
    """
    files = case.before if files is None else files
    with _tracebacks() as raised, tempfile.TemporaryDirectory(prefix="awaken-case-") as directory:
        # Real, as the paths of the report are; a temporary directory may be the target of a link.
        root = Path(directory).resolve()
        write_project(root, files)
        chosen = options(case, excluded=excluded, jobs=jobs)
        rules = with_pass(case, rules, root)
        paths = paths or case.settings.paths or (".",)
        run = api.run([root / path for path in paths], chosen, rules=rules)
        require(run.roots, f"awaken failed: {'; '.join(item.message for item in run.diagnostics)}")
        (report,) = run.roots
    if case.settings.foreign is None:
        rolled_back = [finding for finding in report.findings if finding.reason == ROLLED_BACK.code]
        if rolled_back:
            raise RolledBack("\n".join(f"{item.place}: {item.message}" for item in rolled_back))
    after = {change.path: change.after.raw() for change in report.files}
    return CaseResult(case, rules, report, {**files, **after}, tuple(dict.fromkeys(raised)))


def with_pass(case: Case, rules: Sequence[Rule] | None, root: Path) -> Sequence[Rule] | None:
    """Return the rules to choose from, with the foreign code that a case names for its rule.

    None for every installed one. ``root`` is where the project of the case was written.
    """
    if case.settings.foreign is None:
        return rules
    from awaken.engine.machine.foreign_code import ForeignCode  # noqa: PLC0415  few cases need it
    from awaken.passes.foreign import rule_of  # noqa: PLC0415

    settings = structs.replace(case.settings.foreign, name=case.rule)
    own = rule_of(settings, PassPlace(root, case.directory, origin="case.toml"), ForeignCode)
    others = api.rules() if rules is None else rules
    return (*(rule for rule in others if rule.name != case.rule), own)


@contextmanager
def _tracebacks() -> Iterator[Sequence[str]]:
    """Collect where rules raise, from the rule on."""
    logger = logging.getLogger("awaken")
    listening, level = _Listening(), logger.level
    logger.addHandler(listening)
    # The engine logs tracebacks as details, below the usual level.
    logger.setLevel(logging.DEBUG)
    try:
        yield listening.heard
    finally:
        logger.removeHandler(listening)
        logger.setLevel(level)


class _Listening(logging.Handler):
    """Keeps the tracebacks that are logged, without the frame of the engine."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and error.__traceback__ is not None:
            shown = format_exception(type(error), error, error.__traceback__.tb_next)
            self.heard.append("".join(shown).rstrip())


def write_project(root: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` below ``root``, with a manifest that makes it a project of its own."""
    # Without it the root would be looked for above the temporary directory.
    (root / "pyproject.toml").write_bytes(_MANIFEST)
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def options(case: Case, *, excluded: frozenset[SiteId] = frozenset(), jobs: int = 1) -> api.Options:
    """Return the options that ``case`` asks for."""
    # A copy: `pop` must not change the case.
    targets = dict(case.settings.targets)
    python = targets.pop("python", None)
    return api.Options(
        settings=Settings(
            select=(case.rule, *case.settings.beside),
            unsafe_fixes=case.settings.unsafe,
            target_version=None if python is None else "py" + python.replace(".", ""),
            target=targets,
            published=case.settings.published,
            rules={case.rule: case.settings.options},
        ),
        # Settings files of the machine must not change what a case gives.
        isolated=True,
        jobs=jobs,
        excluded=excluded,
        # A result kept from an older rule would hide what the new one does.
        use_cache=False,
    )


def require(holds: object, message: str) -> None:
    """Raise AssertionError with ``message`` unless ``holds``."""
    if not holds:
        raise AssertionError(message)


@contextmanager
def naming_case(case: Case) -> Iterator[None]:
    """Inside, an exception says in a note which case it is about."""
    try:
        yield
    except Exception as error:
        # An example of a page has no directory of its own.
        page = not case.directory.name
        place = f"an example on the page of {case.rule}" if page else str(case.directory)
        error.add_note(f"The case is {place}")
        raise


def diagnostics_of(result: CaseResult) -> str:
    """Return what the run could not do, and where in a rule that failed; empty if it did all."""
    said = [_diagnostic_text(diagnostic) for diagnostic in result.report.diagnostics]
    return "\n".join([*said, *result.tracebacks])


def _diagnostic_text(diagnostic: Diagnostic) -> str:
    line = f":{diagnostic.line}" if diagnostic.line else ""
    place = f"{diagnostic.path}{line}: " if diagnostic.path else ""
    return f"{place}{diagnostic.message}"


def line_number(text: bytes, offset: int) -> int:
    """Return the 1-based number of the line at byte ``offset``; CR, LF and CRLF end lines."""
    # The dot counts a line that has only just begun.
    return len((text[:offset] + b".").splitlines())


def assert_expected(result: CaseResult) -> None:
    """Assert that the program after and the findings are those that the case gives."""
    _require_clean(result)
    _require_findings(result)
    for path in sorted({*result.case.after, *result.files}):
        wanted, made = result.case.after.get(path), result.files.get(path)
        require(made == wanted, f"{path} is not as expected:\n{difference(wanted, made)}")


def _require_clean(result: CaseResult) -> None:
    said = diagnostics_of(result)
    require(not said, f"the run has diagnostics:\n{said}")


def _require_findings(result: CaseResult) -> None:
    level, found, unknown = result.case.settings.level, result.findings, _undeclared_levels(result)
    if level is None:
        wanted = tuple(sorted(result.case.settings.expect or (), key=_in_order))
        different = difference(_lines(wanted), _lines(found))
        unknown = f"{_undeclared_reasons(result, wanted)}{unknown}"
        require(found == wanted, f"the findings are not as expected:\n{different}{unknown}")
        return
    require(found, f"no finding, where {level} ones were expected")
    others = [finding for finding in found if finding.level is not level]
    hint = _hint(result.case, others)
    said = f"not all findings are {level}:\n{_lines(others).decode().rstrip()}{hint}{unknown}"
    require(not others, said)


def _hint(case: Case, others: Iterable[ExpectedFinding]) -> str:
    """Return what to write where an example of a page has unsafe findings unexpectedly."""
    if case.directory.name or all(finding.level is not Level.UNSAFE for finding in others):
        return ""
    return "\nmark the example: `## Before (unsafe)` and `## After (unsafe)`"


def _undeclared_levels(result: CaseResult) -> str:
    """Return one line for each level that was found and that its rule does not declare."""
    rules = api.rules() if result.rules is None else result.rules
    found = {(finding.rule, finding.level) for finding in result.report.findings}
    unknown = ((rule.name, level) for rule in rules for level in set(Level) - {*levels(rule)})
    return "".join(
        f"\n{name} does not declare the level {level}"
        for name, level in sorted(found.intersection(unknown))
    )


def declared_reasons(result: CaseResult) -> frozenset[str]:
    """Return the reasons of the rules that the run could choose from, as findings have them."""
    rules = api.rules() if result.rules is None else result.rules
    return frozenset(reason.full_code(rule.name) for rule in rules for reason in rule.reasons)


def _undeclared_reasons(result: CaseResult, wanted: Iterable[ExpectedFinding]) -> str:
    """Return one line for each reason that is expected and that no rule declares."""
    reasons = {one.reason for one in wanted if one.reason and not one.reason.startswith("engine/")}
    unknown = sorted(reasons - declared_reasons(result))
    return "".join(f"\nno rule declares the reason `{reason}`" for reason in unknown)


def _lines(findings: Iterable[ExpectedFinding]) -> bytes:
    return "".join(
        f"{finding.path}:{finding.line} {finding.level} {finding.reason or ''}\n"
        for finding in findings
    ).encode()


def difference(wanted: bytes | None, made: bytes | None) -> str:
    """Return a unified diff of two texts; None is one that is not there."""
    rows = difflib.unified_diff(_rows(wanted), _rows(made), "expected", "made", lineterm="")
    return "\n".join(rows)


def _rows(content: bytes | None) -> list[str]:
    """Return the lines, with what is not to be seen in them written out."""
    text = (content or b"").decode("utf-8", "backslashreplace")
    rows = [line.removesuffix("\n") for line in text.splitlines(keepends=True)]
    if text and not text.endswith(("\n", "\r")):
        rows.append("\\ No newline at end of file")
    return [row.replace("\r", "\\r").replace("\ufeff", "\\ufeff") for row in rows]
