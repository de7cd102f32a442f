"""Rewriting a case's expectations: the current result of the rule becomes the expected one."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from awaken.testing.cases import MODULE, Case, ExpectedFinding, Marked, write_markers
from awaken.testing.running import CaseResult

_EXPECT = re.compile(r"^expect = \[(?:[^\n]*\]\n?|.*?^\]\n?)", re.MULTILINE | re.DOTALL)


def accept(result: CaseResult) -> str:
    """Write what ``result`` found and made into the files of its case; return the difference.

    Findings become markers in the side before; others go into ``case.toml``. A case that expects
    one level for all findings keeps that where it holds.
    """
    written: dict[Path, bytes] = {}
    case = result.case
    one_level = case.settings.level
    holds = bool(result.findings) and all(item.level is one_level for item in result.findings)
    marked: dict[str, list[Marked]] = defaultdict(list)
    for finding in () if holds else result.findings:
        reason = (finding.reason or "").removeprefix(f"{case.rule}/")
        marked[finding.path].append(Marked(finding.line, finding.level, reason))
    left: list[ExpectedFinding] = []
    for path in sorted({*case.before, *marked}):
        # A file of the shared program has no markers: other cases use it unchanged.
        content, unsaid = write_markers(case.before[path], marked[path])
        if path in case.program and case.program[path] == case.before[path]:
            unsaid = tuple(marked[path])
        else:
            written[_place(case, "before", path)] = content
        left += [_expected_finding(case, path, parameter) for parameter in unsaid]
    written |= _values_after(result)
    settings = case.directory / "case.toml"
    written[settings] = _settings(settings.read_text("utf-8"), left, keep_level=holds).encode()
    return "".join(_written_text(path, content) for path, content in written.items())


def _place(case: Case, side: str, path: str) -> Path:
    single = case.directory / f"{side}.py"
    # A case of one file has it next to its `case.toml`.
    if path == MODULE and not (case.directory / "before").is_dir():
        return single
    return case.directory / side / path


def _expected_finding(case: Case, path: str, one: Marked) -> ExpectedFinding:
    full = one.reason if "/" in one.reason else f"{case.rule}/{one.reason}"
    return ExpectedFinding(one.line, one.level, path, full if one.reason else None)


def _values_after(result: CaseResult) -> Mapping[Path, bytes]:
    case = result.case
    if result.files == case.before:
        return {}
    return {
        _place(case, "after", path): content
        for path, content in result.files.items()
        if case.program.get(path) != content and not _is_unchanged(case, path, content)
    }


def _is_unchanged(case: Case, path: str, content: bytes) -> bool:
    """Whether the side after need not hold a file of an application, and does not."""
    same = case.settings.suite is not None and case.before.get(path) == content
    return same and not _place(case, "after", path).is_file()


def _settings(text: str, left: Iterable[ExpectedFinding], *, keep_level: bool) -> str:
    text = _EXPECT.sub("", text)
    if not keep_level:
        text = re.sub(r"^level = .*\n?", "", text, flags=re.MULTILINE)
    rows = [_row(finding) for finding in left]
    return f"{text}expect = [\n{''.join(rows)}]\n" if rows else text


def _row(one: ExpectedFinding) -> str:
    parts = [f"line = {one.line}", f'level = "{one.level.value}"']
    if one.path != MODULE:
        parts.append(f'path = "{one.path}"')
    if one.reason:
        parts.append(f'reason = "{one.reason}"')
    return f"    {{ {', '.join(parts)} }},\n"


def _written_text(path: Path, content: bytes) -> str:
    """Write ``content`` where it differs; return the difference."""
    before = path.read_bytes() if path.is_file() else b""
    # An empty file that is missing must be made.
    if before == content and path.is_file():
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    old, new = (side.decode("utf-8", "backslashreplace") for side in (before, content))
    rows = difflib.unified_diff(
        old.splitlines(), new.splitlines(), "before", path.as_posix(), lineterm=""
    )
    return "".join(f"{row}\n" for row in rows)
