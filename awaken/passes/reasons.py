"""Why a pass leaves a place, or a whole file, alone."""

from __future__ import annotations

from awaken.contract import Reason

SKIPPED = Reason("skipped", "the codemod skips this file: {}", "Nothing, if that is right.")
CANNOT_PARSE = Reason(
    "cannot-parse",
    "the parser of the codemod cannot read this file: {}",
    "Rewrite the file by hand, or with a codemod that reads its syntax.",
)
BESIDE_ANOTHER = Reason(
    "beside-another",
    "what the codemod does in one file belongs together, and `{}` is left alone",
    "Take that place back in, or say --per-hunk if each place stands for itself.",
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
ALL = (BESIDE_ANOTHER, BROKEN, CANNOT_PARSE, IN_ONE_HUNK, REFORMATS, SKIPPED)
