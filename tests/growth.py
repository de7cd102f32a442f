"""Growth measured in steps: calls of Python and C functions, the same on every machine."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable


def steps(action: Callable[[], object]) -> int:
    """Return how many functions ``action`` calls; generators count whenever they go on.

    The collector of garbage rests meanwhile: it calls what others left behind, at any time.
    """
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        if event in {"call", "c_call"}:
            count += 1

    before, collected = sys.getprofile(), gc.isenabled()
    gc.disable()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
        if collected:
            gc.enable()
    return count
