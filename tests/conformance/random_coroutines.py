"""Random trees of coroutines that gather each other, made from a seed."""

from __future__ import annotations

import random
from textwrap import indent

HEAD = """\
import asyncio

from steps import note, step
"""
_DEEPEST = 3


class Tree:
    """One function ``case_<n>`` and all that it gathers, directly or not.

    With ``quiet`` no step lets an exception out.
    """

    def __init__(self, rng: random.Random, number: int, *, quiet: bool) -> None:
        self._rng = rng
        self._quiet = quiet
        self._prefix = f"_{number}"
        self._steps = 0
        self.functions: list[str] = []
        body = self._body(1)
        self.functions.append(f"async def case_{number}():\n{indent(body, '    ')}\n")

    def _leaf(self) -> str:
        """Make a coroutine function that takes one step."""
        self._steps += 1
        name = f"{self._prefix}s{self._steps}"
        # Two that fail in one moment have an order that nobody promises.
        pause = round(self._rng.uniform(0.1, 4), 6)
        taken = f'await step("{name}", {pause})'
        bodies = [
            f"return {taken}",
            f'found = {taken}\nnote("behind {name}")\nreturn [found]',
            f'try:\n    return {taken}\nfinally:\n    note("left {name}")',
            f"await asyncio.sleep({round(self._rng.random(), 6)})\nreturn {taken}",
        ]
        body = self._rng.choice(bodies)
        if self._quiet:
            body = _quietly(body)
        return self._function(body)

    def _function(self, body: str) -> str:
        name = f"{self._prefix}f{len(self.functions)}"
        self.functions.append(f"async def {name}():\n{indent(body, '    ')}\n")
        return name

    def _node(self, depth: int) -> str:
        if depth >= _DEEPEST or self._rng.random() < 0.6:
            return self._leaf()
        body = self._body(depth + 1)
        return self._function(_quietly(body) if self._quiet else body)

    def _body(self, depth: int) -> str:
        """Return the body of a function that gathers others."""
        made = [f"{self._node(depth)}()" for _ in range(self._rng.randint(2, 3))]
        gathered = f"await asyncio.gather({', '.join(made)})"
        bodies = [
            f"return {gathered}",
            f"first, *others = {gathered}\nreturn others, first",
            f'{gathered}\nnote("after {depth}")',
            f"found = []\nfor one in {gathered}:\n    found.append(one)\nreturn found",
            f"jobs = [{', '.join(made)}]\nreturn await asyncio.gather(*jobs)",
        ]
        # Where no result is taken, a task that something else cancels goes unnoticed: never safe.
        body = self._rng.choice([one for one in bodies if not self._quiet or "after" not in one])
        if not self._quiet and self._rng.random() < 0.3:
            handled = f"except ValueError as error:\n    return await {self._leaf()}(), str(error)"
            body = f"try:\n{indent(body, '    ')}\n{handled}"
        # Up to Python 3.12, a time limit around a task group that failed ends in `CancelledError`.
        if self._quiet and self._rng.random() < 0.4:
            limit = round(self._rng.uniform(1, 5), 6)
            limited = f"async with asyncio.timeout({limit}):\n{indent(body, '    ')}"
            body = f"try:\n{indent(limited, '    ')}\nexcept TimeoutError:\n    return 'late'"
        return body


def _quietly(body: str) -> str:
    """Return a body that lets no exception out."""
    return f"try:\n{indent(body, '    ')}\nexcept Exception:\n    return None"


def program(seed: int, trees: int, *, quiet: bool) -> str:
    """Return a program with ``trees`` functions ``case_<n>()``, and all that they run."""
    rng = random.Random(f"coroutines {seed}")
    made = [Tree(rng, number, quiet=quiet) for number in range(trees)]
    return "\n\n".join((HEAD, *(function for tree in made for function in tree.functions)))
