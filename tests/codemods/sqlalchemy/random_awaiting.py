"""Random functions that ask a database in nested expressions and statements, made from a seed."""

from __future__ import annotations

import random
from textwrap import indent

HEAD = """\
from contextlib import contextmanager, suppress
from functools import wraps

seen = []


@contextmanager
def unit(n):
    num(n)
    try:
        yield n + num(1)
    except KeyError:
        num(8)
    finally:
        seen.append(num(9))


def noted(function):
    @wraps(function)
    def wrapper(*args):
        seen.append("noted")
        try:
            return function(*args)
        finally:
            seen.append("left")

    return wrapper


@noted
def checked(x):
    if x > 40:
        raise KeyError(num(x))
    return num(x) - 1


def rows(n):
    for x in ids():
        if flag(x + n):
            yield num(x) + n


def pairs():
    yield 1, num(2)
    yield from ((x, num(x)) for x in ids())


async def awaited(n):
    return n


"""
# A function that waits already shows that the others are told from it.
_ERRORS = "(ArithmeticError, AssertionError, LookupError, NameError, TypeError, ValueError)"
_DEEPEST = 3
_SMALL = ("x", "y", "z")


class Body:
    """One function ``case_<n>``; ``names`` are the variables that have a number so far."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._fresh = 0
        self.names = ["n"]

    def _pick(self, *makers):
        return self._rng.choice(makers)()

    def _name(self) -> str:
        self._fresh += 1
        return f"v{self._fresh}"

    # ------------------------------------------------------------------------------ expressions
    def number(self, depth: int = 0) -> str:
        """Return an expression that is a number."""
        if depth >= _DEEPEST or self._rng.random() < 0.15:
            return self._rng.choice([*self.names, "0", "1", "2", "7"])
        more = depth + 1
        n, c, xs = (lambda: self.number(more)), (lambda: self.test(more)), lambda: self.items(more)
        return self._pick(
            lambda: f"num({n()})",
            lambda: f"num({n()})",
            lambda: f"checked({n()})",
            lambda: f"{n()} + {n()}",
            lambda: f"{n()} - num({n()}) * {n()}",
            lambda: f"(num({n()}) if {c()} else {n()})",
            lambda: f"({c()} and num({n()}) or {n()})",
            lambda: f"-num({n()})",
            lambda: f"num({n()} % 3) ** 2",
            lambda: f"sum({xs()})",
            lambda: f"sum({self.generator(more)})",
            lambda: f"len({xs()})",
            lambda: f"max({self.generator(more)}, default=3)",
            lambda: f"min({xs()}, key=lambda k: num(k) % 20 + {n()}, default=4)",
            lambda: f"next({self.generator(more)}, {n()})",
            lambda: f"[{n()}, {n()}, num({n()})][num({n()}) % 3]",
            self._formatted,
            lambda: f"len(load({n()}).upper().strip())",
            lambda: f"int(any({self.tests(more)}))",
            lambda: f"int(all({self.tests(more)}))",
            lambda: f"(lambda a, b: a - b)({n()}, num({n()}))",
            lambda: f"sum(map(num, {xs()}))",
            lambda: f"sum(v * (k + 1) for k, v in enumerate(list({xs()})))",
            lambda: f"dict(pairs())[1] + {n()}",
        )

    def _formatted(self) -> str:
        # Before Python 3.12 no f-string stands in another one.
        known = [*self.names, "3"]
        first, second = self._rng.choice(known), self._rng.choice(known)
        return f"len(f'{{num({first})}} {{load({second} + num(1))}}!')"

    def test(self, depth: int = 0) -> str:
        """Return an expression that is true or false."""
        if depth >= _DEEPEST:
            return f"{self.number(depth)} > 1"
        more = depth + 1
        n = lambda: self.number(more)  # noqa: E731
        return self._pick(
            lambda: f"flag({n()})",
            lambda: f"not flag({n()})",
            lambda: f"num({n()}) < {n()} <= num({n()})",
            lambda: f"({self.test(more)} or flag({n()}))",
            lambda: f"({self.test(more)} and flag({n()}))",
            lambda: f"num({n()}) in {self.items(more)}",
            lambda: f"any({self.tests(more)})",
            lambda: f"all({self.tests(more)})",
            lambda: f"any(map(flag, {self.items(more)}))",
        )

    def items(self, depth: int = 0) -> str:
        """Return an expression that is a list of numbers."""
        if depth >= _DEEPEST:
            return "ids()"
        more, n = depth + 1, lambda: self.number(depth + 1)
        return self._pick(
            lambda: "ids()",
            lambda: "ids()",
            lambda: f"[{n()}, num({n()})]",
            lambda: self._comprehension(more, "[", "]"),
            lambda: f"sorted({self._comprehension(more, '{', '}')})",
            lambda: f"list({self.generator(more)})",
            lambda: f"list(rows({n()}))",
            lambda: f"[*({self._inside(more)}), {n()}]",
            lambda: f"sorted({self.items(more)}, key=lambda k: num(k) % 20)",
            lambda: f"sorted({self.items(more)}, key=num, reverse=True)",
            lambda: f"list(map(lambda k: num(k) + {n()}, {self.items(more)}))",
            lambda: f"list(filter(flag, {self.items(more)}))",
            lambda: f"[k for k in filter(lambda k: flag(k) or k > 3, {self.items(more)})]",
            lambda: f"[k + v for k, v in zip({self.items(more)}, {self.items(more)})]",
            lambda: f"[k for k, _ in {{k: num(k) for k in {self.items(more)}}}.items()]",
        )

    def _comprehension(self, depth: int, opening: str, closing: str) -> str:
        return f"{opening}{self._inside(depth)}{closing}"

    def generator(self, depth: int) -> str:
        """Return a generator expression in parentheses."""
        return f"({self._inside(depth)})"

    def tests(self, depth: int) -> str:
        """Return a generator expression of tests, in no parentheses."""
        return self._inside(depth, is_test=True)

    def _inside(self, depth: int, *, is_test: bool = False) -> str:
        iterated = self.items(depth + 1)
        name = self._rng.choice(_SMALL)
        self.names.append(name)
        clauses = f"for {name} in {iterated}"
        if self._rng.random() < 0.4:
            clauses += f" if {self.test(depth + 1)}"
        if self._rng.random() < 0.2:
            clauses += f" for {name} in {self.items(depth + 1)}"
        item = self.test(depth + 1) if is_test else self.number(depth + 1)
        self.names.remove(name)
        return f"{item} {clauses}"

    # ------------------------------------------------------------------------------- statements
    def block(self, depth: int) -> str:
        """Return some statements."""
        known = len(self.names)
        made = [self.statement(depth) for _ in range(self._rng.randint(1, 3))]
        del self.names[known:]
        return "\n".join(made)

    def statement(self, depth: int) -> str:
        """Return one statement."""
        simple = (self._assigned, self._noted, self._asserted, self._stored, self._walrus)
        compound = (
            self._if, self._for, self._while, self._try, self._with, self._nested, self._generator,
        )  # fmt: skip
        makers = simple if depth >= _DEEPEST - 1 else (*simple, *compound)
        return self._rng.choice(makers)(depth)

    def _assigned(self, _depth) -> str:
        text = self.number()
        name = self._name()
        self.names.append(name)
        return f"{name} = {text}"

    def _noted(self, _depth) -> str:
        return f"seen.append({self.number()})"

    def _asserted(self, _depth) -> str:
        return f"assert {self.test()} or n < 100"

    def _stored(self, _depth) -> str:
        return f"table[num({self.number(1)})] = {self.number(1)}\nn += {self.number(1)}"

    def _walrus(self, _depth) -> str:
        text, name = self.number(1), self._name()
        self.names.append(name)
        return (
            f"if ({name} := {text}) > {self.number(2)} and flag({name}):\n    seen.append({name})"
        )

    def _if(self, depth) -> str:
        test = self.test()
        body, other = self.block(depth + 1), self.block(depth + 1)
        return f"if {test}:\n{indent(body, '    ')}\nelse:\n{indent(other, '    ')}"

    def _for(self, depth) -> str:
        iterated = self._rng.choice(
            [self.items(1), f"rows({self.number(2)})", f"map(num, {self.items(2)})",
             self.generator(1)]
        )  # fmt: skip
        name = self._name()
        self.names.append(name)
        body = self.block(depth + 1)
        left = self._rng.choice(["", f"\n    if {self.test(2)}:\n        break"])
        return f"for {name} in {iterated}:\n{indent(body, '    ')}{left}"

    def _while(self, depth) -> str:
        count = self._name()
        body = self.block(depth + 1)
        step = f"{count} += 1"
        test = f"while {count} < 2 and {self.test(1)}:"
        return f"{count} = 0\n{test}\n    {step}\n{indent(body, '    ')}"

    def _try(self, depth) -> str:
        body = self.block(depth + 1)
        failing = self._rng.choice(["", f"\nif {self.test(1)}:\n    raise KeyError(num(1))"])
        handled, left = self.block(depth + 1), self.block(depth + 1)
        return (
            f"try:\n{indent(body + failing, '    ')}\n"
            f"except KeyError:\n{indent(handled, '    ')}\n"
            f"finally:\n{indent(left, '    ')}"
        )

    def _with(self, depth) -> str:
        name = self._name()
        managers = self._rng.choice(
            [f"unit({self.number(1)}) as {name}",
             f"suppress(KeyError), unit({self.number(1)}) as {name}",
             f"unit({self.number(1)}) as {name}, suppress(KeyError), unit({name})"]
        )  # fmt: skip
        self.names.append(name)
        body = self.block(depth + 1)
        self.names.remove(name)
        return f"with {managers}:\n{indent(body, '    ')}"

    def _nested(self, _depth) -> str:
        name, parameter = f"inner{self._name()}", self._name()
        outer, self.names = self.names, [*self.names, parameter]
        self.names.remove("n")
        body = f"seen.append({self.number(1)})\nreturn {self.number()}"
        self.names = outer
        called = f"seen.append({name}({self.number(1)}))"
        return f"def {name}({parameter}):\n{indent(body, '    ')}\n{called}"

    def _generator(self, _depth) -> str:
        name = f"stream{self._name()}"
        outer, self.names = self.names, [one for one in self.names if one != "n"]
        body = f"yield {self.number()}\nyield from {self.items()}\nyield num({self.number()})"
        self.names = outer
        used = self._rng.choice(
            [f"seen.extend([*{name}()])", f"seen.append(sum(k for k in {name}() if flag(k)))",
             f"seen.append(next({name}(), 0))"]
        )  # fmt: skip
        return f"def {name}():\n{indent(body, '    ')}\n{used}"


def function(seed: int, number: int) -> str:
    """Return the function ``case_<number>`` of the seed."""
    body = Body(random.Random(f"awaiting {seed} {number}"))
    statements = "\n".join(["table = {}", *(body.statement(0) for _ in range(3))])
    whole = f"{statements}\nreturn {body.number()}, table"
    return f"def case_{number}(n):\n{indent(whole, '    ')}\n\n\n"


def program(seed: int, numbers) -> str:
    """Return a program with the functions ``numbers`` of the seed, and ``run``."""
    cases = "".join(function(seed, number) for number in numbers)
    calls = "\n".join(
        f"    try:\n        found.append(case_{number}({number}))\n"
        f"    except {_ERRORS} as error:\n"
        f"        found.append(repr(error))"
        for number in numbers
    )
    return f"{HEAD}{cases}def run():\n    found = []\n{calls}\n    return found, seen\n"
