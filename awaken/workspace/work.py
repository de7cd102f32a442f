"""Work that is counted: it is the same in every run of one program, on every machine.

`benchmarks/budget.py` holds it against budgets. Nothing else reads it, so no answer depends on it.
Each process counts for itself; budgets are counted in one.
"""

from __future__ import annotations


class Work:
    """The progress of one process.

    ``texts`` are hashes of the texts that were parsed, in ``parses`` with ``parsed_bytes``.
    ``searches`` counts each text that was searched, for any number of words at once. ``questions``
    counts how often the evaluator worked out what something may be.
    """

    __slots__ = ("parsed_bytes", "parses", "questions", "searches", "texts")

    def __init__(self) -> None:
        self.texts: set[int] = set()
        self.parses = self.parsed_bytes = self.searches = self.questions = 0


WORK = Work()
"""The work of this process."""
