"""The report behind a form, and what the form needs beside it."""

from __future__ import annotations

from awaken.cli.options.command_line import CommandLine
from awaken.engine.progress import Progress
from awaken.engine.report import Report
from awaken.preview.choices import Form, View
from awaken.preview.streams.output import FilesOf


def run(line: CommandLine, view: View, progress: Progress | None) -> tuple[Report, FilesOf | None]:
    """Run what ``line`` asks for; only SARIF shows what each change does when made alone.

    That costs about twice the run again, so no other form has it.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine

    # Statistics replace every form, and need no fixes.
    if view.form is Form.SARIF and not view.statistics:
        staged_report = api.run_staged(line.paths, line.options, progress=progress)
        return staged_report.report, staged_report.files_of
    return api.run(line.paths, line.options, progress=progress), None
