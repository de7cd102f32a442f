"""The reasons for which parameters keep their marker as default, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

NO_TYPE = Reason(
    "no-type",
    "`{}` has no type annotation",
    "Annotate the parameter with its type.",
)
ANNOTATED_ALREADY = Reason(
    "annotated-already",
    "`{}` is already Annotated",
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
    "Remove `from __future__ import annotations`, or define the name at the top of the file.",
)
REBOUND_NAMES = Reason(
    "rebound-names",
    "`{}` is assigned more than once, and FastAPI evaluates this file's annotations after "
    "its defaults",
    "Give each value its own name.",
)
UNBOUND_NAMES = Reason(
    "unbound-names",
    "`{}` may not exist when FastAPI evaluates the annotation",
    "Import or define it above the function, outside of `if TYPE_CHECKING:`.",
)
NOT_NONE = Reason(
    "not-none",
    "the default of `{}` is None, but its type does not allow None",
    "Write `X | None`. The OpenAPI schema then shows the parameter as nullable.",
)
UNREAD_MARKER = Reason(
    "unread-marker",
    "the arguments of `{}` are unpacked, so awaken cannot tell them apart",
    "Write out the arguments.",
)
NO_ORDER = Reason(
    "no-order",
    "without its default, `{}` would have to come before other parameters, and it cannot move",
    "Move the parameters without a default to the front.",
)
CALLED_WITHOUT = Reason(
    "called-without",
    "a call leaves out `{}`, which the rewrite would make required",
    "Pass it in that call.",
)
CALLED_BY_POSITION = Reason(
    "called-by-position",
    "a call passes an argument by position, and the rewrite would change that position",
    "Pass every argument of that call by name.",
)
UNSEEN_CALL = Reason(
    "unseen-call",
    "{}, so awaken may miss direct calls of it",
    "If every call passes all parameters by name, rewrite it by hand.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename that.",
)
COMMENT_LOST = Reason(
    "comment-lost",
    "the rewrite would remove the comment `{}`",
    "Move the comment above the function.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
