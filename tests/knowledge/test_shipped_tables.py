"""A wheel has the tables of knowledge without TOML; they say what the files say."""

from pathlib import Path
from typing import Any

import pytest

from awaken.knowledge import typed_tables
from awaken.knowledge.libraries import Library
from awaken.knowledge.typed_tables import parsed_tables, read_table, read_tables

FOLDER = typed_tables.SHIPPED.parent
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.toml"))


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Return a function that puts the tables of a wheel where awaken looks for them."""

    def ship():
        place = tmp_path / "tables.msgpack"
        place.write_bytes(parsed_tables())
        monkeypatch.setattr(typed_tables, "SHIPPED", place)
        typed_tables._shipped_tables.cache_clear()

    yield ship
    monkeypatch.undo()
    typed_tables._shipped_tables.cache_clear()


def test_each_shipped_table_says_what_its_file_says(shipped, monkeypatch):
    places = [(".".join(("awaken.knowledge", *Path(f).parent.parts)), Path(f).name) for f in FILES]
    written = [read_table(*place, dict[str, Any]) for place in places]
    libraries = read_tables("awaken.knowledge", Library)
    shipped()
    monkeypatch.setattr(typed_tables.msgspec.toml, "decode", None)

    assert [read_table(*place, dict[str, Any]) for place in places] == written
    assert read_tables("awaken.knowledge", Library) == libraries
    assert len(FILES) > 40
