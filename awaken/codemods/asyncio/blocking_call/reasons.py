"""The reasons for which a blocking call stays, and what helps."""

from __future__ import annotations

from awaken.contract import Reason
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN

BLOCKS = Reason(
    "blocks",
    "`{}` blocks the event loop",
    "Move it into a function, and run it in a thread: `await asyncio.to_thread(...)`. Or "
    "use an asynchronous library.",
)
OLD_PYTHON = Reason(
    "old-python",
    "`{}` blocks the event loop, and `asyncio.to_thread()` needs Python 3.9",
    "Await `loop.run_in_executor(None, ...)`.",
)
OTHER_LOOP = Reason(
    "other-loop",
    "`{}` blocks the event loop, which may be a trio loop",
    "Await `sleep()` or `to_thread.run_sync()` of the library that runs the loop.",
)
THROUGH = Reason(
    "through-functions",
    "{}, which blocks the event loop",
    "Run the function in a thread with `await asyncio.to_thread(...)`, or make it a "
    "coroutine function.",
)

ALL = (BLOCKS, INSIDE_FSTRING, NAME_TAKEN, OLD_PYTHON, OTHER_LOOP, THROUGH)
