"""Why a pass leaves a place, or a whole file, alone."""

from __future__ import annotations

from awaken.contract import Reason

SKIPPED = Reason("skipped", "the codemod skips this file: {}", "Nothing, if that is right.")
BOWLER_CANNOT_PARSE = Reason(
    "bowler/cannot-parse",
    "Bowler cannot read this file: {}",
    "Rewrite the file by hand, or with a codemod that reads its syntax.",
)
LIBCST_CANNOT_PARSE = Reason(
    "libcst/cannot-parse", "LibCST cannot read this file: {}", BOWLER_CANNOT_PARSE.help
)
BESIDE_ANOTHER = Reason(
    "beside-another",
    "the changes of a codemod in one file belong together, and `{}` is left alone",
    "Allow that place again, or pass --per-hunk if the places are independent.",
)
IN_ONE_HUNK = Reason(
    "in-one-hunk",
    "these lines change together with `{}`, which is left alone",
    "Take that place back in.",
)
REFORMATS = Reason(
    "reformats",
    "the codemod changes {} of the file",
    "Say --allow-reformat if that is wanted.",
)
BROKEN = Reason(
    "broken",
    "the codemod gives what is no Python file: {}",
    "Mend the codemod.",
)
OF_ALL = (BESIDE_ANOTHER, BROKEN, IN_ONE_HUNK, REFORMATS, SKIPPED)
UNREADABLE = {"bowler": BOWLER_CANNOT_PARSE, "libcst": LIBCST_CANNOT_PARSE}
"""The parser is that of the library, whatever the pass is called."""
