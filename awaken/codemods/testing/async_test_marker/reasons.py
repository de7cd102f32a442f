"""Why a coroutine test stays without a mark."""

from __future__ import annotations

from awaken.contract import Reason

NO_PLUGIN = Reason(
    "no-plugin",
    "nothing in this program runs coroutine tests{}",
    "Add pytest-asyncio, or mark them with `@pytest.mark.anyio` if AnyIO is installed.",
)
TWO_PLUGINS = Reason(
    "two-plugins",
    "the tests use both pytest-asyncio and AnyIO, and nothing says which one runs `{}`",
    "Mark it with `@pytest.mark.asyncio` or with `@pytest.mark.anyio`.",
)
YIELDS = Reason(
    "yields",
    "`{}` yields, and no plugin runs a test that yields",
    "Assert in the test itself, or make it a fixture.",
)
UNKNOWN_CLASS = Reason(
    "unknown-class",
    "a base class of `{}` is outside the project, and may run its tests",
    "If its class is not a `unittest.TestCase`, mark the test.",
)
OTHER_LOOP = Reason(
    "other-loop",
    "the fixtures of the test run in event loops of the scopes {}",
    "Give the fixtures and the mark one `loop_scope`.",
)
SETTINGS_UNREAD = Reason(
    "settings-unread",
    "`{}` may configure pytest-asyncio, and awaken does not read it",
    "In strict mode, mark it with `@pytest.mark.asyncio`.",
)
