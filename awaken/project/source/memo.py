"""Answers that an object keeps, for methods that give the same ones to the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

Owner = TypeVar("Owner")
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Item = TypeVar("Item")

_UNKNOWN: Any = object()
"""In place of an answer that is not kept yet."""


def cached_method(
    method: Callable[Concatenate[Owner, Asked], Answer],
) -> Callable[Concatenate[Owner, Asked], Answer]:
    """Return a method that runs once for the same arguments; its object keeps the answers.

    The table does not lead back to the object. So no collection of garbage is needed to free it.
    """
    return _cached(method, None)


def cached_items(
    method: Callable[Concatenate[Owner, Asked], Iterable[Item]],
) -> Callable[Concatenate[Owner, Asked], tuple[Item, ...]]:
    """Return the same for a generator: its object keeps all items."""

    @wraps(method)
    def items(owner: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> tuple[Item, ...]:
        return tuple(method(owner, *asked, **named))

    return _cached(items, None)


def cached_by(
    key: Callable[..., Hashable], *meanwhile: Any
) -> Callable[
    [Callable[Concatenate[Owner, Asked], Answer]], Callable[Concatenate[Owner, Asked], Answer]
]:
    """Return the same for methods that give one answer to all arguments with the same ``key``.

    A question that leads back to itself gets the answer ``meanwhile`` there.
    """
    return lambda method: _cached(method, key, *meanwhile)


def _cached(
    method: Callable[Concatenate[Owner, Asked], Answer],
    key: Callable[..., Hashable] | None,
    *meanwhile: Answer,
) -> Callable[Concatenate[Owner, Asked], Answer]:
    table = f"answers of {method.__qualname__}"

    @wraps(method)
    def kept(owner: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> Answer:
        answers: dict[Hashable, Any] | None = owner.__dict__.get(table)
        if answers is None:
            answers = owner.__dict__[table] = {}
        # Not by a function of its own: that costs a call for each answer.
        if key is not None:
            of: Hashable = key(*asked, **named)
        else:
            of = (*asked, *named.items()) if named else asked
        answer: Answer = answers.get(of, _UNKNOWN)
        if answer is _UNKNOWN:
            if meanwhile:
                answers[of] = meanwhile[0]
            answer = answers[of] = method(owner, *asked, **named)
        return answer

    return cast("Callable[Concatenate[Owner, Asked], Answer]", kept)
