"""A pytest plugin: writes where the tests read a relationship that is not loaded.

Runs inside the measured program's environment (`-p relationship_log --relationship-log FILE`), not
in awaken's, with SQLAlchemy 1.4 and 2.x. Each read is one that `lazy="raise"` would stop: loads
of the unit of work, of cascades and of merges are left out, as SQLAlchemy leaves them out there.
Writes one JSON object per line and distinct read, with the number of times and the tests.

The place is the innermost line of the program itself, of Python or of a Jinja template; `via` are
the packages between it and SQLAlchemy, innermost first. A read that a library makes on a thread
of its own has no place. `model` is what FastAPI was about to answer with.

With `--relationship-lazy raise` (or `raise_on_sql`) every relationship that would load lazily gets
that strategy instead, so the tests really fail there. With `--relationship-tests-load` a read that
the tests make themselves loads all the same, or a fixture may stop every test before it begins.
"""

from __future__ import annotations

# ruff: noqa: SLF001 - SQLAlchemy has no event for what is recorded here
import json
import re
import sys
import sysconfig
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
import sqlalchemy
from sqlalchemy.orm import attributes, base, relationships, strategies

MOST_TESTS = 20
"""Tests that are named for one read: enough to look one up."""
WRITTEN_AFTER = 25
"""Tests after which the file is written anew: a run that is killed leaves what it saw."""
TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test[^/]*|[^/]*_test|conftest)\.py$")
LIBRARIES = (sysconfig.get_paths()["stdlib"], "site-packages", "dist-packages")
LOADER: Any = getattr(strategies, "LazyLoader", None) or vars(strategies)["_LazyLoader"]
LAZY = (True, "select")


def flag(name: str) -> int:
    """Return one of SQLAlchemy's flags of an attribute's load; 2.x keeps them in an enumeration."""
    return int(getattr(getattr(base, "PassiveFlag", attributes), name))


NO_RAISE, SQL_OK, RELATED_OK, NON_PERSISTENT = map(
    flag, ["NO_RAISE", "SQL_OK", "RELATED_OBJECT_OK", "NON_PERSISTENT_OK"]
)


class Spot(NamedTuple):
    """Where the program reads: file below its root, line and function; empty on other threads."""

    file: str
    line: int
    function: str
    via: tuple[str, ...]
    model: str


class Read(NamedTuple):
    """One distinct read; `sql` tells whether a statement is sent.

    `owner` is the class whose mapper has the relationship, `of` those that the object is of.
    """

    spot: Spot
    owner: str
    attribute: str
    of: tuple[str, ...]
    state: str
    sql: bool


class Recorder:
    """Collects the reads of one run."""

    def __init__(self, output: Path, root: Path, tests_load: bool) -> None:
        self._output = output
        self._tests_load = tests_load
        self._root = f"{root}/"
        self._test = ""
        self._done = 0
        self._reads: dict[Read, tuple[list[int], dict[str, None]]] = {}
        self._sent: list[bool] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note under one test everything that it reads, its fixtures included."""
        self._test = item.nodeid
        try:
            return (yield)
        finally:
            self._test = ""
            self._done += 1
            if self._done % WRITTEN_AFTER == 0:
                self.write()

    def install(self) -> None:
        """Listen to every load of a relationship that is read."""
        load: Callable[..., Any] = LOADER._load_for_state
        emit: Callable[..., Any] = LOADER._emit_lazyload
        recorder = self

        def _load_for_state(
            self: Any, state: Any, passive: Any, *arguments: Any, **keywords: Any
        ) -> Any:
            if not would_raise(self, state, passive):
                return load(self, state, passive, *arguments, **keywords)
            spot = recorder.spot(sys._getframe(1))
            was = status(state)
            if recorder._tests_load and TESTS.search(spot.file):
                passive = int(passive) | NO_RAISE
            recorder._sent.append(False)
            try:
                return load(self, state, passive, *arguments, **keywords)
            finally:
                recorder.note(self, state, spot, was, recorder._sent.pop())

        def _emit_lazyload(self: Any, *arguments: Any, **keywords: Any) -> Any:
            if recorder._sent:
                recorder._sent[-1] = True
            return emit(self, *arguments, **keywords)

        LOADER._load_for_state = _load_for_state
        LOADER._emit_lazyload = _emit_lazyload

    def note(self, loader: Any, state: Any, spot: Spot, was: str, sent: bool) -> None:
        """Count one read."""
        owner = qualified(loader.parent_property.parent.class_)
        attribute = loader.parent_property.key
        kinds = tuple(qualified(one) for one in state.class_.__mro__[:-1])
        read = Read(spot, owner, attribute, kinds, was, sent)
        count, tests = self._reads.setdefault(read, ([0], {}))
        count[0] += 1
        if len(tests) < MOST_TESTS:
            tests[self._test] = None

    def spot(self, frame: FrameType | None) -> Spot:
        """Return the innermost place of the program from a frame outwards."""
        via: dict[str, None] = {}
        model = ""
        while frame is not None:
            file, line = frame.f_code.co_filename, frame.f_lineno
            template = frame.f_globals.get("__jinja_template__")
            if template is not None:
                line = template.get_corresponding_lineno(line)
            if file.startswith(self._root) and not any(one in file for one in LIBRARIES):
                function = "(template)" if template is not None else frame.f_code.co_name
                return Spot(file[len(self._root) :], line, function, tuple(via), model)
            package = frame.f_globals.get("__name__", file).partition(".")[0]
            via[package if file[:1] != "<" else file] = None
            if package == "fastapi":
                model = model or answered(frame)
            frame = frame.f_back
        return Spot("", 0, "", tuple(via), model)

    def write(self) -> None:
        """Write what was read, by place."""
        with self._output.open("w", encoding="utf-8") as lines:
            for read, (count, tests) in sorted(self._reads.items(), key=lambda one: one[0]):
                row = {**read.spot._asdict(), **read._asdict()}
                row.update(spot=None, count=count[0], tests=list(tests))
                del row["spot"]
                lines.write(json.dumps(row) + "\n")


def would_raise(loader: Any, state: Any, passive: Any) -> bool:
    """Whether `lazy="raise"` would stop this load: the conditions of SQLAlchemy's own loader."""
    prop = loader.parent_property
    flags = int(passive)
    if not state.key and (
        not (prop.load_on_pending or state._load_pending) or not state.session_id
    ):
        return False
    if (not flags & SQL_OK and not loader.use_get) or (
        not flags & NON_PERSISTENT and not state.key
    ):
        return False
    return not flags & NO_RAISE and bool(not loader.use_get or flags & RELATED_OK)


def status(state: Any) -> str:
    """Return what has become of an object: its session is gone, or the object is expired."""
    if not state.key:
        return "pending"
    if not state.session_id:
        return "detached"
    return "expired" if state.expired else "loaded"


def answered(frame: FrameType) -> str:
    """Return the type that FastAPI makes of what a route returned, in the call that does it."""
    field = frame.f_locals.get("field", frame.f_locals.get("self"))
    return str(getattr(getattr(field, "field_info", None), "annotation", None) or "")


def qualified(kind: type) -> str:
    """Return the full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def raise_instead(lazy: str) -> None:
    """Give every relationship that would load lazily another strategy."""
    prop: Any = relationships.RelationshipProperty
    prepare: Callable[..., Any] = prop.do_init

    def do_init(self: Any) -> None:
        if self.lazy in LAZY:
            self.lazy = lazy
            self.strategy_key = (("lazy", lazy),)
        prepare(self)

    prop.do_init = do_init


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file to write to."""
    parser.addoption("--relationship-log", type=Path, metavar="FILE")
    parser.addoption("--relationship-lazy", metavar="STRATEGY")
    parser.addoption("--relationship-tests-load", action="store_true")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Listen until the tests are over.

    Begins before a `conftest.py` is imported: mappers hold the loader from their configuration on.
    """
    options = early_config.known_args_namespace
    if options.relationship_lazy:
        raise_instead(options.relationship_lazy)
    if options.relationship_log:
        log = options.relationship_log.absolute()
        recorder = Recorder(log, Path.cwd(), options.relationship_tests_load)
        early_config.pluginmanager.register(recorder)
        recorder.install()
        early_config.add_cleanup(recorder.write)


def pytest_report_header() -> str:
    """Name the library that is listened to."""
    return f"SQLAlchemy {sqlalchemy.__version__}"
