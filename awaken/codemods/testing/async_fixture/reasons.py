"""Why an asynchronous fixture stays as it is."""

from __future__ import annotations

from awaken.contract import Reason

AWAITED_BY_HAND = Reason(
    "awaited-by-hand",
    "`{}` itself awaits the fixture or iterates over it",
    "Use the value of the fixture there, then decorate the fixture with `@pytest_asyncio.fixture`.",
)
OTHER_PLUGIN = Reason(
    "other-plugin",
    "{} may run the fixture",
    "If pytest-asyncio should run the fixture, decorate it with `@pytest_asyncio.fixture`.",
)
SEVERAL_RUNNERS = Reason(
    "several-runners",
    "`{}` runs under AnyIO, and other tests that request the fixture do not",
    "Write one fixture for each plugin, or run all these tests under one plugin.",
)
OTHER_LOOP = Reason(
    "other-loop",
    "{}, so the fixture would run in another event loop than its tests",
    "Give these tests and the fixture one `loop_scope`, or the fixture the scope of the tests.",
)
OTHER_DECORATORS = Reason(
    "other-decorators",
    "`{}` also decorates the fixture",
    "Make the fixture a plain coroutine function or asynchronous generator first.",
)
OTHER_ARGUMENTS = Reason(
    "other-arguments",
    "`pytest_asyncio.fixture` does not take `{}` in this form",
    "Write the arguments of the fixture as keywords with constant values.",
)
SETTINGS_UNREAD = Reason(
    "settings-unread",
    "`{}` may configure pytest-asyncio, and awaken does not read it",
    "In strict mode, decorate it with `@pytest_asyncio.fixture`.",
)
