"""Answers that an object keeps, for methods that give the same ones to the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Hashable
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


def cached_by(
    key: Callable[..., Hashable],
) -> Callable[
    [Callable[Concatenate[Owner, Asked], Answer]], Callable[Concatenate[Owner, Asked], Answer]
]:
    """Return the same for methods that give one answer to all arguments with the same ``key``."""

    def decorated(
        method: Callable[Concatenate[Owner, Asked], Answer],
    ) -> Callable[Concatenate[Owner, Asked], Answer]:
        table = f"answers of {method.__qualname__}"

        @wraps(method)
        def kept(owner: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> Answer:
            answers: dict[Hashable, Answer] = owner.__dict__.setdefault(table, {})
            of = key(*asked, **named)
            if of not in answers:
                answers[of] = method(owner, *asked, **named)
            return answers[of]

        return cast("Callable[Concatenate[Owner, Asked], Answer]", kept)

    return decorated
