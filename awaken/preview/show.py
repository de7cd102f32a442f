"""Shows a report in the form that was asked for: findings to stdout, what surrounds them to stderr.

Imports a form only when it is used, because a run that finds nothing should start fast.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from awaken.engine.report import Report
from awaken.preview.choices import Color, Form, View
from awaken.preview.counts import diagnostics
from awaken.preview.paths import relative
from awaken.preview.summary import CommandLine, next_steps, summary
from awaken.preview.visible import visible


def form_of(command: str, view: View) -> Form:
    """Return the form in which ``command`` prints: a diff that is piped is a patch."""
    if view.form is not None:
        return view.form
    seen = view.color is Color.ALWAYS or sys.stdout.isatty()
    return Form.FULL if command != "diff" or seen else Form.PATCH


def show(report: Report, command: str, view: View, again: CommandLine) -> None:
    """Print ``report`` as the result of ``command`` (``check``, ``diff`` or ``apply``)."""
    current = Path.cwd()
    form = form_of(command, view)
    full = form is Form.FULL and not view.statistics and _has_sites(report)
    if full and not view.quiet:
        _targets(report, view, current)
    if view.statistics:
        _statistics(report)
    elif form is Form.CONCISE:
        _concise(report, current)
    elif form is Form.JSON:
        _json(report, current)
    elif form is Form.PATCH:
        _patch(report, current)
    elif full:
        _full(report, command, view, current)
    sys.stdout.flush()
    if view.verbose:
        _details(report, command, current)
    _diagnostics(report, view, current)
    _notes(report, view)
    if full and not view.quiet:
        _close(report, command, view, again)
    elif not view.quiet:
        sys.stderr.write(summary(report, command) + "\n")


def _notes(report: Report, view: View) -> None:
    for root in report.roots if not view.quiet else ():
        for note in root.notes:
            sys.stderr.write(visible(f"note: {note}") + "\n")


def _has_sites(report: Report) -> bool:
    return any(root.findings or root.files for root in report.roots)


def _full(report: Report, command: str, view: View, current: Path) -> None:
    if command == "apply":
        return
    from awaken.preview.console import make_console  # noqa: PLC0415

    console = make_console(sys.stdout, view.color)
    if command == "diff":
        from awaken.preview.terminal import print_diff  # noqa: PLC0415

        print_diff(report, console, current)
    else:
        from awaken.preview.frames import print_findings  # noqa: PLC0415

        print_findings(report, console, current)


def _concise(report: Report, current: Path) -> None:
    from awaken.preview.concise import concise  # noqa: PLC0415

    _print(concise(report, current))


def _statistics(report: Report) -> None:
    from awaken.preview.concise import statistics  # noqa: PLC0415

    _print(statistics(report))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _json(report: Report, current: Path) -> None:
    from awaken.preview.document import document  # noqa: PLC0415

    _write(document(report, current))


def _patch(report: Report, current: Path) -> None:
    from awaken.preview.patch import patch  # noqa: PLC0415

    _write(patch(report, current))


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _details(report: Report, command: str, current: Path) -> None:
    sys.stderr.write(f"Rules: {', '.join(report.rules) or 'none'}\n")
    if command == "apply":
        for root in report.roots:
            for file in root.files:
                path = relative(root.root, file.path, current)
                sys.stderr.write(visible(f"rewrote {path}") + "\n")


def _targets(report: Report, view: View, current: Path) -> None:
    from awaken.preview.closing import print_targets  # noqa: PLC0415
    from awaken.preview.console import make_console  # noqa: PLC0415

    print_targets(report, make_console(sys.stderr, view.color), current)


def _diagnostics(report: Report, view: View, current: Path) -> None:
    if any(diagnostics(report)):
        from awaken.preview.closing import print_diagnostics  # noqa: PLC0415
        from awaken.preview.console import make_console  # noqa: PLC0415

        print_diagnostics(report, make_console(sys.stderr, view.color), current)


def _close(report: Report, command: str, view: View, again: CommandLine) -> None:
    from awaken.preview.closing import print_steps, print_table  # noqa: PLC0415
    from awaken.preview.console import make_console  # noqa: PLC0415

    console = make_console(sys.stderr, view.color)
    print_table(report, console)
    console.print(summary(report, command), soft_wrap=True)
    print_steps(next_steps(report, command, again), console)
