"""The reasons for which parameters keep their marker as default, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

NO_TYPE = Reason(
    "no-type",
    "`{}` has no type that could be annotated",
    "Write the type that the parameter gets.",
)
ANNOTATED_ALREADY = Reason(
    "annotated-already",
    "`{}` is Annotated already",
    "Move the default into the annotation by hand.",
)
TEXT_ANNOTATION = Reason(
    "text-annotation",
    "the type of `{}` is written as a string, which FastAPI does not read inside Annotated",
    "Write the type without quotes.",
)
LOCAL_NAMES = Reason(
    "local-names",
    "`{}` is a local name, which FastAPI cannot find in an annotation of this file",
    "Remove `from __future__ import annotations`, or move what it names to the top.",
)
REBOUND_NAMES = Reason(
    "rebound-names",
    "`{}` is bound more than once, and FastAPI reads annotations of this file later than defaults",
    "Give each thing a name of its own.",
)
NOT_NONE = Reason(
    "not-none",
    "the default of `{}` is None, which its type does not admit, and a type checker would say so",
    "Write `X | None`: the parameter is shown as nullable then.",
)
UNREAD_MARKER = Reason(
    "unread-marker",
    "the arguments of `{}` cannot be told apart from here",
    "Write them out.",
)
NO_ORDER = Reason(
    "no-order",
    "without its default `{}` would have to stand in front of others, which it cannot here",
    "Put the parameters into an order in which those without a default come first.",
)
CALLED_WITHOUT = Reason(
    "called-without",
    "a call leaves out `{}`, which could not be left out any more",
    "Pass it in that call.",
)
CALLED_BY_POSITION = Reason(
    "called-by-position",
    "a call passes by position what would stand elsewhere",
    "Pass every argument by name in that call.",
)
UNSEEN_CALL = Reason(
    "unseen-call",
    "{}, so that it may be called directly in a way that is not seen",
    "Rewrite it by hand if every call passes all of its parameters by name.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename that.",
)
COMMENT_LOST = Reason(
    "comment-lost",
    "the comment `{}` is in a part that the rewrite leaves out",
    "Move the comment above the function.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
