"""Why a search for objects and their statements ended, in words that say what to look at."""

from __future__ import annotations

import re

from awaken.project.values.domain import Unknown

_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"it takes more than \d+ steps to tell", "the code that makes it branches too often"),
        (r"it may be too many things", "it comes from too many different places"),
        (
            r"too many calls have to be followed( to tell what loaded it)?",
            "it is passed on by too many calls",
        ),
        (r"this is no generator that can be followed", "it comes out of a function that yields it"),
        ("some of its items are unknown", "it is kept in a container that other code fills"),
        (r"`getattr` is not followed", "it is read by `getattr()` with a computed name"),
        ("the statement that loaded it is unknown", "nothing visible loads it"),
        (
            r"it may be read at any number of `(.+)` from each other",
            "a recursion over `\\1` reads it at any depth",
        ),
        (r"Python itself calls `(.+)`", "Python itself may call `\\1` from anywhere"),
        ("no visible object reaches it", "nothing visible calls the code around it"),
        (
            r"parameter `(.+)` has no annotation",
            "parameter `\\1` has no annotation, and its callers do not show its type",
        ),
    )
)


def plainly(why: Unknown) -> str:
    """Return why something is unknown, as a clause for those who maintain the program."""
    for pattern, plain in _PLAIN:
        if pattern.fullmatch(why.why):
            return pattern.sub(plain, why.why)
    # `X` may be read from it as well: why
    before, colon, rest = why.why.rpartition(": ")
    if colon:
        return f"{before}: {plainly(Unknown(rest, why.place))}"
    return why.why
