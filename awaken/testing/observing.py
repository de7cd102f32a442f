"""Observations of a function that asks a database, as a caller has them: value, exception, SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from sqlalchemy import event, inspect
from sqlalchemy.engine import Engine, Row
from sqlalchemy.orm import InstanceState, Session

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
