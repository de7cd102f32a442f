"""The files of a program that may say something of its applications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project.values.evaluation import Evaluator

FilesWith = Callable[[Sequence[bytes]], list[str]]
"""Gives the paths of the files that hold one of some words."""


def modules_with(
    evaluator: Evaluator, files_with: FilesWith, words: Sequence[bytes]
) -> Iterator[Module]:
    """Yield the files that hold one of ``words`` and can be parsed."""
    for path in files_with(words):
        module = evaluator.load(path)
        if module is not None:
            yield module
