"""The answers to questions that lead to each other, each worked out once.

Questions that lead back to themselves are solved together: each begins with no value at all, and
all are worked out again until none gains a value. The result is the same wherever the circle is
entered (the least fixed point).

An answer carries how much work it is without anything remembered, so whether a question is too
large follows from the program alone, not from what was asked before.

Each question that it leads to counts once, however many ask for it: an answer is remembered. A sum
would be twice as much with each ``query = query.filter(...)`` in one ``if`` after the other.
Questions are counted once by their names, so the size follows from the program alone and not from
what is remembered of it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from awaken.project.source.memo import RECORDER, Record, kept_record
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import (
    NOWHERE,
    Unknown,
    Values,
    bounded_values,
    holds_tree,
)
from awaken.workspace.parsing import deep_recursion
from awaken.workspace.work import WORK

MOST_STEPS = 20_000  # of one question, counted as in ``Large``: a second or two
DEEPEST = 300  # questions inside of each other, fourteen calls each: half of Python's stack

_KEPT_ANSWERS = 50_000  # answers that are kept for the next questions, if their trees may be kept
_MOST_ROUNDS = 12  # each gives a circle more values, of which eight are too many to tell
_NEVER_SETTLED: Values = (
    Unknown("its value depends on itself, and awaken stops following it", NOWHERE),
)
_WHOLE = 10  # steps of a question that counts whole wherever it is asked; most have fewer


class TooMuchError(Exception):
    """The outermost question is too large: ``str`` of it names the limits, as a clause."""


class Answer(Struct, frozen=True):
    """The values that answer a question, with the steps and the depth that they cost.

    ``steps`` count what is asked twice twice; of a large question ``large`` has what it is made of.
    ``by_callers`` says that it may depend on whether callers are followed.
    """

    values: Values
    steps: int
    depth: int
    large: Large | None = None
    by_callers: bool = True
    record: Record | None = None

    @property
    def is_small(self) -> bool:
        """Whether it is within the limits, however it is asked for."""
        return self.large is None and self.depth <= DEEPEST


def _too_large(record: Record) -> Answer:
    """Return what is remembered of a question that is too large: so is all that leads to it."""
    return Answer((), 1, DEEPEST + 1, record=record)


class Kept(Struct, eq=False):
    """Answers that outlive the outermost question, by their questions. None of them holds a tree.

    ``other`` gets those that do not depend on whether callers are followed. It belongs to the
    questions that follow them where ``own`` does not, and the reverse.
    """

    own: dict[Hashable, Answer]
    other: dict[Hashable, Answer]


def both_kept() -> tuple[Kept, Kept]:
    """Return where answers are kept without callers, and with them."""
    aside, own = dict[Hashable, Answer](), dict[Hashable, Answer]()
    return Kept(aside, own), Kept(own, aside)


class _Question(Struct, eq=False):
    """A question that is being answered; ``lowest`` is the outermost one that it leads back to.

    A step that leads back counts once, without depth; ``members`` are the inner questions that
    cannot be answered before it. ``own`` are its steps without those of ``large``, the large ones
    that it asks, by their names. ``path`` is the file of its nodes.
    """

    key: Hashable
    path: str
    index: int
    kept: Kept | None
    lowest: int
    record: Record
    values: Values = ()
    steps: int = 1
    own: int = 1
    large: dict[int, Large] = {}
    depth: int = 0
    leads_back: bool = False
    by_callers: bool = False
    members: list[_Question] = []


class Answers:
    """The answers to one outermost question, and to those inside of it."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Answer] = {}
        # The depth that questions have at least, by name, since one above them was too deep.
        self._least_depths: dict[int, int] = {}
        self._lets_go = False
        self.forget()

    @property
    def is_idle(self) -> bool:
        """Whether no question is being answered."""
        return not self._stack

    def forget(self) -> None:
        """Drop all that does not outlive the outermost question.

        The last answer with trees is kept: the next question is mostly about the same function.
        """
        if self._lets_go or len(self._known) > _KEPT_ANSWERS:
            self._known.clear()
            self._lets_go = False
        self._stack: list[_Question] = []
        self._open: dict[Hashable, _Question] = {}
        self._waiting: dict[Hashable, _Question] = {}
        self._earlier: dict[Hashable, Values] = {}
        self._work = 0
        self._changes = 0

    def let_go(self) -> None:
        """Forget what leads to trees, as soon as no question is being answered.

        Within a question it would be worked out twice, and counted twice.
        """
        self._lets_go = True
        if self.is_idle:
            self.forget()

    def answer_to(
        self, key: Hashable, path: str, work: Callable[[], Values], kept: Kept | None = None
    ) -> Values:
        """Return the answer to the question ``key``: what ``work`` finds, within bounds.

        ``path`` is the file that the nodes in ``key`` are of. The answer is looked up in ``kept``,
        and put there if it holds no tree. No values at all are what a question begins with that
        leads back to itself. Raises TooMuchError where the outermost question is too large.
        """
        known = None if kept is None else kept.own.get(key)
        known = known or self._known.get(key)
        if known is not None:
            RECORDER.add(known.record)
            self._charge(known)
            return known.values
        opened = self._open.get(key)
        if opened is not None:
            opened.leads_back = True
        else:
            opened = self._waiting.get(key)
        if opened is not None:
            RECORDER.add(opened.record)
            self._lead_back(opened.lowest)
            return opened.values
        with RECORDER.with_record() as record:
            if self._stack:
                return self._solved_values(key, path, work, kept)
            try:
                with deep_recursion():
                    return self._solved_values(key, path, work, kept)
            except TooMuchError:
                if kept is not None:
                    kept.own[key] = _too_large(record)
                raise

    def note_callers(self) -> None:
        """Note that what is being worked out depends on whether callers are followed."""
        if self._stack:
            self._stack[-1].by_callers = True

    def _lead_back(self, lowest: int) -> None:
        """Note that what is asked cannot be answered before the question at ``lowest`` is."""
        self._take(1)
        asking = self._stack[-1]
        asking.steps += 1
        asking.own += 1
        asking.lowest = min(asking.lowest, lowest)

    def _charge(self, answer: Answer) -> None:
        self._take(answer.steps if answer.large is None else 1)
        self._go_down(len(self._stack) + answer.depth)
        self._add(answer)

    def _add(self, answer: Answer) -> None:
        """Add an answer to the size of the question that asks for it."""
        if not self._stack:
            self._measure(answer)
            return
        asking = self._stack[-1]
        asking.steps += answer.steps
        asking.depth = max(asking.depth, answer.depth)
        asking.by_callers |= answer.by_callers
        if answer.large is None:
            asking.own += answer.steps
        else:
            asking.own += 1
            asking.large[answer.large.name] = answer.large

    def _measure(self, outermost: Answer) -> None:
        if outermost.large is None or outermost.steps <= MOST_STEPS:
            return
        if outermost.large.size(MOST_STEPS) > MOST_STEPS:
            raise _too_many()

    def _take(self, steps: int) -> None:
        """Count what is done for the outermost question, and stop where it is too large anyway.

        Only in a circle, an answer that is not settled may be larger than in the end. So there it
        does not count. Hence twice.
        """
        self._work += steps
        if self._work > 2 * MOST_STEPS:
            raise _too_many()

    def _go_down(self, depth: int) -> None:
        if depth > DEEPEST:
            for question in self._stack:
                name, least = _name_of(question.key, question.path), depth - question.index
                self._least_depths[name] = max(least, self._least_depths.get(name, 0))
            raise _too_many()

    def _least_depth(self, key: Hashable, path: str) -> int:
        """Return what is known of the depth of a question before it is worked out."""
        # Few programs have any: a name takes longer to make than to look up.
        return self._least_depths.get(_name_of(key, path), 1) if self._least_depths else 1

    def _solved_values(
        self, key: Hashable, path: str, work: Callable[[], Values], kept: Kept | None
    ) -> Values:
        index, before = len(self._stack), self._work
        record = RECORDER.current or Record()
        self._go_down(index + self._least_depth(key, path))
        for turn in range(_MOST_ROUNDS):
            changes, self._work = self._changes, before
            self._take(1)
            question = self._worked_out(_Question(key, path, index, kept, index, record), work)
            if question.lowest < index:
                self._wait(question)
                return question.values
            if self._changes == changes:
                return self._settled_values(question)
            self._earlier[key] = question.values
            if turn + 1 < _MOST_ROUNDS:
                for member in question.members:
                    del self._waiting[member.key]
        for item in (*question.members, question):
            item.values = _NEVER_SETTLED
        return self._settled_values(question)

    def _worked_out(self, question: _Question, work: Callable[[], Values]) -> _Question:
        WORK.questions += 1
        question.values = self._earlier.get(question.key, ())
        self._open[question.key] = question
        self._stack.append(question)
        result = bounded_values(work())
        self._stack.pop()
        del self._open[question.key]
        if question.leads_back and result != question.values:
            # The questions in between have seen less than there is.
            self._changes += 1
        question.values = result
        return question

    def _wait(self, question: _Question) -> None:
        """Keep what is as good as what the outermost question of its circle begins with."""
        if len(question.members) > 2 * DEEPEST:
            # It will be deeper than the limit, though it may lose members: hence twice.
            too_large = _too_large(question.record)
            for item in question.members:
                (self._known if item.kept is None else item.kept.own)[item.key] = too_large
            raise _too_many()
        self._waiting[question.key] = question
        self._earlier[question.key] = question.values
        self._lead_back(question.lowest)
        self._stack[-1].members += (*question.members, question)

    def _settled_values(self, question: _Question) -> Values:
        if not question.members and question.steps <= _WHOLE:
            return self._settled_alone(question)
        circle = (*question.members, question)
        depth = max(entry.depth for entry in circle) + len(circle)
        # The same for all of a circle, whichever was asked first.
        steps = min(sum(entry.steps for entry in circle), MOST_STEPS + 1)
        large = _large(circle) if steps > _WHOLE else None
        by_callers = any(entry.by_callers for entry in circle)
        for item in circle:
            # That of ``question`` comes last.
            answer = Answer(item.values, steps, depth, large, by_callers, question.record)
            self._keep(item, answer)
        # Remembered first: it is too deep for all others that lead to it.
        self._go_down(question.index + depth)
        self._add(answer)
        return question.values

    def _settled_alone(self, question: _Question) -> Values:
        """Settle a question in no circle that is not large: as others are, without their loops."""
        size = question.steps, question.depth + 1
        record = kept_record(question.record)
        answer = Answer(question.values, *size, by_callers=question.by_callers, record=record)
        self._keep(question, answer)
        self._go_down(question.index + answer.depth)
        self._add(answer)
        return question.values

    def _keep(self, question: _Question, answer: Answer) -> None:
        """Keep the answer to a question that is settled."""
        kept = question.kept
        if kept is None or holds_tree(question.values):
            self._known[question.key] = answer
        else:
            kept.own[question.key] = answer
            if not answer.by_callers:
                kept.other[question.key] = answer
        self._waiting.pop(question.key, None)
        self._earlier.pop(question.key, None)


def _too_many() -> TooMuchError:
    # Which of the two is met first depends on what is remembered.
    limits = f"{MOST_STEPS} steps, or {DEEPEST} inside of each other,"
    return TooMuchError(f"it takes more than {limits} to tell")


def _large(circle: Sequence[_Question]) -> Large:
    names = [_name_of(item.key, item.path) for item in circle]
    asked: dict[int, Large] = {}
    for question in circle:
        asked |= question.large
    name = names[0] if len(names) == 1 else hash(frozenset(names))
    return Large(name, sum(item.own for item in circle), tuple(asked.values()))


@dataclass(frozen=True, slots=True, eq=False)
class Large:
    """A question of more than ``_WHOLE`` steps, with the large ones among those that it asks.

    ``steps`` are its own, with those of the others. It outlives trees, so it names places only.
    """

    name: int
    steps: int
    asked: tuple[Large, ...]

    def size(self, most: int) -> int:
        """Return the steps of it and all that it leads to; above ``most`` those seen by then."""
        waiting, steps = Worklist([self], lambda item: item.name), 0
        for item in waiting:
            steps += item.steps
            if steps > most:
                break
            waiting += item.asked
        return steps


def _name_of(key: Hashable, path: str) -> int:
    """Return a number for a question that is the same when its file is parsed again.

    ``path`` is the file of the nodes in ``key``.
    """
    return hash(_placed_value(key, path))


def _placed_value(part: object, path: str) -> object:
    match part:
        case ast.expr() | ast.stmt():
            end = part.end_lineno, part.end_col_offset
            return type(part), path, part.lineno, part.col_offset, end
        case tuple():
            return tuple(_placed_value(item, path) for item in part)
    return part
