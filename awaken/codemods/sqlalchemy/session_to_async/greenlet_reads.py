"""Reads in a greenlet, where they load what is not loaded: ``run_sync(lambda _: order.user)``."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from textwrap import indent
from typing import NamedTuple

from awaken.project.source.worklist import groups_of


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
    def guard(self) -> str:
        """A condition for the attribute that has to be there; empty without one."""
        owner, _, name = self.part.rpartition(".")
        return f'hasattr({owner}, "{name}") and ' if self.part else ""

    @property
    def code(self) -> str:
        """The read itself, where something on the way may be None, or a collection."""
        outer = _prefixes(self.text)[1:-1] if self.is_many else _prefixes(self.text)[1:]
        conditions = self.guard + "".join(f"{name} is not None and " for name in outer)
        if self.is_many:
            item, clauses = loop_over(self.text, "item")
            return f"{conditions}[{item}.{self.name} {' '.join(clauses)}]"
        return f"{conditions}{self.text}.{self.name}"


def _prefixes(text: str) -> list[str]:
    parts = [text] if text.startswith("[") else text.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def loop_over(text: str, item: str) -> tuple[str, list[str]]:
    """Return the expression of each object that ``text`` gives, and the clauses that lead to it.

    A list comprehension has both already; the items of something else get the name ``item``.
    """
    made = ast.parse(text, mode="eval").body if text.startswith("[") else None
    if not isinstance(made, ast.ListComp):
        return item, [f"for {item} in {text}"]
    clauses = list[str]()
    for part in made.generators:
        target, iterated = (ast.get_source_segment(text, x) for x in (part.target, part.iter))
        tests = (ast.get_source_segment(text, test) for test in part.ifs)
        clauses += [f"for {target} in {iterated}", *(f"if {test}" for test in tests)]
    return ast.get_source_segment(text, made.elt) or item, clauses


def below_headers(code: str, *headers: str) -> str:
    """Return statements under headers, the outermost first."""
    for header in reversed(headers):
        code = f"{header}:\n{indent(code, '    ')}"
    return code


def loaded_as_read(session: str, steps: Iterable[Step]) -> str:
    """Return the statement that reads something in a greenlet, where it loads what it has not."""
    steps = list(dict.fromkeys(steps))
    texts = [f"{step.text}." for step in steps if not step.part]
    inner = (x for x in steps if x.is_many or not any(y.startswith(f"{x.way}.") for y in texts))
    reads = list(dict.fromkeys(step.code for step in inner))
    code = reads[0] if len(reads) == 1 else f"({', '.join(reads)})"
    return f"await {session}.run_sync(lambda _: {code})\n"


def expired_items(session: str, steps: Iterable[Step], item: str) -> str:
    """Return the statements that expire what items had loaded before a commit, if they did.

    The collection that they are items of is read for that, if it is not loaded.
    """
    code, many = "", (step for step in dict.fromkeys(steps) if step.is_many)
    for text, each in groups_of(many, lambda step: step.text).items():
        owner, _, collection = text.rpartition(".")
        code += loaded_as_read(session, [Step(owner, collection, ())])
        conditions = "".join(f"{name} is not None and " for name in _prefixes(owner)[1:])
        names = ", ".join(dict.fromkeys(f'"{step.name}"' for step in each))
        expiring = f"{session}.expire({item}, [{names}])\n"
        code += below_headers(expiring, f"for {item} in {conditions}{text} or ()")
    return code
