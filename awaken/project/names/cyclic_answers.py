"""Answers to questions that lead to other questions, in circles as well: each is answered once.

A question is a generator: it yields the questions that it needs, is sent their answers, and returns
its own. Nothing recurses, so chains may be of any length. Questions that need each other are
``circular``: they are repeated until no answer changes. The result does not depend on the order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from awaken.project.source.memo import RECORDER, Record
from awaken.project.source.worklist import components

Question = TypeVar("Question", bound=Hashable)
Value = TypeVar("Value")


class Answer(NamedTuple, Generic[Value]):
    """The known answer to a question; ``circular`` if it needs the current one, as far as known."""

    value: Value
    circular: bool


class _Records(dict[Question, Record]):
    """The records of questions that are answered together."""

    def __missing__(self, question: Question) -> Record:
        record = self[question] = Record()
        return record


class Circles(Generic[Question, Value]):
    """Answers questions, and keeps the answers in the memory that each has.

    ``ask`` starts a question, ``memory`` is where its answer is kept. In a circle each answer
    begins as ``nothing``, is ``joined`` with what the question returns each time, which must end
    after a few, and is ``finished`` once.
    """

    def __init__(
        self,
        ask: Callable[[Question], Generator[Question, Answer[Value], Value]],
        memory: Callable[[Question], dict[Hashable, tuple[Value, Record]]],
        nothing: Value,
        joined: Callable[[Value, Value], Value],
        finished: Callable[[Question, Value], Value],
    ) -> None:
        self._ask = ask
        self._memory = memory
        self._nothing = nothing
        self._joined = joined
        self._finished = finished

    def answer(self, question: Question) -> Value:
        """Return the answer to ``question``."""
        memory = self._memory(question)
        if question not in memory:
            self._solve(question)
        value, record = memory[question]
        RECORDER.add(record)
        return value

    def _solve(self, root: Question) -> None:
        """Answer ``root`` and all that it needs; the needed ones come first."""
        first, in_itself = dict[Question, Value](), set[Question]()
        records = _Records[Question]()

        def needed_questions(question: Question) -> Iterator[Question]:
            for other in self._needed_questions(question, {}, first, records):
                in_itself.update([other] if other == question else [])
                yield other

        for circle in components([root], needed_questions):
            if len(circle) > 1 or circle[0] in in_itself:
                for item, value in self._iterated_values(circle, records).items():
                    self._memory(item)[item] = self._finished(item, value), records[item]
            else:
                # It needs no question that needs it, so the first answer is final.
                item = circle[0]
                self._memory(item)[item] = first[item], records[item]

    def _iterated_values(
        self, circle: list[Question], records: _Records[Question]
    ) -> dict[Question, Value]:
        """Ask the questions of a circle until no answer changes."""
        values, again = dict.fromkeys(circle, self._nothing), dict[Question, Value]()
        readers: dict[Question, dict[Question, None]] = {item: {} for item in circle}
        waiting, queued = deque(circle), set(circle)
        while waiting:
            question = waiting.popleft()
            queued.discard(question)
            for other in self._needed_questions(question, values, again, records):
                # Noted, so that only those who read an answer are asked again when it changes.
                readers[other][question] = None
            value = self._joined(values[question], again[question])
            if value != values[question]:
                values[question] = value
                waiting.extend(reader for reader in readers[question] if reader not in queued)
                queued.update(readers[question])
        return values

    def _needed_questions(
        self,
        question: Question,
        current: Mapping[Question, Value],
        result: dict[Question, Value],
        records: _Records[Question],
    ) -> Iterator[Question]:
        """Ask a question, yield those without an answer that it needs, and set its ``result``.

        One that has no answer after that either is circular; ``current`` has its value.
        """
        record = records[question]
        try:
            with RECORDER.with_record(record):
                generator = self._ask(question)
                needed = next(generator)
            while True:
                memory = self._memory(needed)
                if needed not in memory:
                    yield needed
                value, own = memory.get(needed) or (current.get(needed, self._nothing), None)
                record.parts[own or records[needed]] = None
                with RECORDER.with_record(record):
                    needed = generator.send(Answer(value, needed not in memory))
        except StopIteration as done:
            result[question] = done.value
