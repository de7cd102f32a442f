"""Reasons that sites of many rules have; a rule declares those that it raises, like its own."""

from __future__ import annotations

from awaken.contract import Reason

INSIDE_FSTRING = Reason(
    "inside-f-string",
    "`{}` is inside an f-string",
    "Put it in a variable first.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename that, or write it under another name by hand.",
)
OUT_OF_SIGHT = Reason(
    "out-of-sight",
    "{}",
    "Have awaken read that file as well: name its project in the setting `members`, or leave out "
    "no part of the program.",
)
