"""Small random functions that record which assignment every read really saw."""

from __future__ import annotations

import random
from contextlib import contextmanager

NAMES = ("x", "y", "s")


class Value:
    """What an assignment gives: the line that it stands on, and when it was made."""

    def __init__(self, line, time):
        self.line = line
        self.time = time

    def __add__(self, other):
        return other


class Raised(Exception):
    def __init__(self, value):
        super().__init__()
        self.value = value


class Stop(BaseException):
    """The run has gone on for long enough."""


class Run:
    """What the functions call; ``reads`` has (line, name, line of the definition, was outdated)."""

    def __init__(self, rng):
        self.rng = rng
        self.steps = 0
        self.time = 0
        self.last = {}
        self.reads = []

    failure = Raised

    def mark(self, line, name=""):
        self.step()
        self.time += 1
        if name:
            self.last[name] = self.time
        return Value(line, self.time)

    def marks(self, line, name=""):
        for _ in range(self.rng.randint(0, 2)):
            yield self.mark(line, name)

    @contextmanager
    def manager(self, line, name=""):
        try:
            yield self.mark(line, name)
        except Raised:
            if self.rng.random() < 0.5:
                raise

    def see(self, line, name, value):
        self.step()
        value = value.value if isinstance(value, Raised) else value
        if isinstance(value, Value):
            outdated = self.last.get("s", 0) > value.time
            self.reads.append((line, name, value.line, outdated))
        return value

    def coin(self):
        self.step()
        return self.rng.random() < 0.5

    def boom(self, line):
        self.step()
        if self.rng.random() < 0.4:
            raise Raised(self.mark(line))

    def step(self):
        self.steps += 1
        if self.steps > 200:
            raise Stop


class Writer:
    """Writes one function, line by line."""

    def __init__(self, rng):
        self.rng = rng
        self.lines = ["def function(run, x):"]
        self.loops = 0
        self.block(1, 3)

    @property
    def line(self):
        return len(self.lines) + 1

    def put(self, depth, text):
        self.lines.append("    " * depth + text)

    def name(self):
        return self.rng.choice(NAMES)

    def block(self, depth, size=2):
        for _ in range(self.rng.randint(1, size)):
            self.statement(depth)

    def statement(self, depth):
        plain = ["give", "give", "give", "read", "read", "boom", "add", "delete", "walrus", "short"]
        plain += ["choice", "comprehension", "note", "captured"]
        nested = ["when", "loop", "until", "attempt", "attempt", "managed", "cases", "nested"]
        ways = ["leave"]
        kinds = plain + ways + (nested * 2 if depth < 5 else [])
        getattr(self, self.rng.choice(kinds))(depth)

    def give(self, depth):
        name = self.name()
        self.put(depth, f"{name} = run.mark({self.line}, '{name}')")

    def seen(self):
        name = self.name()
        return f"run.see({self.line}, '{name}', {name})"

    def read(self, depth):
        self.put(depth, self.seen())

    def boom(self, depth):
        self.put(depth, f"run.boom({self.line})")

    def add(self, depth):
        name = self.name()
        self.put(depth, f"{name} += run.mark({self.line}, '{name}')")

    def delete(self, depth):
        self.put(depth, f"del {self.name()}")

    def walrus(self, depth):
        name = self.name()
        self.put(depth, f"run.coin() and ({name} := run.mark({self.line}, '{name}'))")

    def short(self, depth):
        self.put(depth, f"run.coin() or {self.seen()}")

    def choice(self, depth):
        name = self.name()
        mark = f"({name} := run.mark({self.line}, '{name}'))"
        self.put(depth, f"{mark} if run.coin() else {self.seen()}")

    def comprehension(self, depth):
        name = self.name()
        hidden = self.rng.choice([name, "z"])
        mark = f"(y := run.mark({self.line}, 'y'))"
        what = self.rng.choice([self.seen(), mark if hidden != "y" else "z"])
        what = "0" if hidden in what and hidden != "z" else what
        self.put(depth, f"[{what} for {hidden} in run.marks({self.line}) if run.coin()]")

    def note(self, depth):
        self.put(depth, f"{self.name()}: int")

    def captured(self, depth):
        self.put(depth, f"(lambda z={self.seen()}: z)(0)")

    def leave(self, depth):
        self.put(depth, "if run.coin():")
        ways = ["return", f"raise run.failure(run.mark({self.line}))"] + ["break", "continue"] * 2
        self.put(depth + 1, self.rng.choice(ways if self.loops else ways[:2]))

    def when(self, depth):
        self.put(depth, "if run.coin():")
        self.block(depth + 1)
        for _ in range(self.rng.randint(0, 1)):
            self.put(depth, f"elif run.coin() and {self.seen()}:")
            self.block(depth + 1)
        self.maybe(depth, "else:")

    def maybe(self, depth, head):
        if self.rng.random() < 0.5:
            self.put(depth, head)
            self.block(depth + 1)

    def rounds(self, depth):
        self.loops += 1
        self.block(depth + 1)
        self.loops -= 1
        self.maybe(depth, "else:")

    def loop(self, depth):
        name = self.name()
        self.put(depth, f"for {name} in run.marks({self.line}, '{name}'):")
        self.rounds(depth)

    def until(self, depth):
        self.put(depth, self.rng.choice(["while run.coin():", "while True:"]))
        if "True" in self.lines[-1]:
            self.put(depth + 1, "if run.coin():")
            self.put(depth + 2, "break")
        self.rounds(depth)

    def attempt(self, depth):
        self.put(depth, "try:")
        loops = self.loops
        self.block(depth + 1, 3)
        handlers = self.rng.randint(0, 2)
        for _ in range(handlers):
            name = self.name()
            # The exception was made where it was raised: its name says nothing about lines.
            head = self.rng.choice(["except run.failure:", f"except run.failure as {name}:"])
            self.put(depth, head)
            self.block(depth + 1)
        if handlers:
            self.maybe(depth, "else:")
        if not handlers or self.rng.random() < 0.4:
            self.put(depth, "finally:")
            self.block(depth + 1)
        self.loops = loops

    def managed(self, depth):
        name = self.name()
        self.put(depth, f"with run.manager({self.line}, '{name}') as {name}:")
        self.block(depth + 1)

    def cases(self, depth):
        name = self.name()
        self.put(depth, "match run.coin():")
        self.put(depth + 1, "case True if run.coin():")
        self.block(depth + 2)
        if self.rng.random() < 0.5:
            self.put(depth + 1, f"case {name}:")
            self.block(depth + 2)

    def nested(self, depth):
        self.put(depth, "def inner():")
        self.put(depth + 1, self.rng.choice(["pass", f"return {self.name()}"]))


def random_function(rng: random.Random) -> str:
    """Return the source of one function ``function(run, x)``."""
    return "\n".join(Writer(rng).lines) + "\n"
