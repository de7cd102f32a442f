"""The questions of a migration, asked on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.contract import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from awaken.engine.asking.kept_answers import Question


def can_ask() -> bool:
    """Whether a user can see questions and answer them."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answers_to(questions: Sequence[Question]) -> dict[Path, list[str]]:
    """Ask each of ``questions``; return the settings that the user chose, as TOML, by project."""
    chosen: dict[Path, list[str]] = {}
    for question in questions:
        answer = _answer(question)
        if answer:
            chosen.setdefault(question.root.root, []).append(answer)
    return chosen


def _line() -> str:
    """Return the line that the user types. Raises UserError where the terminal goes away."""
    try:
        line = sys.stdin.readline()
    except OSError:  # EIO, of a terminal that nobody holds any more
        line = ""
    if not line:
        raise UserError("the terminal closed before the answer; run the same command again")
    return line


def _answer(question: Question) -> str:
    """Return the setting that the user chose; empty for none."""
    from awaken.preview.recipes.migration import asked_at  # noqa: PLC0415  the help needs no engine
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415

    say(visible(f"{asked_at(question)}: {question.finding.message}"))
    for number, answer in enumerate(question.answers, 1):
        say(visible(f"  {number}  {answer}"))
    while True:
        say("Number of the setting that is true, or Enter for none:")
        word = _line().strip()
        if not word:
            return ""
        if word.isdecimal() and 0 < int(word) <= len(question.answers):
            return question.answers[int(word) - 1]


def keep(answers: Sequence[str], root: Path, command: str) -> bool:
    """Ask whether ``answers`` go into the settings of a project; write them if so."""
    from awaken.engine.asking.kept_answers import answers_file, keep_answers  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415
    from awaken.settings.settings_files import shown_path  # noqa: PLC0415

    for answer in answers:
        say(visible(f"  {answer}"))
    say(visible(f"Write this to {shown_path(answers_file(root))}? [y/N]"))
    if _line().strip().lower() not in {"y", "yes"}:
        return False
    try:
        keep_answers(root, answers, command)
    except UserError as error:
        say(visible(f"{error}."))
        return False
    return True
