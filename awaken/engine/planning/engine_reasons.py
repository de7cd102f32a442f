"""The reasons for which the engine rejects a change that its rule planned."""

from __future__ import annotations

from msgspec import Struct

from awaken.contract import Reason

HELD_BACK = Reason(
    "engine/held-back",
    "the change also needs a site that is left alone ({by}: {note})",
    "Let go of that site, or hold this one back as well.",
)
NEEDS_OTHER_VERSIONS = Reason(
    "engine/needs-other-versions",
    "the rewrite does not hold on every version that the project may run on: {unmet}",
    "Raise the requirement, or name the version in use with --target.",
)
OUTSIDE_SELECTED_PATHS = Reason(
    "engine/outside-selected-paths",
    "the change would also edit {path}, which is outside the selected paths",
    "Run awaken on the whole project, or name that file as well.",
)
REQUIRES_REFUSED = Reason(
    "engine/requires-refused",
    "the change needs another change that could not be made",
    "See to the places of the same rule that are marked manual first.",
)
ROLLED_BACK = Reason(
    "engine/rolled-back",
    "the rewrite was rolled back by a check: {problem}",
    "Change this place by hand, and please report it to awaken.",
)
TOO_LARGE = Reason(
    "engine/too-large",
    "the code is too large to rewrite: {problem}",
    "Take it apart, for example by a variable for a part of it, or change this place by hand.",
)
UNDONE_BY_ANOTHER_RULE = Reason(
    "engine/undone-by-another-rule",
    "two rules undo each other here: {rules}",
    "Select only one of the two rules, and please report this to awaken.",
)

ENGINE_REASONS = (
    HELD_BACK,
    NEEDS_OTHER_VERSIONS,
    OUTSIDE_SELECTED_PATHS,
    REQUIRES_REFUSED,
    ROLLED_BACK,
    TOO_LARGE,
    UNDONE_BY_ANOTHER_RULE,
)
"""All of them; every other reason is declared by a rule."""


class Rejection(Struct, frozen=True):
    """A reason filled in for one rejected change: what its findings say then."""

    code: str
    message: str
    help: str

    @classmethod
    def because(cls, reason: Reason, **words: str) -> Rejection:
        """Return ``reason`` with ``words`` in the places that its message leaves open."""
        return cls(reason.code, reason.message.format(**words), reason.help)
