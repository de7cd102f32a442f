"""Runs a random program on SQLite and notes the reads that `lazy="raise"` would stop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from random_mappings import FIRST, Program
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.orm import PassiveFlag, Session, configure_mappers, strategies
from sqlalchemy.pool import StaticPool

FILES = ("models.py", "main.py")
ROWS = 2
"""Rows of each class, so that loops have a second turn."""
LOADER: Any = getattr(strategies, "LazyLoader", None) or vars(strategies)["_LazyLoader"]


class Way(NamedTuple):
    """How an object came to be: the line of its load, and the relationships from there."""

    line: int
    path: tuple[str, ...] = ()


class Fired(NamedTuple):
    """A read that fires: where it stands, and the class that declares the relationship."""

    file: str
    line: int
    function: str
    owner: str
    attribute: str

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """What is the same where the lines of the program have moved."""
        return (self.file, self.function, self.owner, self.attribute)


class Run(NamedTuple):
    """What the functions of one program did; `executed` are the lines of each file."""

    fired: dict[Fired, set[Way]]
    executed: set[tuple[str, int]]


class _Watch:
    """Notes what happens while the functions run."""

    def __init__(self) -> None:
        self.run = Run({}, set())
        self._ways: dict[Any, set[Way]] = {}
        self._depth = 0

    def loaded(self, instance: object, *_others: object) -> None:
        """Note how an object came to be; SQLAlchemy calls this where it is loaded or made."""
        line = next((line for file, line, _ in frames() if file == "main.py"), 0)
        self._ways.setdefault(inspect(instance), set() if self._depth else {Way(line)})

    def followed(self, state: Any, attribute: str, value: Any) -> None:
        """Note one more way to what a read gave: it may give what was loaded before."""
        for one in value if isinstance(value, list) else [value]:
            ways = {Way(way.line, (*way.path, attribute)) for way in self._ways[state]}
            if hasattr(one, "id"):
                self._ways[inspect(one)] |= ways

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Listen to reads; mappers hold the loader's method from when they are configured."""
        load: Callable[..., Any] = LOADER._load_for_state

        def _load_for_state(
            loader: Any, state: Any, passive: Any, *others: Any, **more: Any
        ) -> Any:
            at = next(frames(), None)
            would_raise = state.key and passive & PassiveFlag.SQL_OK
            if at is None or not would_raise or passive & PassiveFlag.NO_RAISE:
                return load(loader, state, passive, *others, **more)
            prop = loader.parent_property
            fired = Fired(*at, prop.parent.class_.__name__, prop.key)
            self.run.fired.setdefault(fired, set()).update(self._ways[state])
            self._depth += 1
            try:
                value = load(loader, state, passive, *others, **more)
            finally:
                self._depth -= 1
            self.followed(state, prop.key, value)
            return value

        LOADER._load_for_state = _load_for_state
        try:
            yield
        finally:
            LOADER._load_for_state = load

    @contextmanager
    def executing(self, base: type) -> Iterator[None]:
        """Listen to loads and lines."""
        event.listen(base, "load", self.loaded, propagate=True)
        event.listen(base, "init", self.loaded, propagate=True)
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, what: str, _value: object) -> Any:
        if frame.f_code.co_filename not in FILES:
            return None
        if what == "line":
            self.run.executed.add((frame.f_code.co_filename, frame.f_lineno))
        return self._trace


def frames() -> Iterator[tuple[str, int, str]]:
    """Yield the places of the program that are being executed, innermost first."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename in FILES:
            function = frame.f_code.co_qualname.partition(".<locals>")[0]
            yield frame.f_code.co_filename, frame.f_lineno, function.rpartition(".")[2]
        frame = frame.f_back


def run(program: Program) -> Run:
    """Run all functions of a program, each in a session of its own, and return what they did."""
    watch = _Watch()
    models, main = imported(program)
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with watch.reading():
        models.Base.metadata.create_all(engine)
        fill(models, engine)
        with watch.executing(models.Base):
            for name in [name for name in vars(main) if name.startswith("case_")]:
                for flag in (True, False):
                    with Session(engine) as session:
                        vars(main)[name](session, flag)
    engine.dispose()
    models.Base.registry.dispose()
    return watch.run


def imported(program: Program) -> tuple[ModuleType, ModuleType]:
    """Return the two modules of a program."""
    models, main = (ModuleType(name.removesuffix(".py")) for name in FILES)
    exec(compile(program.models, "models.py", "exec"), vars(models))
    before = sys.modules.get("models")
    sys.modules["models"] = models
    try:
        exec(compile(program.main, "main.py", "exec"), vars(main))
    finally:
        del sys.modules["models"]
        if before is not None:
            sys.modules["models"] = before
    return models, main


def fill(models: ModuleType, engine: Any) -> None:
    """Add rows of every class, and relate as many as can be."""
    configure_mappers()
    rows = {
        name: [
            getattr(models, name)(id=first + number, n=f"{name}-{number + 1}")
            for number in range(ROWS)
        ]
        for name, first in FIRST.items()
    }
    with Session(engine) as session:
        session.add_all(one for group in rows.values() for one in group)
        session.flush()
        for name in FIRST:
            for prop in inspect(getattr(models, name)).relationships:
                if prop.parent.class_ is getattr(models, name):
                    relate(prop, [one for group in rows.values() for one in group])
        session.commit()


def relate(prop: Any, rows: list[Any]) -> None:
    """Relate the rows of two classes, in pairs, or all with all where a table stands between.

    Columns are set, since a row that refers to itself has no place in the order of a flush.
    """
    owners = [one for one in rows if isinstance(one, prop.parent.class_)]
    targets = [one for one in rows if isinstance(one, prop.mapper.class_)]
    for number, one in enumerate(owners):
        if prop.secondary is not None:
            setattr(one, prop.key, targets)
            continue
        other = targets[number % len(targets)]
        key = prop.synchronize_pairs[0][1].key
        if not prop.uselist:
            setattr(one, key, other.id)
        elif number < len(targets):
            setattr(other, key, one.id)
