"""Payload of the gather rewriter: how each argument starts, and what happens to its result."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Started(Struct, frozen=True):
    """How one argument of the gather is started.

    ``one``: a coroutine, whose task is kept as ``name`` if there is one. For a starred argument,
    ``items``: the items of a comprehension are started in place; ``loop``: a ``for`` statement
    replaces the comprehension; ``each``: a loop over the argument, whose items are called ``name``.
    ``is_task``: what is passed, or each item, is ``create_task(coroutine)``.
    """

    how: Literal["one", "items", "loop", "each"]
    name: str = ""
    is_task: bool = False


class Results(Struct, frozen=True):
    """The code that replaces the ``await`` of a gather, in the statement around it.

    ``awaits`` is which ``await`` of the statement it is, from 0, and ``func`` what is called there.
    ``inside`` says that the gather is the first argument of that call. ``code`` replaces the
    ``await``; it is empty if nothing uses the result. ``item``: the statement is a loop over that,
    which becomes one over the tasks, each called by this name.
    """

    awaits: int
    func: str
    code: str = ""
    inside: bool = False
    item: str = ""


class GroupCode(Struct, frozen=True):
    """The task group that takes the place of a gather, in front of the statement around it.

    ``results`` says how that is written; None where the edited statement makes the list that is
    gathered below it. ``unpacks``: the elements of that list, or of the starred one in the call,
    are started. ``opens`` makes the group, which is called ``group``; ``within`` is the time limit
    around it, if there is one. ``error`` names the exception group of which the first exception is
    raised; empty where nothing is unwrapped. ``tasks`` is the list that holds all tasks, if one
    does; ``drops``: a loop fills it, and nothing else reads it.
    """

    results: Results | None
    opens: str
    group: str
    started: tuple[Started, ...]
    within: str = ""
    error: str = ""
    tasks: str = ""
    unpacks: bool = False
    drops: bool = False
