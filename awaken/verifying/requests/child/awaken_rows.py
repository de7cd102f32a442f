"""A database of our own for an application: made from its models, with rows that never change.

It runs in the environment of the tests, on Python 3.8 and later, and imports nothing of awaken.
"""

import datetime as dt
import decimal
import enum
import gc
import os
import shutil
import sqlite3
import uuid

ROWS = 4
DAY = dt.datetime(2024, 1, 1, 12)
OWN = "awaken_own_database"


class Databases:
    """Every SQLite database of the program is a file of this process; a server is refused."""

    def __init__(self, place):
        self.place = place
        self.template = os.path.join(place, "template.sqlite")
        self.files = {}
        self.servers = set()
        self.empty = set()
        self.keys = {}

    def listen(self):
        """Take over what SQLAlchemy connects to from now on."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "do_connect", self._connect)

    def _connect(self, dialect, record, arguments, details):
        if details.pop(OWN, False):
            return
        if dialect.name != "sqlite":
            self.servers.add(dialect.name)
            raise ConnectionRefusedError("awaken connects no request to a server")
        named = arguments[0] if arguments else details.pop("database", ":memory:")
        name = str(named)
        if name not in self.files:
            own = os.path.join(self.place, "database-%d-%d.sqlite" % (os.getpid(), len(self.files)))
            self.files[name] = own
            if os.path.exists(self.template):
                shutil.copyfile(self.template, own)
        arguments[:] = [self.files[name], *arguments[1:]]

    def reset(self):
        """Put the seeded rows back into every database; return whether that was possible."""
        for own in self.files.values():
            try:
                _copy(self.template, own)
            except sqlite3.Error:
                _dispose()
                try:
                    _copy(self.template, own)
                except sqlite3.Error:
                    return False
        return True

    def empty_all(self):
        """Take all tables away, for a program that makes its own when it starts."""
        _dispose()
        for own in self.files.values():
            if os.path.exists(own):
                os.unlink(own)
        self.files.clear()

    def remove(self):
        for own in self.files.values():
            if os.path.exists(own):
                os.unlink(own)

    def make(self, start=None):
        """Make the template from the models and fill it; it begins as a copy of ``start``."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        if os.path.exists(self.template):
            os.unlink(self.template)
        if start is not None and os.path.exists(start):
            _copy(start, self.template)
        engine = create_engine(
            "sqlite:///" + self.template, connect_args={OWN: True}, poolclass=NullPool
        )
        for metadata in _metadatas():
            for table in metadata.sorted_tables:
                try:
                    table.create(engine, checkfirst=True)
                except Exception:  # a type that SQLite does not have
                    self.empty.add(table.name)
            for table in metadata.sorted_tables:
                if table.name not in self.empty and table.name not in self.keys:
                    self.keys[table.name] = self._fill(engine, table)

    def _fill(self, engine, table):
        """Insert the rows of a table; return all that it has."""
        one_to_one = _unique_columns(table)
        for number in range(1, ROWS + 1):
            for shift in range(ROWS):
                row = {}
                for column in table.columns:
                    if column.computed is None:
                        row[column.name] = self._value(column, number, shift, one_to_one)
                try:
                    with engine.begin() as connection:
                        connection.execute(table.insert().values(row))
                    break
                except Exception:  # a constraint; another combination of keys may hold
                    continue
        try:
            with engine.connect() as connection:
                rows = [_plain_row(one) for one in connection.execute(table.select())]
        except Exception:
            rows = []
        if not rows:
            self.empty.add(table.name)
        return rows[:ROWS]

    def _value(self, column, number, shift, unique):
        for key in column.foreign_keys:
            try:
                target = key.column
            except Exception:
                break
            if target.table is column.table:
                return None if number == 1 or column.nullable is False else _first(self, target)
            rows = self.keys.get(target.table.name) or []
            if not rows:
                return None
            own = column.name in unique
            at = number - 1 if own else (number - 1 + shift) % 2
            return rows[at % len(rows)].get(target.name)
        return value_of(column, number)


def _first(databases, target):
    return value_of(target, 1)


def value_of(column, number):
    """Return the value of a column in the row of this number."""
    default = column.default
    scalar = default.arg if default is not None and default.is_scalar else None
    known = _discriminators(column)
    if known:
        return known[(number - 1) % len(known)]
    kind = column.type
    kind = getattr(kind, "impl", kind) if not hasattr(kind, "enums") else kind
    if getattr(kind, "enums", None):
        enumeration = getattr(kind, "enum_class", None)
        values = list(enumeration) if enumeration else list(kind.enums)
        return values[(number - 1) % len(values)]
    if scalar is not None and number % 2 and not isinstance(scalar, bool):
        return scalar
    try:
        python = column.type.python_type
    except Exception:
        python = None
    name = type(kind).__name__.lower()
    if python is None:
        python = {"uuid": uuid.UUID, "guid": uuid.UUID, "json": dict}.get(name, str)
    return _of_type(python, column, kind, number)


def _of_type(python, column, kind, number):
    if issubclass(python, enum.Enum):
        return list(python)[(number - 1) % len(list(python))]
    if issubclass(python, bool):
        return number % 2 == 1
    if issubclass(python, (dt.datetime, dt.date)):
        if column.nullable and not column.primary_key and number % 2:
            return None
        moment = DAY + dt.timedelta(days=number)
        return moment if issubclass(python, dt.datetime) else moment.date()
    plain = {
        int: number,
        float: number * 10 + 0.5,
        decimal.Decimal: decimal.Decimal("%d.50" % (number * 10)),
        bytes: b"%d" % number,
        dt.time: dt.time(number),
        dt.timedelta: dt.timedelta(hours=number),
        uuid.UUID: uuid.UUID(int=number),
        list: [],
        dict: {},
    }
    for known, value in plain.items():
        if issubclass(python, known):
            return value
    return _text(column, getattr(kind, "length", None), number)


def _text(column, length, number):
    name = column.name.lower()
    if length in (32, 36) and (column.primary_key or name.endswith("id")):
        identity = uuid.UUID(int=number)
        return identity.hex if length == 32 else str(identity)
    if "mail" in name:
        text = "user%d@example.com" % number
    elif "url" in name or "link" in name:
        text = "https://example.com/%d" % number
    elif "slug" in name or name.endswith(("id", "code", "key", "isbn")):
        text = "%s-%d" % (name.replace("_", "-"), number)
    else:
        text = "%s %d" % (column.name, number)
    return text if not length or len(text) <= length else str(number).rjust(length, "0")[-length:]


def _discriminators(column):
    """Return the identities that a column of a mapped hierarchy may have."""
    from sqlalchemy import orm

    for known in gc.get_objects():
        if isinstance(known, orm.Mapper) and known.polymorphic_on is column:
            return sorted(known.polymorphic_map, key=str)
    return []


def _unique_columns(table):
    from sqlalchemy import UniqueConstraint

    found = {column.name for column in table.columns if column.unique}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint) and len(constraint.columns) == 1:
            found |= {column.name for column in constraint.columns}
    key = list(table.primary_key.columns)
    return found | ({key[0].name} if len(key) == 1 else set())


def _metadatas():
    from sqlalchemy import MetaData

    found = [one for one in gc.get_objects() if isinstance(one, MetaData) and one.tables]
    # SQLAlchemy has tables of its own, to look up those of a database.
    found = [one for one in found if one.schema != "pg_catalog"]
    return sorted(found, key=lambda one: sorted(one.tables))


def _plain_row(row):
    return dict(getattr(row, "_mapping", row))


def _copy(source, target):
    first, second = sqlite3.connect(source), sqlite3.connect(target, timeout=0.3)
    try:
        first.backup(second)
    finally:
        first.close()
        second.close()


def _dispose():
    """Close the idle connections of all engines: one may keep a lock."""
    from sqlalchemy.engine import Engine

    for known in gc.get_objects():
        if isinstance(known, Engine):
            known.dispose()
