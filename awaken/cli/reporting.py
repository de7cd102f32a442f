"""Reports, and the other inputs of each output format."""

from __future__ import annotations

from awaken.cli.options.command_line import CommandLine
from awaken.contract import UserError
from awaken.engine.progress import Progress
from awaken.engine.report import Report
from awaken.preview.choices import STAGED, Form, View
from awaken.preview.streams.output import Staged


def run(line: CommandLine, view: View, progress: Progress | None) -> tuple[Report, Staged | None]:
    """Run what ``line`` asks for; some forms show what each change does when made alone.

    That costs about twice the run again, so no other form has it. Raises UserError for a review
    without a base.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine

    # Statistics replace every form, and need no fixes.
    if view.form is Form.GITHUB_REVIEW and line.options.since is None:
        raise UserError(
            "github-review suggests changes in the lines of a pull request; name its base, for "
            "example --since origin/main"
        )
    if view.form in STAGED and not view.statistics:
        from awaken.engine.asking.alone_files import AloneFiles  # noqa: PLC0415  as above

        staged_report = api.run_staged(line.paths, line.options, progress=progress)
        files_of = AloneFiles(staged_report).files_of
        return staged_report.report, Staged(files_of, line.options.since)
    return api.run(line.paths, line.options, progress=progress), None
