"""The reasons for which a blocking call stays, and what helps."""

from __future__ import annotations

from awaken.contract import Reason
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN

BLOCKS = Reason(
    "blocks",
    "`{}` holds up the event loop",
    "Put all of it into a function, and await that in a thread: `asyncio.to_thread(...)`. Or use a "
    "library that can be awaited.",
)
OLD_PYTHON = Reason(
    "old-python",
    "`{}` holds up the event loop, and `asyncio.to_thread()` needs Python 3.9",
    "Await `loop.run_in_executor(None, ...)`.",
)
OTHER_LOOP = Reason(
    "other-loop",
    "`{}` holds up the event loop, which may be one of trio",
    "Await `sleep()` or `to_thread.run_sync()` of the library whose loop it is.",
)
THROUGH = Reason(
    "through-functions",
    "{}, which holds up the event loop",
    "Await the function in a thread, with `asyncio.to_thread(...)`, or make it a coroutine "
    "function.",
)

ALL = (BLOCKS, INSIDE_FSTRING, NAME_TAKEN, OLD_PYTHON, OTHER_LOOP, THROUGH)
