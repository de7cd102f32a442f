"""The questions of a migration, asked on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.engine.asking.questions import Question


def can_ask() -> bool:
    """Whether a user can see questions and answer them."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answers_to(questions: Sequence[Question]) -> list[str]:
    """Ask each of ``questions``; return the settings that the user chose, as TOML."""
    return [answer for one in questions if (answer := _answer(one))]


def _answer(question: Question) -> str:
    """Return the setting that the user chose; empty for none."""
    from awaken.preview.migration import asked_at  # noqa: PLC0415  the help needs no engine
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415

    say(visible(f"{asked_at(question)}: {question.finding.message}"))
    for number, answer in enumerate(question.answers, 1):
        say(visible(f"  {number}  {answer}"))
    while True:
        say("Number of the setting that holds, or Enter for none:")
        word = sys.stdin.readline().strip()
        if not word:
            return ""
        if word.isdecimal() and 0 < int(word) <= len(question.answers):
            return question.answers[int(word) - 1]
