"""Answers to questions that lead to other questions, in circles as well: each is answered once.

A question is a generator: it yields the questions that it needs, is sent their answers, and returns
its own. Nothing recurses, so chains may be of any length. Questions that need each other are
``circular``: they are repeated until no answer changes. The result does not depend on the order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Hashable
from typing import Generic, NamedTuple, TypeVar

Question = TypeVar("Question", bound=Hashable)
Value = TypeVar("Value")


class Answer(NamedTuple, Generic[Value]):
    """The known answer to a question; ``circular`` if it needs the current one, as far as known."""

    value: Value
    circular: bool


class Circles(Generic[Question, Value]):
    """Answers questions, and keeps the answers in the memory that each has.

    ``ask`` starts a question, ``memory`` is where its answer is kept. In a circle each answer
    begins as ``nothing``, is ``joined`` with what the question returns each time, which must end
    after a few, and is ``finished`` once.
    """

    def __init__(
        self,
        ask: Callable[[Question], Generator[Question, Answer[Value], Value]],
        memory: Callable[[Question], dict[Hashable, Value]],
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
        return memory[question]

    def _solve(self, root: Question) -> None:
        """Answer ``root`` and all that it needs: Tarjan's strongly connected components."""
        asking = [(root, self._ask(root))]
        # Tarjan's numbers: when it was asked, and the earliest open question that it leads to.
        order, lowest = {root: 0}, {root: 0}
        open_ones, sent = [root], None
        circular: set[Question] = set()
        while asking:
            question, generator = asking[-1]
            try:
                needed = next(generator) if sent is None else generator.send(sent)
            except StopIteration as done:
                asking.pop()
                if asking:
                    above = asking[-1][0]
                    lowest[above] = min(lowest[above], lowest[question])
                # Unless a circle ends here, it leads back to a question that is still open.
                sent = Answer(self._nothing, True)
                if lowest[question] == order[question]:
                    sent = self._close(question, done.value, open_ones, circular)
                continue
            memory = self._memory(needed)
            if needed in memory:
                sent = Answer(memory[needed], False)
            elif needed in order:
                lowest[question] = min(lowest[question], order[needed])
                circular.add(needed)
                sent = Answer(self._nothing, True)
            else:
                order[needed] = lowest[needed] = len(order)
                open_ones.append(needed)
                asking.append((needed, self._ask(needed)))
                sent = None

    def _close(
        self,
        question: Question,
        value: Value,
        open_ones: list[Question],
        circular: set[Question],
    ) -> Answer[Value]:
        """Keep the answers to ``question`` and to all that need it and that it needs."""
        # It needs no question that needs it, so the first answer is final.
        if open_ones[-1] is question and question not in circular:
            self._memory(open_ones.pop())[question] = value
            return Answer(value, False)
        start = open_ones.index(question)
        values = self._iterated_values(open_ones[start:])
        del open_ones[start:]
        for item, result in values.items():
            self._memory(item)[item] = self._finished(item, result)
        return Answer(self._memory(question)[question], False)

    def _iterated_values(self, circle: list[Question]) -> dict[Question, Value]:
        """Ask the questions of a circle until no answer changes."""
        values = dict.fromkeys(circle, self._nothing)
        readers: dict[Question, dict[Question, None]] = {item: {} for item in circle}
        waiting, queued = deque(circle), set(circle)
        while waiting:
            question = waiting.popleft()
            queued.discard(question)
            value = self._joined(values[question], self._asked_again(question, values, readers))
            if value != values[question]:
                values[question] = value
                waiting.extend(reader for reader in readers[question] if reader not in queued)
                queued.update(readers[question])
        return values

    def _asked_again(
        self,
        question: Question,
        values: dict[Question, Value],
        readers: dict[Question, dict[Question, None]],
    ) -> Value:
        generator = self._ask(question)
        try:
            needed = next(generator)
            while True:
                memory = self._memory(needed)
                if needed in memory:
                    sent = Answer(memory[needed], False)
                else:
                    # Noted, so that only those who read an answer are asked again when it changes.
                    readers[needed][question] = None
                    sent = Answer(values[needed], True)
                needed = generator.send(sent)
        except StopIteration as done:
            value: Value = done.value
            return value
