"""The reasons for which a `class Config` or an import stays, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

CONFIG_METHOD = Reason(
    "config-method",
    "`{}` is a method of Config, which pydantic 2 never calls",
    "Move its code to the settings class, then remove it.",
)
REMOVED_KEY = Reason("removed-key", "`{}` has no effect since pydantic 2", "Remove it.")
UNKNOWN_KEY = Reason(
    "unknown-key",
    "`{}` is not a setting of pydantic 2, so nothing reads it",
    "Remove it, or move it to the top of the file if other settings use it.",
)
COMPUTED_CONFIG = Reason(
    "computed-config",
    "`{}` in Config is not a simple assignment",
    "Compute it above the class, so that Config has only simple assignments.",
)
CLASS_SCOPE = Reason(
    "class-scope",
    "`{}` has different meanings in the settings class and in its Config",
    "Give one of the two another name.",
)
CONFIG_INHERITS = Reason(
    "config-inherits",
    "Config inherits from `{}`, whose settings would be lost",
    "Copy these settings into this Config.",
)
CONFIG_READ = Reason(
    "config-read",
    "`{}` may read this Config, and the rewrite removes the class",
    "Read `model_config` instead, which has the same settings as items.",
)
TWO_CONFIGS = Reason(
    "two-configs",
    "the class also has a `model_config`, and pydantic rejects both together",
    "Remove one of them.",
)
BESIDE_ANOTHER = Reason(
    "beside-another",
    "Config inherits from or is inherited by another Config, which stays: {}",
    "Rewrite both by hand, or fix the other one first.",
)
BOTH_VERSIONS = Reason(
    "both-versions",
    "the file imports BaseSettings in a way that also supports pydantic 1",
    "Import it only from `pydantic_settings`.",
)
COMMENT_LOST = Reason(
    "comment-lost",
    "the rewrite would remove a comment in the import",
    "Move the comment above the statement.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
