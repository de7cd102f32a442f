"""Reasons that sites of many rules have; a rule declares those that it raises, like its own."""

from __future__ import annotations

from collections.abc import Mapping

from awaken.contract import Reason
from awaken.workspace.outside import OTHER_PROJECT

INSIDE_FSTRING = Reason(
    "inside-f-string", "`{}` is inside an f-string", "Assign it to a variable first."
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename it, or make the change by hand under another name.",
)
OUT_OF_SIGHT = Reason(
    "out-of-sight",
    "{}",
    "Let awaken read that file as well: name its project in the setting `members`, or "
    "select the whole program.",
)


def reasons_of(module: Mapping[str, object], *shared: Reason) -> tuple[Reason, ...]:
    """Return those reasons, and the others that the names of a module mean."""
    others = (value for value in module.values() if isinstance(value, Reason))
    return tuple(dict.fromkeys((*shared, *others)))


def cure_of_outside(why: str, folder: str) -> str:
    """Return the cure for a file that is not visible, if that of ``OUT_OF_SIGHT`` does not fit.

    ``folder`` is that of the project in its repository, empty at the root.
    """
    if why == "does not parse":
        return "Fix its syntax, or run awaken with a newer Python."
    if folder and why == OTHER_PROJECT:
        return (
            f'Run awaken at the root of the repository, with `members = ["/{folder}"]` below '
            "`[tool.awaken]` in its pyproject.toml: both are one program then."
        )
    return ""
