"""The reasons for which a `class Config` or an import stays, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

CONFIG_METHOD = Reason(
    "config-method",
    "`{}` is a method of Config, which pydantic 2 never calls",
    "Move what it does to the settings class, then remove it.",
)
REMOVED_KEY = Reason(
    "removed-key",
    "`{}` has no effect since pydantic 2",
    "Remove it.",
)
UNKNOWN_KEY = Reason(
    "unknown-key",
    "`{}` is no setting of pydantic 2, so that nothing reads it",
    "Remove it, or move it to the top of the file if other settings are made of it.",
)
COMPUTED_CONFIG = Reason(
    "computed-config",
    "`{}` in Config is more than a name with a value",
    "Work it out above the class, so that Config holds only names with values.",
)
CLASS_SCOPE = Reason(
    "class-scope",
    "`{}` means another thing in the settings class than in its Config",
    "Give one of the two another name.",
)
CONFIG_INHERITS = Reason(
    "config-inherits",
    "Config inherits from `{}`, whose settings would be lost",
    "Write these settings into this Config.",
)
CONFIG_READ = Reason(
    "config-read",
    "`{}` may read this Config, which is no class afterwards",
    "Read `model_config` instead, which has the same settings as items.",
)
TWO_CONFIGS = Reason(
    "two-configs",
    "the class has a `model_config` as well, which pydantic refuses",
    "Remove one of them.",
)
BESIDE_ANOTHER = Reason(
    "beside-another",
    "Config and that of another class belong together by inheritance, and that one stays: {}",
    "Rewrite both by hand, or mend the other one first.",
)
BOTH_VERSIONS = Reason(
    "both-versions",
    "the file imports BaseSettings in a way that serves pydantic 1 as well",
    "Import it from `pydantic_settings` alone.",
)
COMMENT_LOST = Reason(
    "comment-lost",
    "a comment is in the part of the import that is removed",
    "Move the comment above the statement.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
