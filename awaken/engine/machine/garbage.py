"""The collection of garbage: each time all objects are visited, and hardly any is free."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Collect no garbage meanwhile: imported modules and trees are many objects, and they stay.

    Code that parses many files collects by itself (``project/source/programs``).
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
