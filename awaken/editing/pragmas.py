"""Comments for tools, which hold for their line."""

from __future__ import annotations

import re

_PRAGMA = re.compile(
    r"\s*#\s*(?:type|pyright|pylint|flake8|ruff|mypy|isort|pragma|ty)\s*:|\s*#\s*(?:noqa|nosec)\b"
)
_FOR_FORMATTERS = re.compile(r"#\s*(?:fmt|yapf|black)\s*:|#\s*nopep8\b", re.IGNORECASE)
_OF_PLACE = re.compile(
    r"#\s*(?:noqa:\s*(?:E402|I001)(?:[\s,]+(?:E402|I001))*"
    r"|pylint:\s*disable\s*=\s*(?:wrong-import-position|C0413))"
)


def is_about_place(comment: str) -> bool:
    """Whether ``comment`` tells a linter only that an import may be below code, or unsorted."""
    return _OF_PLACE.fullmatch(comment.strip()) is not None


def is_for_tools(line: str) -> bool:
    """Whether the comment of ``line`` may be for a linter, a type checker or a formatter."""
    return _PRAGMA.search(line.lower()) is not None or _FOR_FORMATTERS.search(line) is not None


def width_behind(text: str) -> int:
    """Return how many characters ``text``, the end of a line, adds to its length.

    A pragma adds nothing: the line that it speaks of is not broken for its sake. Source:
    https://docs.astral.sh/ruff/formatter/black/#pragma-comments-are-ignored-when-computing-line-width
    """
    match = _PRAGMA.search(text)
    return len(text) if match is None else match.start()
