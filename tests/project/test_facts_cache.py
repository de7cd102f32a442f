"""Facts come back unchanged or not at all, whatever happened to the files."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from awaken.project import facts_cache
from awaken.project.facts_cache import FactsCache, facts_directory, facts_key, prune
from awaken.project.sources import SourceFile, decode

DAY = 86_400


class Imports(Struct, frozen=True):
    names: tuple[str, ...]
    lines: dict[str, int] = {}


class Classes(Struct, frozen=True):
    names: tuple[str, ...]


def key(number):
    return hashlib.sha256(str(number).encode()).digest()


@pytest.fixture
def directory(tmp_path):
    return facts_directory(tmp_path / "project", tmp_path / "cache")


def filled(directory, count=100):
    cache = FactsCache(directory)
    for number in range(count):
        cache.put(key(number), Imports((f"m{number}",), {"a": number}))
    cache.save()
    return cache


def found(directory, count=100):
    cache = FactsCache(directory)
    return [n for n in range(count) if cache.get(Imports, key(n)) == Imports((f"m{n}",), {"a": n})]


def shards(directory):
    return sorted(directory.glob("*.msgpack"))


def test_facts_come_back_in_the_next_run(directory):
    filled(directory)

    assert found(directory) == list(range(100))
    assert FactsCache(directory).get(Imports, key("other")) is None


def test_facts_are_there_before_they_are_saved(directory):
    cache = FactsCache(directory)

    cache.put(key(1), Imports(("a",)))

    assert cache.get(Imports, key(1)) == Imports(("a",))
    assert not directory.exists()


def test_kinds_are_kept_apart(directory):
    cache = FactsCache(directory)
    cache.put(key(1), Imports(("a",)))
    cache.put(key(1), Classes(("b",)))
    cache.save()

    again = FactsCache(directory)

    assert again.get(Imports, key(1)) == Imports(("a",))
    assert again.get(Classes, key(1)) == Classes(("b",))


def test_without_directory_nothing_is_kept():
    cache = FactsCache(None)

    cache.put(key(1), Imports(("a",)))
    cache.save()

    assert cache.get(Imports, key(1)) is None


def test_only_changed_shards_are_written(directory):
    filled(directory)
    for path in shards(directory):
        os.utime(path, (1, 1))

    cache = FactsCache(directory)
    cache.put(key("new"), Imports(()))
    cache.save()

    assert sum(path.stat().st_mtime > 1 for path in shards(directory)) == 1
    assert found(directory) == list(range(100))


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:0],
        lambda raw: raw[:3],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"x",
        lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:],
        lambda raw: bytes(4) + raw[:0],
        lambda raw: bytes(len(raw)),
    ],
)
def test_damaged_shards_are_ignored_and_written_anew(directory, damage):
    filled(directory)
    victim = shards(directory)[0]
    before = len(found(directory))
    victim.write_bytes(damage(victim.read_bytes()))

    assert 0 < len(found(directory)) < before
    filled(directory)
    assert found(directory) == list(range(100))


@given(content=st.binary(max_size=60))
def test_any_bytes_in_a_shard_are_harmless(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("any") / "a" / "b"
    directory.mkdir(parents=True)
    for digit in "0123456789abcdef":
        (directory / f"Imports-{digit}.msgpack").write_bytes(content)

    assert found(directory, 5) == []


def test_facts_of_another_shape_are_absent(directory):
    filled(directory)

    class Other(Struct):
        names: int

    Other.__name__ = "Imports"

    assert FactsCache(directory).get(Other, key(1)) is None


def test_directory_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    cache = filled(facts_directory(tmp_path, tmp_path / "file"))

    assert cache.get(Imports, key(1)) == Imports(("m1",), {"a": 1})
    assert (tmp_path / "file").read_text() == ""


def test_two_runs_at_once_keep_the_facts_of_both(directory):
    one, other = FactsCache(directory), FactsCache(directory)
    for number in range(50):
        assert one.get(Imports, key(number)) is None
        one.put(key(number), Imports((f"m{number}",), {"a": number}))
        assert other.get(Imports, key(number + 50)) is None
        other.put(key(number + 50), Imports((f"m{number + 50}",), {"a": number + 50}))

    one.save()
    other.save()

    assert found(directory) == list(range(100))
    assert list(directory.glob("tmp*")) == []


def test_facts_that_no_run_uses_are_dropped(directory, monkeypatch):
    filled(directory)
    monkeypatch.setattr(facts_cache, "prune", lambda _: None)  # files keep their real age
    later = time.time() + 20 * DAY
    monkeypatch.setattr(facts_cache.time, "time", lambda: later)
    cache = FactsCache(directory)
    used = [cache.get(Imports, key(n)) for n in range(50)]
    cache.save()

    much_later = later + 20 * DAY
    monkeypatch.setattr(facts_cache.time, "time", lambda: much_later)
    cache = FactsCache(directory)
    for number in range(100, 200):  # touches every shard
        cache.put(key(number), Classes(()))
        cache.put(key(number), Imports(()))
    cache.save()

    assert None not in used
    assert found(directory) == list(range(50))


def test_old_projects_are_removed_and_the_largest_age_goes_first(tmp_path):
    base = tmp_path / "facts"
    for name, age, size in (("old", 40, 10), ("big", 3, 600), ("middle", 2, 300), ("new", 1, 300)):
        producer = base / name / "cpython"
        producer.mkdir(parents=True)
        (producer / "Imports-0.msgpack").write_bytes(bytes(size))
        os.utime(producer / "Imports-0.msgpack", (time.time() - age * DAY,) * 2)

    prune(base, keep_bytes=1000)

    assert sorted(path.name for path in base.iterdir()) == ["middle", "new"]


def test_cache_tells_backups_and_git_to_pass_over_it(directory):
    filled(directory)
    facts = directory.parents[1]

    assert (facts / ".gitignore").read_text() == "*\n"
    assert (facts / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f0688")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_key_is_of_content_and_module_name():
    one, same, other = (decode(p, b) for p, b in (("a", b"x"), ("b", b"x"), ("a", b"y")))

    assert facts_key(one, "m") == facts_key(same, "m")
    assert len({facts_key(one, "m"), facts_key(one, "n"), facts_key(other, "m")}) == 3
    assert facts_key(SourceFile("a", b"", digest=b"d"), "m") != facts_key(one, "m")


def test_directory_depends_on_project_python_and_the_code_of_awaken(tmp_path, monkeypatch):
    first = facts_directory(tmp_path / "a", tmp_path)

    assert first != facts_directory(tmp_path / "b", tmp_path)
    assert first == facts_directory(tmp_path / "a", tmp_path)
    assert ".".join(map(str, sys.version_info[:3])) in first.name
    facts_cache._producer.cache_clear()
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: original(path) + b"#")
    changed = facts_directory(tmp_path / "a", tmp_path)
    facts_cache._producer.cache_clear()

    assert changed != first


def test_default_is_the_users_cache_directory(tmp_path):
    program = (
        "from pathlib import Path; from awaken.project.facts_cache import facts_directory;"
        "print(facts_directory(Path('/p')))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    output = subprocess.check_output(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(facts_cache.__file__).parents[2],
        text=True,
    )

    assert output.startswith(str(tmp_path))
