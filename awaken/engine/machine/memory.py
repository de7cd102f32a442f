"""The memory of a run: garbage, of which there is hardly any, and the frames of deep calls."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_WORDS = 1 << 19
"""The stack that a frame asks for, in words. It gets the next power of two, so what it calls has
4 MB: 300 questions inside of each other take 3 MB."""


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


def with_room(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return ``function``, all of whose calls have their frames in one piece of memory.

    Otherwise CPython has pieces of 16 KB (``push_chunk`` in ``Python/pystate.c``). Calls over the
    end of one map and unmap the next: 1.9 million times for neutron.
    """

    @wraps(function)
    def call_function(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return function(*args, **kwargs)

    call_function.__code__ = call_function.__code__.replace(co_stacksize=_WORDS)  # type: ignore[attr-defined]
    return call_function
