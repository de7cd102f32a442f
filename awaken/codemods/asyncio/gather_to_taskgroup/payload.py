"""What the rewriter of a gather is told: how each argument is started, and what is done then."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Started(Struct, frozen=True):
    """How one argument of the gather is started.

    ``one``: a coroutine, whose task is kept as ``name`` if there is one. Of a starred argument,
    ``items``: the items of a comprehension or a display are started in place; ``loop``: a ``for``
    statement stands for the comprehension; ``each``: a loop over the argument, whose items are
    called ``name``. ``is_task``: what is passed, or each item, is ``create_task(coroutine)``.
    """

    how: Literal["one", "items", "loop", "each"]
    name: str = ""
    is_task: bool = False


class GroupCode(Struct, frozen=True):
    """The task group that takes the place of a gather, in the statement around it.

    ``awaits`` is which ``await`` of the statement it is, from 0, and ``func`` what is called there.
    ``opens`` makes the group, which is called ``group``. ``error`` names the exception group of
    which the first exception is raised; empty where nothing is unwrapped. ``tasks`` is the list
    that holds all tasks, if one does. ``results`` is the code that stands for the ``await``; empty
    if nobody uses what it gives.
    """

    awaits: int
    func: str
    opens: str
    group: str
    started: tuple[Started, ...]
    error: str = ""
    tasks: str = ""
    results: str = ""
