"""Reads in a greenlet, where they load what is not loaded: ``run_sync(lambda _: order.user)``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Step(NamedTuple):
    """A read of ``name`` of what ``text`` says, which is of one of ``owners``, or its items are.

    It is only read where an attribute is there, of which this is the ``part``: ``item.user``.
    """

    text: str
    name: str
    owners: tuple[str, ...]
    is_many: bool = False
    part: str = ""

    @property
    def way(self) -> str:
        """An expression for the objects of this read."""
        return f"{self.text}.{self.name}"

    @property
    def code(self) -> str:
        """The read itself, where something on the way may be None, or a collection."""
        outer = _prefixes(self.text)[1:-1] if self.is_many else _prefixes(self.text)[1:]
        conditions = "".join(f"{name} is not None and " for name in outer)
        if self.part:
            owner, _, name = self.part.rpartition(".")
            conditions = f'hasattr({owner}, "{name}") and {conditions}'
        if self.is_many:
            return f"{conditions}[item.{self.name} for item in {self.text}]"
        return f"{conditions}{self.text}.{self.name}"


def _prefixes(text: str) -> list[str]:
    parts = [text] if text.startswith("[") else text.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def loaded_as_read(session: str, steps: Iterable[Step]) -> str:
    """Return the statement that reads something in a greenlet, where it loads what it has not."""
    reads = list(dict.fromkeys(step.code for step in steps))
    code = reads[0] if len(reads) == 1 else f"({', '.join(reads)})"
    return f"await {session}.run_sync(lambda _: {code})\n"


def expired_items(session: str, steps: Iterable[Step], item: str) -> str:
    """Return the statements that expire what items had loaded before a commit, if they did.

    The collection that they are items of is read for that, if it is not loaded.
    """
    code = ""
    for step in dict.fromkeys(each for each in steps if each.is_many):
        owner, _, collection = step.text.rpartition(".")
        code += loaded_as_read(session, [Step(owner, collection, ())])
        conditions = "".join(f"{name} is not None and " for name in _prefixes(owner)[1:])
        code += f"for {item} in {conditions}{step.text} or ():\n"
        code += f'    {session}.expire({item}, ["{step.name}"])\n'
    return code
