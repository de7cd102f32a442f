"""Random programs of queries that are cut into variables, branches and loops, made from a seed."""

from __future__ import annotations

import random

from random_queries import BUILDERS, HEAD, Query

_USES = ["count", "all", "first", "one_or_none", "scalar"]


class KeptQuery(Query):
    """One function with one query, whose builders stand in statements of their own."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.lines += ["on, off, found = True, False, []", f"q = {self.text}"]
        self.name = "q"

    def add(self, builder: str) -> None:
        """Call one more builder on the query, somehow."""
        self.text = ""
        super().add(builder)
        how = self.rng.choice(["plain", "plain", "if", "if", "else", "loop", "other", "choice"])
        getattr(self, f"_as_{how}")(self.text)

    def _as_plain(self, text: str) -> None:
        self.lines.append(f"{self.name} = {self.name}{text}")

    def _as_if(self, text: str) -> None:
        flag = self.rng.choice(["on", "on", "off"])
        self.lines += [f"if {flag}:", f"    {self.name} = {self.name}{text}"]
        if self.rng.random() < 0.3:
            self.lines.append(f"    found.append({self.name}.{self.rng.choice(_USES)}())")

    def _as_else(self, text: str) -> None:
        name, flag = self.name, self.rng.choice(["on", "off"])
        other = self._filter(self.entity, self.base)
        self.lines += [f"if {flag}:", f"    {name} = {name}{text}"]
        self.lines += ["else:", f"    {name} = {name}{other}"]

    def _as_loop(self, text: str) -> None:
        count = self.rng.choice([0, 1, 1, 2])
        self.lines += [f"for _ in range({count}):", f"    {self.name} = {self.name}{text}"]

    def _as_other(self, text: str) -> None:
        other = f"q{len(self.lines)}"
        self.lines.append(f"{other} = {self.name}{text}")
        if self.rng.random() < 0.7:
            self.name = other
        else:
            self.lines.append(f"found.append({other}.{self.rng.choice(_USES)}())")

    def _as_choice(self, text: str) -> None:
        name = self.name
        self.lines.append(f"{name} = {name}{text} if {self.rng.choice(['on', 'off'])} else {name}")

    def body(self) -> list[str]:
        """Return the lines of the function: the last use gives the value, others are collected."""
        self.text = self.name
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            self.lines.append(f"found.append({self.name}.{self.rng.choice(_USES)}())")
        *lines, last = super().body()
        return [*lines, last.replace("return ", "return found, ", 1)]


def kept(seed: int, count: int) -> str:
    """Return a program with ``count`` functions ``case_<n>(s)``, each with one kept query."""
    functions = []
    for number in range(count):
        query = KeptQuery(random.Random(f"kept {seed}/{number}"))
        for _ in range(query.rng.randint(0, 4)):
            query.add(query.rng.choice(BUILDERS))
        lines = "\n    ".join(query.body())
        functions.append(f"\n\ndef case_{number}(s: Session):\n    {lines}\n")
    return HEAD + "".join(functions)
