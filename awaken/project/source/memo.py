"""Answers that are kept, for functions that give the same ones to the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from awaken.workspace.parsing import deep_recursion

Owner = TypeVar("Owner")
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Item = TypeVar("Item")

_DEEPEST = 100
"""Calls of a function inside of itself. Each takes ten frames or less, of 10,000 in all."""
_UNKNOWN: Any = object()
"""In place of an answer that is not kept yet."""


def cached_method(
    method: Callable[Concatenate[Owner, Asked], Answer],
) -> Callable[Concatenate[Owner, Asked], Answer]:
    """Return a method that runs once for the same arguments; its object keeps the answers.

    The table does not lead back to the object. So no collection of garbage is needed to free it.
    """
    return _with_cache(method, None)


def cached_items(
    method: Callable[Concatenate[Owner, Asked], Iterable[Item]],
) -> Callable[Concatenate[Owner, Asked], tuple[Item, ...]]:
    """Return the same for a generator: its object keeps all items."""

    @wraps(method)
    def items(owner: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> tuple[Item, ...]:
        return tuple(method(owner, *asked, **named))

    return _with_cache(items, None)


def cached_by(
    key: Callable[..., Hashable], *meanwhile: Any
) -> Callable[
    [Callable[Concatenate[Owner, Asked], Answer]], Callable[Concatenate[Owner, Asked], Answer]
]:
    """Return the same for methods that give one answer to all arguments with the same ``key``.

    A question that leads back to itself gets the answer ``meanwhile`` there.
    """
    return lambda method: _with_cache(method, key, *meanwhile)


def _with_cache(
    method: Callable[Concatenate[Owner, Asked], Answer],
    key: Callable[..., Hashable] | None,
    *meanwhile: Answer,
) -> Callable[Concatenate[Owner, Asked], Answer]:
    table = f"answers of {method.__qualname__}"

    @wraps(method)
    def cached_answer(owner: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> Answer:
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

    return cast("Callable[Concatenate[Owner, Asked], Answer]", cached_answer)


def recursive(
    meanwhile: Callable[..., Any] = lambda *_: None, deepest: int = _DEEPEST
) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Answer]]:
    """Return a function that follows a program which may lead back to where it is.

    Until the outermost call returns, it runs once for the same arguments. So its work is at most
    that of the program. Where it leads back, or is called inside of ``deepest`` calls of itself,
    ``meanwhile`` answers: that it is unknown.
    """

    def decorate(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
        answers: dict[Hashable, Answer] = {}
        active: set[Hashable] = set()

        @wraps(function)
        def answered(*asked: Asked.args, **named: Asked.kwargs) -> Answer:
            key = (*asked, *named.items()) if named else asked
            if key in answers:
                return answers[key]
            if key in active or len(active) == deepest:
                return cast("Answer", meanwhile(*asked, **named))
            active.add(key)
            try:
                with deep_recursion():
                    answers[key] = function(*asked, **named)
                return answers[key]
            finally:
                active.discard(key)
                if not active:
                    answers.clear()

        return answered

    return decorate


def recursive_items(
    function: Callable[Asked, Iterable[Item]],
) -> Callable[Asked, tuple[Item, ...]]:
    """Return the same for a generator: each item once, and none where it leads back."""

    @recursive(lambda *_: ())
    @wraps(function)
    def items(*asked: Asked.args, **named: Asked.kwargs) -> tuple[Item, ...]:
        return tuple(dict.fromkeys(function(*asked, **named)))

    return items
