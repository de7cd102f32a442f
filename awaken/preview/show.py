"""Shows a report in the form that was asked for: findings to stdout, what surrounds them to stderr.

Imports a form only when it is used, because a run that finds nothing should start fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from awaken.engine.report import Report
from awaken.preview.choices import Color, Form, View
from awaken.preview.console.plain_console import PlainConsole, console_on, print_line
from awaken.preview.console.text import Text
from awaken.preview.counts import diagnostics, todo
from awaken.preview.paths import relative
from awaken.preview.streams.course import Course
from awaken.preview.streams.messages import say
from awaken.preview.streams.output import Asked, Piece, Staged, open_output, send
from awaken.preview.streams.visible import visible
from awaken.preview.summary import Again, next_steps, summary

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole

Writer = Callable[[Report, Asked], Iterable[Piece]]

_WRITERS = {
    Form.CONCISE: "awaken.preview.documents.concise",
    Form.GROUPED: "awaken.preview.terminal.grouped",
    Form.JSON: "awaken.preview.documents.document",
    Form.JSON_LINES: "awaken.preview.documents.json_lines",
    Form.PATCH: "awaken.preview.diffs.patch",
    Form.HTML: "awaken.preview.html.report_page",
    Form.MARKDOWN: "awaken.preview.markdown.remaining_work",
    Form.GITHUB_COMMENT: "awaken.preview.markdown.comment",
    Form.GITHUB_REVIEW: "awaken.preview.hosts.github_review",
    Form.GITHUB: "awaken.preview.hosts.github",
    Form.GITLAB: "awaken.preview.hosts.gitlab",
    Form.RDJSON: "awaken.preview.hosts.rdjson",
    Form.JUNIT: "awaken.preview.hosts.junit",
    Form.SARIF: "awaken.preview.documents.sarif",
}
"""The module of each form; its ``write`` is a ``Writer``."""
_STATISTICS = "awaken.preview.documents.statistics"


def form_of(command: str, view: View) -> Form:
    """Return the form in which ``command`` prints: a diff that is piped is a patch."""
    if view.form is not None:
        return view.form
    seen = view.file is None and (view.color is Color.ALWAYS or sys.stdout.isatty())
    return Form.FULL if command != "diff" or seen or view.side_by_side else Form.PATCH


def show(  # noqa: PLR0913  what is shown, and how
    report: Report,
    command: str,
    view: View,
    again: Again,
    staged: Staged | None = None,
    course: Course | None = None,
) -> None:
    """Print ``report`` as the result of ``command`` (``check``, ``diff`` or ``apply``).

    ``staged`` shows a change by itself, and ``course`` is how the run went, for forms that can use
    it. Raises UserError where the file that ``view`` names cannot be written.
    """
    current = Path.cwd()
    form = form_of(command, view)
    # Without sites the sentence at the end says all there is.
    full = form is Form.FULL and not view.statistics and _has_sites(report)
    is_patch = form is Form.PATCH and not view.statistics
    if full and not view.quiet:
        _targets(report, view, current)
    # Opened for every form, so that a file is made, and emptied, even where nothing goes into it.
    with open_output(view.file) as stream:
        if full:
            print_report(report, command, view, stream)
        elif (writer := _writer(form, view)) is not None:
            asked = asked_of(command, view, again(command), staged, course)
            send(writer(report, asked), stream)
    if view.verbose:
        _details(report, command, current)
    if is_patch and not view.quiet:
        _outlines(report, view)
    if (is_patch or (full and command == "apply")) and report.passes and not view.quiet:
        _words_of_passes(report, current)
    if not full or view.quiet:
        show_closing(report, command, view, is_outlined=is_patch)
        if form is Form.PATCH and not view.quiet:
            _explain_empty_patch(report, command, view, again)
        return
    print_problems(report, view, current)
    is_apply = command == "apply"
    print_notes(report, view, is_outlined=not is_apply, is_written=is_apply)
    _close(report, command, view, again)


def asked_of(
    command: str,
    view: View,
    again: str,
    staged: Staged | None = None,
    course: Course | None = None,
) -> Asked:
    """Return what a form has to know of a run whose command line is ``again``."""
    return Asked(
        command=command,
        current=Path.cwd(),
        context=view.context,
        staged=staged,
        again=again,
        report_url=view.report_url,
        course=course or Course(),
    )


def show_page(report: Report, asked: Asked, view: View) -> None:
    """Print the page of a run that no other form shows. Raises UserError as ``show`` does."""
    write: Writer = import_module(_WRITERS[Form.HTML]).write
    with open_output(view.file) as stream:
        send(write(report, asked), stream)


def show_closing(report: Report, command: str, view: View, *, is_outlined: bool = False) -> None:
    """Print to stderr what could not be done, and in one sentence what ``command`` came to.

    A run that had no place to look at came to nothing, so there is no sentence. The content of
    printed outlines is not repeated.
    """
    print_problems(report, view, Path.cwd())
    print_notes(report, view, is_outlined=is_outlined)
    if report.roots and not view.quiet:
        say(summary(report, command))


def _outlines(report: Report, view: View) -> None:
    """Print to stderr what the changes of a patch come to: the patch is for programs."""
    if any(root.outlines for root in report.roots):
        from awaken.preview.terminal.outline_page import print_outlines  # noqa: PLC0415

        print_outlines(report, console_on(sys.stderr, view.color), Path.cwd())


def _words_of_passes(report: Report, current: Path) -> None:
    """Print to stderr what codemods say of files: once they are applied, no run says it again."""
    from awaken.preview.documents.concise import concise_advice  # noqa: PLC0415

    for line in concise_advice(report, current, {rule.name for rule in report.passes}):
        say(line)


def _explain_empty_patch(report: Report, command: str, view: View, again: Again) -> None:
    """Print to stderr how to get a patch of unsafe rewrites, where there are no others."""
    from awaken.preview.closing import print_steps  # noqa: PLC0415

    # An empty patch alone does not tell why it is empty.
    if not any(root.files for root in report.roots):
        print_steps(next_steps(report, command, again), console_on(sys.stderr, view.color))


def _writer(form: Form, view: View) -> Writer | None:
    name = _STATISTICS if view.statistics else _WRITERS.get(form)
    if name is None:
        return None
    writer: Writer = import_module(name).write
    return writer


def print_notes(report: Report, view: View, *, is_outlined: bool, is_written: bool = False) -> None:
    """Print to stderr what did not run and why, and what is left to do.

    The content of printed outlines is not repeated. After the changes ``is_written``, a command
    that is left is a step of ``commands_after``, and not said here.
    """
    roots = [] if view.quiet else report.roots
    # Facts of every project are shown once: they follow from the command line.
    common = set.intersection(*(set(root.notes) for root in roots)) if len(roots) > 1 else set()
    for note in (name for name in roots[0].notes if name in common) if common else ():
        say(visible(f"note: {note}"))
    for root in roots:
        outlined = {outline.change for outline in root.outlines} if is_outlined else set()
        where = f"{relative(root.root, '', Path.cwd())}: " if len(roots) > 1 else ""
        for note in (name for name in root.notes if name not in common):
            say(visible(f"note: {where}{note}"))
        for left in root.left_to_do:
            if not outlined.isdisjoint(left.changes) or (is_written and left.command):
                continue
            path = relative(root.root, left.path, Path.cwd())
            say(visible(f"left to do: {path}{f':{left.line}' if left.line else ''}: {todo(left)}"))


def _has_sites(report: Report) -> bool:
    return any(root.findings or root.files for root in report.roots)


def print_report(report: Report, command: str, view: View, stream: TextIO) -> None:
    """Print findings, or changes as diffs, in the form ``full``."""
    if command == "apply":  # what was rewritten stands in the files; the summary counts it
        return
    # A file is read by programs, which take colours for text.
    console = console_on(stream, Color.NEVER if view.file else view.color)
    with _paged_manager(console, view):
        if any(root.outlines for root in report.roots):
            from awaken.preview.terminal.outline_page import print_outlines  # noqa: PLC0415

            print_outlines(report, console, Path.cwd())
        if command == "diff":
            from awaken.preview.diffs.coloured import print_diff  # noqa: PLC0415

            print_diff(report, console, Path.cwd(), view)
        else:
            from awaken.preview.terminal.frames import print_findings  # noqa: PLC0415

            print_findings(report, console, Path.cwd(), every=view.verbose)


def _paged_manager(console: AnyConsole, view: View) -> AbstractContextManager[None]:
    if isinstance(console, PlainConsole):
        return nullcontext()
    from awaken.preview.console.pager import paging  # noqa: PLC0415  it needs Rich

    return paging(console, wanted=view.pager)


def _details(report: Report, command: str, current: Path) -> None:
    say(visible(f"Rules: {', '.join(report.rules) or 'none'}"))
    if command == "apply":
        for root in report.roots:
            for file in root.files:
                path = relative(root.root, file.path, current)
                say(visible(f"rewrote {path}"))


def _targets(report: Report, view: View, current: Path) -> None:
    from awaken.preview.closing import print_targets  # noqa: PLC0415

    print_targets(report, console_on(sys.stderr, view.color), current)


def print_problems(report: Report, view: View, current: Path) -> None:
    """Print to stderr what could not be done."""
    if any(diagnostics(report)):
        from awaken.preview.closing import print_diagnostics  # noqa: PLC0415

        print_diagnostics(report, console_on(sys.stderr, view.color), current)


def _close(report: Report, command: str, view: View, again: Again) -> None:
    from awaken.preview.closing import print_steps, print_table  # noqa: PLC0415

    console = console_on(sys.stderr, view.color)
    print_table(report, console)
    # No page, which would fold the sentence on a terminal.
    print_line(console, Text(summary(report, command)))
    print_steps(next_steps(report, command, again), console)
