"""The reasons for which the engine rejects a change that its rule planned."""

from __future__ import annotations

from msgspec import Struct

from awaken.contract import Reason

HELD_BACK = Reason(
    "engine/held-back",
    "the change also needs a site that is left alone ({by}: {note})",
    "Allow that site, or suppress this one as well.",
)
NEEDS_OTHER_VERSIONS = Reason(
    "engine/needs-other-versions",
    "the rewrite is not correct on every version that the project allows: {unmet}",
    "Raise the requirement, or pass the version with --target.",
)
OUTSIDE_SELECTED_PATHS = Reason(
    "engine/outside-selected-paths",
    "the change would also edit {path}, which is outside the selected paths",
    "Run awaken on the whole project, or name that file as well.",
)
REQUIRES_REFUSED = Reason(
    "engine/requires-refused",
    "the change needs another change that could not be made",
    "First fix the manual findings of the same rule.",
)
ROLLED_BACK = Reason(
    "engine/rolled-back",
    "a check rolled back the rewrite: {problem}",
    "Apply the other changes, then run awaken again. If that fails too, change it by hand.",
)
TOO_LARGE = Reason(
    "engine/too-large",
    "the code is too large to rewrite: {problem}",
    "Split it, for example with a variable for a part of it, or change this place by hand.",
)
UNDONE_BY_ANOTHER_RULE = Reason(
    "engine/undone-by-another-rule",
    "two rules undo each other here: {rules}",
    "Select only one of the two rules.",
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
