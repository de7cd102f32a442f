"""Random programs of bulk writes whose criteria stand in several statements, made from a seed."""

from __future__ import annotations

import random

from random_kept import KeptQuery
from random_queries import HEAD
from random_writes import BUILDERS, Write


class KeptWrite(KeptQuery, Write):
    """One function with one bulk write of a query that is kept in variables."""

    def body(self) -> list[str]:
        """Return the lines of the function: objects are loaded, then written to."""
        self.text = self.name
        return Write.body(self)


def kept_writes(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, each with one bulk write."""
    functions = []
    for number in range(count):
        write = KeptWrite(random.Random(f"kept write {seed}/{number}"))
        for _ in range(write.rng.randint(0, 3)):
            write.add(write.rng.choice(BUILDERS))
        lines = "\n    ".join(write.body())
        functions.append(f"\n\ndef case_{number}(s: Session):\n    {lines}\n")
    return HEAD.replace("func, or_", "bindparam, func, or_") + "".join(functions)
