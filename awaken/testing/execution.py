"""Runs both sides of a case on a database. SQLAlchemy is imported here, and only on use.

Where neither the case nor its program has models, the functions are called with nothing.
"""

from __future__ import annotations

import gc
import importlib
import re
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from inspect import iscoroutinefunction
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from msgspec import Struct
from sqlalchemy import event, inspect
from sqlalchemy.engine import Engine, Row
from sqlalchemy.orm import InstanceState, Session

from awaken.testing.cases import MODULE, Case
from awaken.testing.running import CaseResult, require, write_project

__tracebackhide__ = True  # as in running

_CASE = MODULE.removesuffix(".py")
_MODELS = "models"
_OWN_MODELS = (b"__tablename__", b"__table__ =", b"Table(", b"declarative_base", b"imperatively")


class Database:
    """A seeded in-memory SQLite database that goes back to its first state for each call."""

    def __init__(self, models: ModuleType) -> None:
        from sqlalchemy import create_engine  # noqa: PLC0415
        from sqlalchemy.orm import Session  # noqa: PLC0415
        from sqlalchemy.pool import StaticPool  # noqa: PLC0415

        # One connection for all sessions: each other one would have an empty database in memory.
        self.engine: Engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        models.Base.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            models.seed(session)
            session.commit()
        # Copied back for each call, which is faster than seeding it again.
        self._template = sqlite3.connect(":memory:")
        self._connection().backup(self._template)

    def observe(self, function: Callable[[Any], object]) -> Observation:
        """Call ``function`` with a session on the rows as they were seeded."""
        from awaken.testing.execution import observe  # noqa: PLC0415

        self._template.backup(self._connection())
        return observe(function, self.engine)

    def close(self) -> None:
        """Close both connections."""
        self.engine.dispose()
        self._template.close()

    def _connection(self) -> sqlite3.Connection:
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            raise TypeError(f"not a connection of sqlite3: {raw!r}")
        return raw


class Executor:
    """Runs cases; a shared program is imported and its database seeded once per executor.

    A context manager: on leaving, the databases are closed. Not safe for threads, because
    modules are put into ``sys.modules`` while a case runs.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._shared: dict[frozenset[tuple[str, bytes]], tuple[Database, _Modules]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shared.clear()
        self._stack.close()

    def observe(self, case: Case, files: Mapping[str, bytes]) -> dict[str, Observation]:
        """Run every function of one side of ``case`` that its settings name, and return
        what was seen, by name.

        A case that declares models of its own imports the whole program afresh. Warnings are
        those of the program, and nobody's business here.
        """
        with warnings.catch_warnings(), ExitStack() as stack:
            warnings.simplefilter("ignore")
            # Cases that look for their leftovers skip older files.
            gc.freeze()
            stack.callback(gc.unfreeze)
            if not case.program or _declares_models(case):
                return _observe_alone(files, stack, case.settings.functions)
            database, modules = self._program(case.program)
            own = {path: content for path, content in files.items() if path not in case.program}
            stack.enter_context(importable(own, modules))
            module = importlib.import_module(_CASE)
            return _observe_all(module, database, case.settings.functions)

    def _program(self, files: Mapping[str, bytes]) -> tuple[Database, _Modules]:
        key = frozenset(files.items())
        if key not in self._shared:
            with importable(files, {}):
                names = [path.removesuffix(".py").replace("/", ".") for path in files]
                modules = {name: importlib.import_module(name) for name in sorted(names)}
            database = Database(modules[_MODELS])
            self._stack.callback(database.close)
            self._shared[key] = (database, modules)
        return self._shared[key]


def assert_same_behaviour(result: CaseResult, executor: Executor) -> None:
    """Assert that the program after does what the one before did, on a database.

    The functions in ``differs`` must do something else, or they are named there in vain.
    """
    case = result.case
    before = executor.observe(case, case.before)
    after = executor.observe(case, result.files)
    require(before, f"there is no function {case.settings.functions}(session) to run")
    require(before.keys() == after.keys(), "the functions are not the same after the run")
    unknown = set(case.settings.differs) - before.keys()
    require(not unknown, f"`differs` names {sorted(unknown)}, which are not there")
    for name, old in before.items():
        _compare(case, name, old, after[name])


_Modules = Mapping[str, ModuleType]


def _compare(case: Case, name: str, before: Observation, after: Observation) -> None:
    differences = _differences(case, name, before, after)
    if name in case.settings.differs:
        require(differences, f"{name} was said to differ, and does not")
    else:
        require(not differences, f"{name} does not do the same:\n" + "\n".join(differences))


def _differences(case: Case, name: str, before: Observation, after: Observation) -> list[str]:
    from awaken.testing.execution import (  # noqa: PLC0415
        differences,
        load_differences,
        value_differences,
    )

    loads, other = case.settings.loads, case.settings.other_sql
    if loads is None:
        return differences(before, after, same_sql=not _fits(name, other))
    if _fits(name, loads.more):
        return value_differences(before, after)
    fewer = loads.statements == "fewer" and not _fits(name, loads.same)
    return load_differences(before, after, fewer=fewer)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _declares_models(case: Case) -> bool:
    own = {path for side in (case.before, case.after) for path in side} - case.program.keys()
    changed = any(case.before.get(path) != case.program[path] for path in case.program)
    text = case.before.get(MODULE, b"")
    return own != {MODULE} or changed or any(mark in text for mark in _OWN_MODELS)


def _observe_alone(
    files: Mapping[str, bytes], stack: ExitStack, pattern: str
) -> dict[str, Observation]:
    stack.enter_context(importable(files, {}))
    module = importlib.import_module(_CASE)
    has_models = f"{_MODELS}.py" in files or f"{_MODELS}/__init__.py" in files
    models = importlib.import_module(_MODELS) if has_models else module
    # Without models there is nothing to make tables of.
    if not hasattr(models, "Base"):
        from awaken.testing.execution import observe_alone  # noqa: PLC0415

        return {name: observe_alone(item) for name, item in _functions(module, pattern)}
    database = Database(models)
    stack.callback(database.close)
    return _observe_all(module, database, pattern)


def _observe_all(module: ModuleType, database: Database, pattern: str) -> dict[str, Observation]:
    return {name: database.observe(function) for name, function in _functions(module, pattern)}


def _functions(module: ModuleType, pattern: str) -> list[tuple[str, Any]]:
    # A list: the warnings of a call are remembered in its module's names.
    return [
        (name, value)
        for name, value in vars(module).items()
        if fnmatchcase(name, pattern)
        and getattr(value, "__module__", "") == module.__name__
        and not iscoroutinefunction(value)
    ]


@contextmanager
def importable(files: Mapping[str, bytes], loaded: _Modules) -> Iterator[None]:
    """Inside, ``files`` can be imported next to ``loaded``; afterwards no trace is left."""
    path, modules, bytecode = list(sys.path), dict(sys.modules), sys.dont_write_bytecode
    with tempfile.TemporaryDirectory(prefix="awaken-case-") as directory:
        write_project(Path(directory), files)
        # A program may have modules that are named like installed ones, `models` for instance.
        ours = {Path(name).parts[0].removesuffix(".py") for name in files}
        for name in [n for n in sys.modules if n.partition(".")[0] in ours]:
            del sys.modules[name]
        sys.modules.update(loaded)
        sys.path.insert(0, directory)
        sys.dont_write_bytecode = True
        # Finders remember directories, and may not see files that are only just written.
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path[:] = path
            sys.dont_write_bytecode = bytecode
            _forget({*ours, *loaded}, modules)


def _forget(names: set[str], before: Mapping[str, ModuleType]) -> None:
    """Remove our modules again and put back those of the same names; keep all other imports."""
    for name in [n for n in sys.modules if n.partition(".")[0] in names]:
        del sys.modules[name]
    sys.modules.update({n: m for n, m in before.items() if n.partition(".")[0] in names})


_LABEL = re.compile(r" AS (?!anon_\d+\b)\w+(?=,| FROM|\)|$)")
_LABELLED = re.compile(r"\b\w+\.(\w+) AS (\w+)")
_OF_SUBQUERY = re.compile(r"\b(anon_\d+)\.(\w+)")
_PLAIN = (int, str, float, bool, bytes, type(None))


# Of a few rows, a relationship that is loaded with them may bring one that nobody asks for.
_MOST_ROWS = 1.2


class Observation(Struct, frozen=True):
    """One call: a comparable picture of its value or exception, and the statements it sent.

    ``rows`` is how many rows it fetched.
    """

    value: object
    statements: tuple[tuple[str, object], ...]
    rows: int = 0


def observe(function: Callable[[Session], object], engine: Engine) -> Observation:
    """Call ``function`` with a new session on ``engine`` and return what could be seen."""
    statements: list[tuple[str, object]] = []

    def note(*execution: Any) -> None:
        _, _, statement, parameters, _, _ = execution
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        with Session(engine) as session, _counted_rows(engine) as rows:
            value = _outcome(function, session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return Observation(value, tuple(statements), len(rows))


@contextmanager
def _counted_rows(engine: Engine) -> Iterator[list[None]]:
    """Inside, each row that the one connection of ``engine`` gives adds to the list."""
    rows: list[None] = []

    def count(_: object, row: tuple[object, ...]) -> tuple[object, ...]:
        rows.append(None)
        return row

    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
    before, raw.row_factory = raw.row_factory, count
    try:
        yield rows
    finally:
        raw.row_factory = before


def observe_alone(function: Callable[[], object]) -> Observation:
    """Call ``function`` with nothing and return what could be seen."""
    return Observation(_outcome(function), ())


def _outcome(function: Callable[..., object], *arguments: object) -> object:
    try:
        return picture(function(*arguments))
    except Exception as error:  # noqa: BLE001  whatever it raises is the observation
        return ("raises", type(error).__name__)


def picture(value: object) -> object:
    """Return a comparable picture of a result.

    Rows keep their field names, containers their type, and entities their identity with the
    loaded attributes; entities inside those are shown by identity only.
    """
    # Rows are tuples too, and would lose the names of their fields.
    if isinstance(value, Row):
        return ("Row", tuple(value._fields), tuple(picture(item) for item in value))
    state = _state(value)
    if state is not None:
        return _entity(value, state)
    # Read while the session is open, as a caller would.
    if isinstance(value, Iterator):
        return (type(value).__name__, tuple(picture(item) for item in value))
    if isinstance(value, dict):
        return ("dict", tuple((picture(key), picture(item)) for key, item in value.items()))
    if isinstance(value, set | frozenset):  # sorted, for a set has another order in each process
        return (type(value).__name__, tuple(sorted((picture(i) for i in value), key=repr)))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(picture(item) for item in value))
    return (type(value).__name__, value if isinstance(value, _PLAIN) else str(value))


def _state(value: object) -> InstanceState[Any] | None:
    state = inspect(value, raiseerr=False)
    return state if isinstance(state, InstanceState) else None


def _entity(value: object, state: InstanceState[Any]) -> object:
    loaded = tuple(
        (name, _by_identity(item))
        for name, item in sorted(state.dict.items())
        # SQLAlchemy keeps its own state under such names.
        if not name.startswith("_")
    )
    return ("entity", type(value).__name__, state.identity, state.persistent, loaded)


def _by_identity(value: object) -> object:
    state = _state(value)
    if state is not None:
        return (type(value).__name__, state.identity)
    if isinstance(value, list | tuple):
        return tuple(_by_identity(item) for item in value)
    return picture(value)


def value_differences(before: Observation, after: Observation) -> list[str]:
    """Return one line if a caller gets another value."""
    return [f"value: {before.value} became {after.value}"] if before.value != after.value else []


def differences(before: Observation, after: Observation, *, same_sql: bool) -> list[str]:
    """Return one line for everything that a caller, or the database, could tell apart."""
    result = value_differences(before, after)
    old, new = before.statements, after.statements
    if len(old) != len(new):
        result.append(f"number of statements: {old} became {new}")
    elif [parameters for _, parameters in old] != [parameters for _, parameters in new]:
        result.append(f"parameters: {old} became {new}")
    old_sql, new_sql = ([_without_labels(sql) for sql, _ in side] for side in (old, new))
    if same_sql and old_sql != new_sql:
        result.append(f"SQL: {old_sql} became {new_sql}")
    return result


def load_differences(before: Observation, after: Observation, *, fewer: bool) -> list[str]:
    """Return one line for everything that loads written ahead should not have changed.

    No more statements are sent, or ``fewer``, and hardly more rows are fetched.
    """
    result = value_differences(before, after)
    old, new = len(before.statements), len(after.statements)
    if new > old or (fewer and new == old):
        wanted = "fewer" if fewer else "no more"
        result.append(f"{wanted} statements than {old} were wanted: {after.statements}")
    if after.rows > before.rows * _MOST_ROWS:
        result.append(f"rows fetched: {before.rows} became {after.rows}")
    return result


def _without_labels(sql: str) -> str:
    """Return the statement with the labels of columns resolved, also where a subquery has them."""
    sql = re.sub(r"\s+", " ", sql).strip()
    # Query labels every column (`user_id`), select() none: the rows are the same.
    columns = {label: column for column, label in _LABELLED.findall(sql)}
    sql = _LABEL.sub("", sql)
    return _OF_SUBQUERY.sub(lambda match: f"{match[1]}.{columns.get(match[2], match[2])}", sql)
