"""The exit code of each command, from its result: the table of the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaken.cli.exit_codes import FAILED, FOUND
from awaken.preview.counts import changed_files, count, diagnostics

if TYPE_CHECKING:
    from awaken.engine.diagnosing.diagnosis import Diagnosis
    from awaken.engine.report import Report


def of_check(report: Report, *, exit_zero: bool, strict: bool) -> int:
    """2 if anything failed; 1 if a site was found, or advice and it is ``strict``; or 0.

    ``exit_zero`` makes 0 of 1.
    """
    counted = count(report)
    result = counted.sites or (strict and counted.advice)
    return _exit_code(report) or (FOUND if result and not exit_zero else 0)


def of_diff(report: Report, *, exit_code: bool) -> int:
    """2 if anything failed; 1 if changes are pending and ``exit_code`` asks for it."""
    return _exit_code(report) or (FOUND if changed_files(report) and exit_code else 0)


def of_apply(report: Report, *, exit_non_zero_on_manual: bool) -> int:
    """2 if anything failed; 1 if manual sites remain and that is asked for."""
    return _exit_code(report) or (FOUND if count(report).manual and exit_non_zero_on_manual else 0)


def of_doctor(diagnosis: Diagnosis) -> int:
    """2 if something keeps awaken from its work, else 0: advice is no failure."""
    return FAILED if diagnosis.errors else 0


def _exit_code(report: Report) -> int:
    return FAILED if any(diagnostics(report)) else 0
