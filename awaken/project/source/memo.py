"""Answers that an object keeps, for methods that give the same ones to the same arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

Owner = TypeVar("Owner")
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def cached_method(
    method: Callable[Concatenate[Owner, Asked], Answer],
) -> Callable[Concatenate[Owner, Asked], Answer]:
    """Return a method that runs once for the same arguments; its object keeps the answers.

    The table does not lead back to the object. So no collection of garbage is needed to free it.
    """
    table = f"answers of {method.__qualname__}"

    @wraps(method)
    def kept(owner: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> Answer:
        answers: dict[tuple[Any, ...], Answer] = owner.__dict__.setdefault(table, {})
        key = (*asked, *named.items())
        if key not in answers:
            answers[key] = method(owner, *asked, **named)
        return answers[key]

    return cast("Callable[Concatenate[Owner, Asked], Answer]", kept)
