"""Answers that an object keeps, for methods that give the same ones to the same arguments.

They lead back to the object, which then is freed by a collection of garbage only. So an object
that holds trees, and is made for one unit, has tables of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, partial
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def cached_method(
    method: Callable[Concatenate[Any, Asked], Answer],
) -> cached_property[Callable[Asked, Answer]]:
    """Return a method that runs once for the same arguments; its object keeps the answers."""

    def answers(owner: object) -> Callable[Asked, Answer]:
        return cast("Callable[Asked, Answer]", cache(partial(method, owner)))

    return cached_property(answers)
