"""Random programs of queries that go through several functions, made from a seed."""

from __future__ import annotations

import random
import re

from random_kept import KeptQuery
from random_queries import BUILDERS, HEAD

_LOCAL = re.compile(r"\bother|(?<!^)\bs\.")  # names that another function does not know
FLAGS = ["on", "off"]
_RUNS = ["count()", "all()", "first()", "one_or_none()"]


class CrossingQuery(KeptQuery):
    """One query that functions of its own begin, narrow and execute; ``functions`` are these."""

    def __init__(self, rng: random.Random, number: int) -> None:
        super().__init__(rng)
        self._number = number
        self.functions: list[str] = []
        if rng.random() < 0.7 and not _LOCAL.search(self.text):
            start = self.lines.pop().removeprefix("q = ")
            name = self._function("s", f"return {start}")
            self.lines.append(f"q = {name}(s)")

    def _function(self, parameters: str, *lines: str) -> str:
        name = f"_{self._number}_{len(self.functions)}"
        body = "\n    ".join(lines)
        self.functions.append(f"\n\ndef {name}({parameters}):\n    {body}\n")
        return name

    def _as_plain(self, text: str) -> None:
        how = self.rng.choice(
            ["plain", "narrowed", "branch", "run", "bare", "relayed", "held", "tuple", "optional"]
        )
        how = "plain" if _LOCAL.search(text) else how
        name = self.name
        if how == "plain":
            super()._as_plain(text)
        elif how == "narrowed":
            function = self._function("query", f"return query{text}")
            self.lines.append(f"{name} = {function}({name})")
        elif how == "branch":
            lines = ["if on:", f"    return query{text}", "return query"]
            function = self._function("query, on=True", *lines)
            self.lines.append(f"{name} = {function}({name}, {self.rng.choice(['on', 'off'])})")
        elif how == "tuple":
            lines = ["if on:", f"    return 1, query{text}", "return 0, query"]
            function = self._function("query, on=True", *lines)
            number = f"number{len(self.lines)}"
            self.lines.append(f"{number}, {name} = {function}({name}, {self.rng.choice(FLAGS)})")
            self.lines.append(f"found.append({number})")
        elif how == "optional":
            lines = ["if not on:", "    return None", f"return query{text}"]
            function = self._function("query, on=True", *lines)
            maybe = f"maybe{len(self.lines)}"
            self.lines.append(f"{maybe} = {function}({name}, {self.rng.choice(FLAGS)})")
            self.lines.append(f"if {maybe} is not None:")
            self.lines.append(f"    {name} = {maybe}")
        elif how == "run":
            self.lines.append(f"{name} = {name}{text}")
            function = self._function("session, query", f"return query.{self.rng.choice(_RUNS)}")
            self.lines.append(f"found.append({function}(s, query={name}))")
        elif how in {"bare", "relayed"}:
            # No session is passed: the functions get it with the rewrite.
            self.lines.append(f"{name} = {name}{text}")
            function = self._function("query", f"return query.{self.rng.choice(_RUNS)}")
            if how == "relayed":
                inner = f"{function}({self.rng.choice(['query', 'query=query'])})"
                function = self._function("query, *, on=True", f"return query.count(), {inner}")
            given = self.rng.choice([name, f"query={name}", f"on=True, query={name}"])
            given = given if how == "relayed" else given.removeprefix("on=True, ")
            self.lines.append(f"found.append({function}({given}))")
        else:
            lines = [f"query = query{text}", "number = query.count()", "return number, query.all()"]
            function = self._function("session, query", *lines)
            self.lines.append(f"found.append({function}(s, {name}))")


def crossing(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, and others that these call."""
    functions = []
    for number in range(count):
        query = CrossingQuery(random.Random(f"crossing {seed}/{number}"), number)
        for _ in range(query.rng.randint(1, 4)):
            query.add(query.rng.choice(BUILDERS))
        lines = "\n    ".join(query.body())
        functions += [*query.functions, f"\n\ndef case_{number}(s: Session):\n    {lines}\n"]
    return HEAD + "".join(functions)
