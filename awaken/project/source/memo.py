"""Answers that are kept, each with its evidence, which the next asker takes over.

`RECORDER` holds the record of the answer that is being worked out. A record has notes of files, and
the records of all answers on the way. So all units share tables of answers. Each unit has the
evidence of its own answers, also of those that another unit asked for first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from awaken.workspace.parsing import deep_recursion

Owner = TypeVar("Owner")
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_DEEPEST = 100
"""Calls of a function inside of itself. Each takes ten frames or less, of 10,000 in all."""


_SHORT = 8
"""Notes that are copied in place of a reference to their record."""


class Record:
    """The evidence of an answer: its own ``notes`` of files, and the records of other answers.

    Answers that lead back to each other have records that do, too.
    """

    __slots__ = ("is_short", "notes", "parts")

    def __init__(self) -> None:
        self.notes: dict[Any, Any] = {}
        self.parts: dict[Record, None] = {}
        self.is_short = False

    def all_notes(self) -> dict[Any, Any]:
        """Return the notes of this record and of all that it leads to."""
        notes, seen, waiting = dict[Any, Any](), {self}, [self]
        while waiting:
            record = waiting.pop()
            notes.update(record.notes)
            new = [part for part in record.parts if part not in seen]
            seen.update(new)
            waiting += new
        return notes


class _Recorder:
    """Holds the record of the answer that is being worked out; None outside of all."""

    __slots__ = ("current",)

    def __init__(self) -> None:
        self.current: Record | None = None

    def note(self, key: Any, answer: Any) -> None:
        """Note what was seen of the files."""
        if self.current is not None:
            self.current.notes[key] = answer

    def add(self, record: Record | None) -> None:
        """Take over the record of an answer that was kept."""
        if self.current is not None and record is not None:
            self.current.parts[record] = None

    @contextmanager
    def without_record(self) -> Iterator[None]:
        """Have answers worked out for later: only who asks for them takes over their records."""
        outer, self.current = self.current, None
        try:
            yield
        finally:
            self.current = outer

    @contextmanager
    def separate_record(self) -> Iterator[Record]:
        """Have an answer worked out with a record that nobody takes over."""
        outer, self.current = self.current, Record()
        try:
            yield self.current
        finally:
            self.current = outer

    @contextmanager
    def with_record(self, record: Record | None = None) -> Iterator[Record]:
        """Have an answer worked out with a record, which whoever asks takes over.

        One that is given goes on being filled: it may be recorded in several times.
        """
        outer = self.current
        own = self.current = Record() if record is None else record
        try:
            yield own
        finally:
            self.current = outer
            self.add(record or kept_record(own))


RECORDER = _Recorder()


def kept_record(record: Record) -> Record | None:
    """Return what is kept of a finished record: None if it is empty, its only part if it is one.

    It takes over the notes of short parts, so that fewer records are gone through later.
    """
    notes, parts = record.notes, record.parts
    if parts:
        if len(parts) == 1 and not notes:
            return next(iter(parts))
        short = [part for part in parts if part.is_short]
        for part in short:
            notes.update(part.notes)
            del parts[part]
    elif not notes:
        return None
    record.is_short = not parts and len(notes) <= _SHORT
    return record


class Recorded(MutableMapping[Key, Value], Generic[Key, Value]):
    """A table of answers with their records: reading one takes its record over.

    An answer gets the record of what is being worked out where it is put.
    """

    def __init__(self) -> None:
        self._answers: dict[Key, tuple[Value, Record | None]] = {}

    def __getitem__(self, key: Key) -> Value:
        value, record = self._answers[key]
        RECORDER.add(record)
        return value

    def __setitem__(self, key: Key, value: Value) -> None:
        self._answers[key] = value, RECORDER.current

    def __delitem__(self, key: Key) -> None:
        del self._answers[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, key: object) -> bool:
        return key in self._answers


def cached_method(
    method: Callable[Concatenate[Owner, Asked], Answer],
) -> Callable[Concatenate[Owner, Asked], Answer]:
    """Return a method that runs once for the same arguments; its object keeps the answers.

    The table does not lead back to the object. So no collection of garbage is needed to free it.
    """
    return _with_cache(method, None)


class cached_property(Generic[Answer]):  # noqa: N801  written as functools.cached_property is
    """A property that is worked out once, and whose evidence whoever reads it takes over."""

    def __init__(self, work_out: Callable[[Any], Answer]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self._kept = f"value of {work_out.__name__}"
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> cached_property[Answer]: ...

    @overload
    def __get__(self, owner: object, kind: type[Any]) -> Answer: ...

    def __get__(self, owner: object | None, kind: type[Any]) -> Answer | cached_property[Answer]:
        """Return the value, kept with its owner."""
        if owner is None:
            return self
        kept = owner.__dict__.get(self._kept)
        if kept is None:
            with RECORDER.with_record() as own:
                answer: Answer = self._work_out(owner)
            record = kept_record(own)
            if record is None:
                # From now on Python itself finds what depends on no file.
                owner.__dict__[self._name] = answer
            else:
                owner.__dict__[self._kept] = answer, record
            return answer
        answer, record = kept
        RECORDER.add(record)
        return answer


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
        answers: dict[Hashable, tuple[Any, Record | None]] | None = owner.__dict__.get(table)
        if answers is None:
            answers = owner.__dict__[table] = {}
        # Not by a function of its own: that costs a call for each answer.
        if key is not None:
            of: Hashable = key(*asked, **named)
        else:
            of = (*asked, *named.items()) if named else asked
        outer = RECORDER.current
        kept = answers.get(of)
        if kept is not None:
            answer, record = kept
            if outer is not None and record is not None:
                outer.parts[record] = None
            return cast("Answer", answer)
        # By hand: a context manager takes longer than most answers.
        own = RECORDER.current = Record()
        if meanwhile:
            answers[of] = meanwhile[0], own
        try:
            answer = method(owner, *asked, **named)
        finally:
            RECORDER.current = outer
            record = kept_record(own)
            if outer is not None and record is not None:
                outer.parts[record] = None
        answers[of] = answer, record
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
        answers: dict[Hashable, tuple[Answer, Record | None]] = {}
        active: dict[Hashable, Record] = {}

        @wraps(function)
        def answered(*asked: Asked.args, **named: Asked.kwargs) -> Answer:
            key = (*asked, *named.items()) if named else asked
            if key in answers:
                answer, record = answers[key]
                RECORDER.add(record)
                return answer
            if key in active or len(active) == deepest:
                RECORDER.add(active.get(key))
                return cast("Answer", meanwhile(*asked, **named))
            own = active[key] = Record()
            try:
                with deep_recursion(), RECORDER.with_record(own):
                    answer = function(*asked, **named)
                answers[key] = answer, kept_record(own)
                return answer
            finally:
                del active[key]
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


class of_file(Generic[Value]):  # noqa: N801  written as functools.cached_property is
    """A property that the file alone decides: worked out once for all copies of a module."""

    def __init__(self, work_out: Callable[[Any], Value]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, module: None, owner: type[Any]) -> of_file[Value]: ...

    @overload
    def __get__(self, module: object, owner: type[Any]) -> Value: ...

    def __get__(self, module: Any, owner: type[Any]) -> Value | of_file[Value]:
        """Return the value, kept with the file."""
        if module is None:
            return self
        if self not in module.own:
            # It is no answer by itself: the methods that hand out parts of it note them.
            with RECORDER.without_record():
                module.own[self] = self._work_out(module)
        value: Value = module.own[self]
        # From now on Python finds it in the copy itself.
        module.__dict__[self._work_out.__name__] = value
        return value


def cached_in_file(
    work_out: Callable[Concatenate[Owner, Asked], Value],
) -> Callable[Concatenate[Owner, Asked], Value]:
    """Return a function of one file that runs once for the same nodes or names."""

    @wraps(work_out)
    def answer(module: Owner, /, *asked: Asked.args, **named: Asked.kwargs) -> Value:
        key = work_out, *asked, *named.items()
        own: dict[Hashable, Any] = module.own  # type: ignore[attr-defined]
        return kept_answer(own, key, lambda: work_out(module, *asked, **named))

    return answer


def kept_answer(answers: dict[Hashable, Any], key: Hashable, find: Callable[[], Value]) -> Value:
    """Return the answer with its ``key``, which ``find`` gives the first time."""
    kept: tuple[Value, Record | None] | None = answers.get(key)
    if kept is None:
        with RECORDER.with_record() as own:
            value = find()
        answers[key] = value, kept_record(own)
        return value
    RECORDER.add(kept[1])
    return kept[0]
