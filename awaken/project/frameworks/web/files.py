"""The files of a program that may say something of its applications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module

FilesWith = Callable[[Sequence[bytes]], list[str]]
"""Gives the paths of the files that hold one of some words."""


def modules_with(
    evaluator: ProgramEvaluator, files_with: FilesWith, words: Sequence[bytes]
) -> Iterator[Module]:
    """Yield the files that hold one of ``words`` and can be parsed."""
    for path in files_with(words):
        module = evaluator.load(path)
        if module is not None:
            yield module
