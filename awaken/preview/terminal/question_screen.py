"""One change at a time on a terminal: its summary, all of its files, and the question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from awaken.contract import Finding, Outline, Place
from awaken.engine.asking.answers import Answer, Question
from awaken.engine.report import FileChange
from awaken.preview.choices import View
from awaken.preview.console.page import Page, joined_text
from awaken.preview.counts import plural
from awaken.preview.diffs.file_diff import FileDiff
from awaken.preview.diffs.layouts import NARROWEST, SideBySide
from awaken.preview.diffs.source_lines import SourceLines
from awaken.preview.paths import relative
from awaken.preview.sections import Section
from awaken.preview.terminal.outline_page import OutlinePage

_HELP = {
    "y": "yes, make this change",
    "n": "no, leave it as it is",
    "a": "yes to this, and to all later changes in this file that touch no other",
    "q": "stop asking: make what was answered with yes, leave the rest",
    "d": "no to this, and to all later changes that touch this file",
    "e": "open the file at this line in an editor, then go on with what is left",
    "?": "print this",
}
_WORDS = {"yes": "y", "no": "n", "all": "a", "quit": "q", "edit": "e", "help": "?", "h": "?"}
_HELP_KEY = "?"


class Screen:
    """Shows a question and takes its answer.

    ``read`` gives the next line that the user typed, with its line end; ``""`` is the end of
    input, which counts as quitting. ``edit`` opens a file at a 1-based line and returns a
    sentence if that failed. Paths are shown relative to ``current``.
    """

    def __init__(
        self,
        console: Console,
        current: Path,
        read: Callable[[], str],
        edit: Callable[[Path, int], str | None],
        view: View,
    ) -> None:
        self._console = console
        self._page = Page(console)
        self._current = current
        self._read = read
        self._edit = edit
        self._view = view

    def ask(self, question: Question) -> Answer:
        """Show ``question`` and return what the user answers; asks again until it is an answer."""
        self._show(question)
        while True:
            word = self._word(question)
            if word == Answer.EDITED:
                failed = self._edit(question.root.root / question.path, _line(question))
                if failed is None:
                    return Answer.EDITED
                self._page.sentence(("error: ", "error"), failed)
            elif word == _HELP_KEY:
                self._help()
            elif word in _HELP:
                return Answer(word)
            elif word:
                self._page.row(f"{word} is not one of the answers:")
                self._help()

    def _word(self, question: Question) -> str:
        progress = f"({question.number}/{question.total}) "
        prompt = f"Rewrite this? [{','.join(_HELP)}] "
        self._console.print(joined_text([(progress, "faint"), (prompt, "command")]).rich(), end="")
        # The prompt ends without a line end, which is what flushes a terminal by itself.
        self._console.file.flush()
        line = self._read()
        if not line:
            self._page.row()
            return Answer.QUIT
        word = line.strip().lower()
        return _WORDS.get(word, word)

    def _help(self) -> None:
        for key, meaning in _HELP.items():
            self._page.hanging(joined_text([(key, "command"), " - "]), meaning)

    def _show(self, question: Question) -> None:
        change, page = question.change, self._page
        where = f"{self._named_text(question, question.path)}:{_line_shown(question)}"
        page.row()
        page.rule((where, "path"), "  ", (change.rule, "code.name"))
        outline = next((o for o in question.root.outlines if o.change == change.id), None)
        if outline is not None:
            self._whole(question, outline)
            return
        page.hanging(joined_text(["   ", (change.level, change.level), " "]), change.title)
        for finding in question.findings:
            self._finding(question, finding)
        for file in question.files:
            self._file(question, file)
        page.row()

    def _whole(self, question: Question, outline: Outline) -> None:
        """Show a change of the whole program by its plan: its diff is too long for a question."""
        files = plural(len(question.files), "file")
        OutlinePage(self._page, question.root, self._current).print(outline, is_asked=True)
        self._page.row(("   ", "faint"), f"`awaken diff` shows the changes of {files}.")
        self._page.row()

    def _finding(self, question: Question, finding: Finding) -> None:
        """Say what the title does not: what may change where, and why the site is one."""
        where = self._place(question, finding.place) if len(question.findings) > 1 else ""
        if where or finding.message != question.change.title:
            head = joined_text(["   ", (where, "path"), "  " if where else ""])
            self._page.hanging(head, finding.message)
        for place in finding.related:
            what = f"{self._place(question, place)} {place.note}".rstrip()
            self._page.hanging(joined_text(["     ", ("because  ", "faint")]), what)

    def _file(self, question: Question, file: FileChange) -> None:
        page, shown = self._page, self._named_text(question, file.path)
        if len(question.files) > 1 or file.path != question.path:
            created = " (new file)" if file.before is None else ""
            page.row()
            page.row("   ", (shown, "path"), (created, "added"))
        here = tuple(finding for finding in file.findings if finding.place.path == file.path)
        made = frozenset(finding.change for finding in here if finding.change is not None)
        section = Section(shown, file.before, here, file, made)
        diff = FileDiff(page, section, self._view.context)
        width = page.width or 0
        beside = self._view.side_by_side and width >= NARROWEST
        diff.print(SideBySide(page, diff.digits, width) if beside else None)

    def _named_text(self, question: Question, path: str) -> str:
        return relative(question.root.root, path, self._current)

    def _place(self, question: Question, place: Place) -> str:
        return f"{self._named_text(question, place.path)}:{_line_of(question, place)}"


def _line(question: Question) -> int:
    """Return the 1-based line of the change, on disk."""
    return _line_of(question, question.findings[0].place) if question.findings else 1


def _line_shown(question: Question) -> int:
    """Return the line by which the diff shows it: what was agreed to before moved it."""
    sites = {finding.site for finding in question.findings[:1]}
    for file in question.files:
        for finding in file.findings:
            if finding.site in sites and finding.place.path == file.path and file.before:
                return SourceLines(file.before.text).position(finding.place.span.start)[0]
    return _line(question)


def _line_of(question: Question, place: Place) -> int:
    source = question.root.sources.get(place.path)
    return 1 if source is None else SourceLines(source.text).position(place.span.start)[0]
